#!/usr/bin/env bash
# Build programs against anyc from outside, and run them. usage: outside.sh WHAT
# CMakeLists.txt here sets the environment: CC, CMAKE, SOURCE, BUILD, WORK, PREFIX, LIBDIR, BACKENDS.
set -euo pipefail

read -ra backends <<<"${BACKENDS:?}"
unset ANYC_BACKEND_PATH
static_prefix="$WORK/static-prefix"

# build_project FOLDER [CMAKE ARGS...]: the project next door.
build_project() {
    rm -rf "${WORK:?}/$1"
    "$CMAKE" -S "$SOURCE/tests/consumer/project" -B "$WORK/$1" -DCMAKE_C_COMPILER="$CC" \
        "-DBACKENDS=${BACKENDS// /;}" -DCMAKE_BUILD_TYPE=Debug "${@:2}"
    "$CMAKE" --build "$WORK/$1"
}

run_project() {
    "$WORK/$1/consumer" "${backends[@]}"
}

# build_with_pkg_config PREFIX FLAGS...: compile and link by hand. The linker drops libraries that
# nothing refers to, as some systems' compilers tell it to.
build_with_pkg_config() {
    local flags
    export PKG_CONFIG_PATH="$1/$LIBDIR/pkgconfig"
    read -ra flags <<<"$(pkg-config --cflags --libs "${backends[@]/#/anyc-}")"
    "$CC" -Wl,--as-needed "$SOURCE/tests/consumer/consumer.c" "${flags[@]}" -o "$WORK/by_hand"
    LD_LIBRARY_PATH="$1/$LIBDIR" "$WORK/by_hand" "${backends[@]}"
}

# Without an adapter the program finds the modules in the folder that the library was built for.
run_alone() {
    local module_dir
    module_dir=$(sed -n 's/^CMAKE_INSTALL_PREFIX:PATH=//p' "$BUILD/CMakeCache.txt")
    if [ "$module_dir" = "$PREFIX" ] && [ -d "$PREFIX/$LIBDIR/anyc" ]; then
        "$WORK/package/consumer-alone" "${backends[@]}"
    fi
}

case $1 in
install)
    rm -rf "$PREFIX"
    "$CMAKE" --install "$BUILD" --prefix "$PREFIX"
    ;;
package)
    build_project package -DCMAKE_PREFIX_PATH="$PREFIX"
    run_project package
    run_alone
    ;;
pkg_config) build_with_pkg_config "$PREFIX" ;;
static_subdirectory)
    build_project subdirectory -DANYC_SOURCE="$SOURCE" -DBUILD_SHARED_LIBS=OFF
    run_project subdirectory
    rm -rf "$static_prefix"
    "$CMAKE" --install "$WORK/subdirectory" --prefix "$static_prefix"
    ;;
static_package)
    build_project static_package -DCMAKE_PREFIX_PATH="$static_prefix"
    run_project static_package
    ;;
static_pkg_config) build_with_pkg_config "$static_prefix" ;;
esac
