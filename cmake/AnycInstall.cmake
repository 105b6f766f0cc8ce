# The CMake package and the pkg-config files.

include(CMakePackageConfigHelpers)

set(package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/anyc")
set(pkgconfig_dir "${CMAKE_INSTALL_LIBDIR}/pkgconfig")

get_property(components GLOBAL PROPERTY ANYC_COMPONENTS)
foreach(component IN LISTS components)
  install(EXPORT anyc-${component}-targets NAMESPACE anyc:: DESTINATION "${package_dir}")
endforeach()

set(ANYC_STATIC TRUE)
if(BUILD_SHARED_LIBS)
  set(ANYC_STATIC FALSE)
endif()
set(ANYC_HAS_TLS FALSE)
set(tls_libs "")
if(ANYC_TLS_LIBRARIES) # releases before 3.6 have no .pc file
  set(ANYC_HAS_TLS TRUE)
  foreach(library IN ITEMS
      "${MbedTLS_LIBRARY}" "${MbedTLS_x509_LIBRARY}" "${MbedTLS_crypto_LIBRARY}")
    cmake_path(GET library PARENT_PATH folder)
    if(NOT folder IN_LIST CMAKE_C_IMPLICIT_LINK_DIRECTORIES)
      string(APPEND tls_libs "-L${folder} ")
    endif()
    cmake_path(GET library STEM name)
    string(REGEX REPLACE "^lib" "-l" name "${name}")
    string(APPEND tls_libs "${name} ")
  endforeach()
  if(ANYC_STATIC)
    install(FILES "${PROJECT_SOURCE_DIR}/cmake/FindMbedTLS.cmake" DESTINATION "${package_dir}")
  endif()
endif()
configure_package_config_file(cmake/anyc-config.cmake.in anyc-config.cmake
  INSTALL_DESTINATION "${package_dir}" NO_SET_AND_CHECK_MACRO)
write_basic_package_version_file(anyc-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES
  "${CMAKE_CURRENT_BINARY_DIR}/anyc-config.cmake"
  "${CMAKE_CURRENT_BINARY_DIR}/anyc-config-version.cmake"
  DESTINATION "${package_dir}")

# The .pc files name their folders relative to themselves, so the installed tree can be moved. What
# a static library needs must stand in the program's link line, what a shared one needs must not.
file(RELATIVE_PATH prefix_from_pc "/${pkgconfig_dir}" "/")
string(REGEX REPLACE "/$" "" prefix_from_pc "${prefix_from_pc}")
set(private "")
if(BUILD_SHARED_LIBS)
  set(private ".private")
endif()
configure_file(cmake/anyc.pc.in anyc.pc @ONLY)
install(FILES "${CMAKE_CURRENT_BINARY_DIR}/anyc.pc" DESTINATION "${pkgconfig_dir}")
get_property(backends GLOBAL PROPERTY ANYC_BACKENDS)
foreach(backend IN LISTS backends)
  set(keep "-Wl,-u,anyc_backend_${backend} -lanyc-${backend}")
  if(BUILD_SHARED_LIBS)
    set(keep "-Wl,--push-state,--no-as-needed,-lanyc-${backend},--pop-state")
  endif()
  get_target_property(package anyc-${backend} ANYC_PACKAGE)
  configure_file(cmake/anyc-backend.pc.in anyc-${backend}.pc @ONLY)
  install(FILES "${CMAKE_CURRENT_BINARY_DIR}/anyc-${backend}.pc" DESTINATION "${pkgconfig_dir}")
endforeach()
