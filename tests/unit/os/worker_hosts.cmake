# What test_worker_process_program.c starts: worker_host.c, built in several ways.

include(CheckCSourceCompiles)

# worker_host(NAME LINK ...): with worker_library.c as a library of its own; with PART it is a part of
# the program.
function(worker_host name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "PART" "" "LINK")
  add_executable(${name} worker_host.c)
  target_include_directories(${name} PRIVATE "${PROJECT_SOURCE_DIR}/include")
  if(arg_PART)
    target_sources(${name} PRIVATE worker_library.c)
  else()
    target_link_libraries(${name} PRIVATE worker_library)
  endif()
  target_link_libraries(${name} PRIVATE anyc_compile_program ${arg_LINK} ${CMAKE_DL_LIBS})
  set_property(GLOBAL APPEND PROPERTY WORKER_HOSTS ${name})
endfunction()

add_library(worker_library SHARED worker_library.c)
target_include_directories(worker_library PRIVATE "${PROJECT_SOURCE_DIR}/include")
target_link_libraries(worker_library PRIVATE anyc_compile_program)
if(BUILD_SHARED_LIBS) # then it is initialised after anyc
  target_link_options(worker_library PRIVATE -Wl,--no-as-needed)
  target_link_libraries(worker_library PRIVATE anyc::anyc)
endif()

set(linked ${ANYC_BACKEND_TARGETS} anyc::anyc)
worker_host(worker_host LINK ${linked})
worker_host(worker_host_archive PART LINK anyc_internal Threads::Threads)

if(NOT ANYC_SANITIZE)
  # At a fixed address.
  worker_host(worker_host_fixed LINK ${linked})
  target_compile_options(worker_host_fixed PRIVATE -fno-pie)
  target_link_options(worker_host_fixed PRIVATE -no-pie)

  # Without an array of initialisers: it has none of its own, nor those of the compiler.
  foreach(name IN ITEMS Scrt1.o crti.o crtn.o)
    execute_process(COMMAND "${CMAKE_C_COMPILER}" -print-file-name=${name}
      OUTPUT_VARIABLE file OUTPUT_STRIP_TRAILING_WHITESPACE)
    list(APPEND start_files "${file}")
  endforeach()
  set(CMAKE_REQUIRED_LINK_OPTIONS -pie -nostartfiles ${start_files})
  check_c_source_compiles("int main(void) { return 0; }" ANYC_TEST_START_FILES)
  if(ANYC_TEST_START_FILES)
    worker_host(worker_host_no_array LINK ${linked})
    target_compile_definitions(worker_host_no_array PRIVATE WORKER_HOST_NO_ARRAY)
    target_link_options(worker_host_no_array PRIVATE -pie -nostartfiles ${start_files})
  endif()

  # Static programs, which need static libraries of all that they use.
  find_library(ANYC_TEST_LIBEVENT_ARCHIVE libevent_core.a)
  foreach(kind IN ITEMS static static-pie)
    set(CMAKE_REQUIRED_LINK_OPTIONS -${kind})
    check_c_source_compiles("int main(void) { return 0; }" ANYC_TEST_LINKS_${kind})
    if(ANYC_TEST_LINKS_${kind} AND ANYC_TEST_LIBEVENT_ARCHIVE AND "libevent" IN_LIST ANYC_BACKENDS)
      worker_host(worker_host_${kind} PART LINK $<TARGET_FILE:anyc_internal>
        "${ANYC_TEST_LIBEVENT_ARCHIVE}" m Threads::Threads)
      add_dependencies(worker_host_${kind} anyc_internal)
      target_link_options(worker_host_${kind} PRIVATE -${kind} -Wl,-u,anyc_backend_libevent)
    endif()
  endforeach()
  unset(CMAKE_REQUIRED_LINK_OPTIONS)
endif()

# Files that a program loads while it runs.
add_library(worker_plugin MODULE worker_plugin.c)
add_library(worker_plugin_other MODULE worker_plugin.c)
target_compile_definitions(worker_plugin_other PRIVATE WORKER_PLUGIN_OTHER)
foreach(plugin IN ITEMS worker_plugin worker_plugin_other)
  target_include_directories(${plugin} PRIVATE "${PROJECT_SOURCE_DIR}/include")
  target_link_libraries(${plugin} PRIVATE anyc_compile_program)
endforeach()

# A program that loads anyc late; ASan would have to be loaded before it.
add_library(worker_late_library MODULE worker_host.c worker_library.c)
target_compile_definitions(worker_late_library PRIVATE WORKER_HOST_LATE)
target_link_libraries(worker_late_library PRIVATE anyc_compile_program ${linked} ${CMAKE_DL_LIBS})
add_executable(worker_late worker_late.c)
target_link_libraries(worker_late PRIVATE anyc_compile_program ${CMAKE_DL_LIBS})

anyc_add_test(test_worker_process_program.c)
get_property(hosts GLOBAL PROPERTY WORKER_HOSTS)
list(TRANSFORM hosts REPLACE "(.+)" "$<TARGET_FILE:\\1>" OUTPUT_VARIABLE paths)
list(JOIN paths ":" paths)
target_compile_definitions(test_os_worker_process_program PRIVATE
  "WORKER_HOST=\"$<TARGET_FILE:worker_host>\""
  "WORKER_HOST_VARIANTS=\"${paths}\""
  "WORKER_PLUGIN=\"$<TARGET_FILE:worker_plugin>\""
  "WORKER_PLUGIN_OTHER=\"$<TARGET_FILE:worker_plugin_other>\"")
if(NOT ANYC_SANITIZE)
  target_compile_definitions(test_os_worker_process_program PRIVATE
    "WORKER_LATE=\"$<TARGET_FILE:worker_late>\""
    "WORKER_LATE_LIBRARY=\"$<TARGET_FILE:worker_late_library>\"")
endif()
add_dependencies(test_os_worker_process_program
  ${hosts} worker_plugin worker_plugin_other worker_late worker_late_library)
