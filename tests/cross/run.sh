#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# run.sh PROJECT WORK: build the tasks of core for aarch64 at each level of optimisation, and run them
# in an emulator. Exit code 77, with a loud line: there is no cross compiler or no emulator.
set -euo pipefail

project=$1
work=$2
compiler=aarch64-linux-gnu-gcc
emulator=qemu-aarch64

for tool in "$compiler" "$emulator"; do
    if ! command -v "$tool" >/dev/null; then
        echo "SKIPPED: tasks on aarch64 are not tested, there is no $tool here"
        exit 77
    fi
done

cd "$project"
# without what needs a library that is not there for aarch64
mapfile -t sources < <(find core sync streams -name '*.[cS]' ! -name switch_ucontext.c \
    ! -name idna.c ! -name 'tls_*')
sources+=(backends/registry.c backends/module.c net/socket_io.c net/socket.c tests/cross/tasks.c)
for level in -O0 -O1 -O2 -O3; do
    # what of net/ needs more is not linked
    "$compiler" -std=c11 -D_GNU_SOURCE "$level" -ffunction-sections -fdata-sections -Iinclude -I. \
        -DANYC_MODULE_DIR='""' "${sources[@]}" -static -pthread -Wl,--gc-sections -lm \
        -o "$work/tasks$level" 2>"$work/log" || { cat "$work/log" && exit 1; }
    result=$(timeout 100 "$emulator" "$work/tasks$level") # a failure ends this script
    echo "aarch64 $level: $result"
done
