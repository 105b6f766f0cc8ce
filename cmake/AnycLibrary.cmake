# The libraries, made of object libraries so that each source is compiled once.

# anyc_library(NAME [STATIC] OBJECTS object-library)
# An installed library; anyc-x is exported as anyc::x, with a version, and a package component of
# its own (AnycInstall.cmake).
function(anyc_library name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "STATIC" "OBJECTS" "")
  set(type "")
  if(arg_STATIC)
    set(type STATIC)
  endif()
  string(REGEX REPLACE "^anyc-" "" component "${name}")
  add_library(${name} ${type} "$<TARGET_OBJECTS:${arg_OBJECTS}>")
  add_library(anyc::${component} ALIAS ${name})
  set_target_properties(${name} PROPERTIES
    EXPORT_NAME ${component}
    VERSION ${PROJECT_VERSION}
    SOVERSION ${PROJECT_VERSION_MAJOR})
  target_link_libraries(${name} PRIVATE $<BUILD_INTERFACE:anyc_compile_library>)
  install(TARGETS ${name} EXPORT anyc-${component}-targets)
  set_property(GLOBAL APPEND PROPERTY ANYC_COMPONENTS ${component})
endfunction()

# anyc_backend(NAME PACKAGE pkg-config-module SOURCES files...)
# An adapter: the library anyc-NAME to link with, and the module anyc_backend_NAME that anyc_run()
# loads by name. A constructor registers its table, anyc_backend_NAME. Nothing in a program refers
# to it, so linker options keep the library: a static one by asking for that symbol, a shared one by
# linking it with --no-as-needed.
function(anyc_backend name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "PACKAGE" "SOURCES")
  pkg_check_modules(${arg_PACKAGE} IMPORTED_TARGET GLOBAL ${arg_PACKAGE})
  if(NOT ${arg_PACKAGE}_FOUND)
    message(STATUS "anyc: ${arg_PACKAGE} not found, the backend ${name} is left out")
    return()
  endif()
  set(loop PkgConfig::${arg_PACKAGE})

  set(objects anyc_${name}_objects)
  add_library(${objects} OBJECT)
  target_sources(${objects} PRIVATE ${arg_SOURCES})
  target_include_directories(${objects} PRIVATE "${PROJECT_SOURCE_DIR}")
  target_link_libraries(${objects} PRIVATE anyc anyc_compile_library ${loop} Threads::Threads)

  anyc_library(anyc-${name} OBJECTS ${objects})
  set(keep -u,anyc_backend_${name})
  if(BUILD_SHARED_LIBS)
    set(keep --push-state,--no-as-needed,$<TARGET_LINKER_FILE:$<TARGET_NAME:anyc-${name}>>,--pop-state)
  endif()
  target_link_options(anyc-${name} INTERFACE -Wl,${keep})
  target_link_libraries(anyc-${name} PUBLIC anyc PRIVATE ${loop} Threads::Threads)

  if(BUILD_SHARED_LIBS) # a static anyc has nothing that a module could link with
    set(module anyc_backend_${name})
    add_library(${module} MODULE $<TARGET_OBJECTS:${objects}>)
    target_link_libraries(${module} PRIVATE anyc ${loop} Threads::Threads anyc_compile_library)
    set_target_properties(${module} PROPERTIES
      PREFIX ""
      LIBRARY_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/modules")
    install(TARGETS ${module} LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}/anyc")
  endif()
  set_target_properties(anyc-${name} PROPERTIES ANYC_PACKAGE ${arg_PACKAGE})
  set_property(GLOBAL APPEND PROPERTY ANYC_BACKENDS ${name})
endfunction()
