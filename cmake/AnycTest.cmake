# Tests: one program per file, one ctest entry per test and backend.

set(ANYC_TEST_LAUNCHER "" CACHE STRING
  "Command put before every test program, a list (the valgrind preset uses it)")

set(ANYC_TEST_ENVIRONMENT
  "ANYC_BACKEND_PATH=${PROJECT_BINARY_DIR}/modules"
  "TSAN_OPTIONS=suppressions=${PROJECT_SOURCE_DIR}/tests/support/tsan.supp"
  "UBSAN_OPTIONS=print_stacktrace=1")

# anyc_add_ctest(NAME LABEL COMMAND...)
function(anyc_add_ctest name label)
  add_test(NAME ${name} COMMAND ${ARGN})
  set_tests_properties(${name} PROPERTIES
    LABELS ${label}
    TIMEOUT 1500 # a backstop: the harness itself ends a test much earlier
    SKIP_RETURN_CODE 77
    ENVIRONMENT "${ANYC_TEST_ENVIRONMENT}")
endfunction()

# anyc_add_test(test_x.c [LABEL unit|contract|behaviour|bench-smoke] [BACKENDS names...] [WHITEBOX]
#               [SOURCES more.c ...] [LIBRARIES targets...] [INSTEAD_OF_ANYC targets...])
#
# Every ANYC_TEST...(test_x__does_this) at the start of a line of test_x.c becomes the ctest entry
# BACKEND/FOLDER/x/does_this, FOLDER being the path below tests/ (tests/unit itself left out).
#   LABEL            the first folder's name unless given
#   BACKENDS         all that are built unless given: for tests that concern one of them
#   WHITEBOX         links the static copy of the library, whose internal functions can be called
#   SOURCES          further files of the program
#   LIBRARIES        links these too
#   INSTEAD_OF_ANYC  links what stands in anyc's place
function(anyc_add_test file)
  cmake_parse_arguments(PARSE_ARGV 1 arg "WHITEBOX" "LABEL"
    "BACKENDS;SOURCES;LIBRARIES;INSTEAD_OF_ANYC")
  if(NOT arg_BACKENDS)
    set(arg_BACKENDS ${ANYC_BACKENDS})
  endif()
  cmake_path(GET file STEM stem)
  cmake_path(RELATIVE_PATH CMAKE_CURRENT_SOURCE_DIR
    BASE_DIRECTORY "${PROJECT_SOURCE_DIR}/tests" OUTPUT_VARIABLE folder)
  if(NOT arg_LABEL)
    string(REGEX REPLACE "/.*" "" arg_LABEL "${folder}")
  endif()
  string(REGEX REPLACE "^unit/" "" folder "${folder}")
  string(REGEX REPLACE "^test_" "" subject "${stem}")

  string(REPLACE "/" "_" target "test_${folder}_${subject}")
  add_executable(${target} ${file} ${arg_SOURCES})
  set_target_properties(${target} PROPERTIES OUTPUT_NAME ${stem})
  target_include_directories(${target} PRIVATE "${PROJECT_SOURCE_DIR}/tests")
  target_compile_definitions(${target} PRIVATE ANYC_TESTS_DIR="${PROJECT_SOURCE_DIR}/tests")
  if(arg_INSTEAD_OF_ANYC)
    target_link_libraries(${target} PRIVATE anyc_compile_program ${arg_INSTEAD_OF_ANYC})
  elseif(arg_WHITEBOX)
    target_link_libraries(${target} PRIVATE anyc_compile_program anyc_internal)
  else()
    target_link_libraries(${target} PRIVATE
      anyc_compile_program anyc::testing ${ANYC_BACKEND_TARGETS} anyc::anyc)
  endif()
  target_link_libraries(${target} PRIVATE PkgConfig::check Threads::Threads ${arg_LIBRARIES})

  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${file})
  file(STRINGS ${file} lines REGEX "^ANYC_TEST[A-Z_]*\\(")
  if(NOT lines)
    message(FATAL_ERROR "${folder}/${file}: no line starts with ANYC_TEST(")
  endif()
  foreach(line IN LISTS lines)
    string(REGEX MATCH "^ANYC_TEST[A-Z_]*\\(([A-Za-z0-9_]+)" _ "${line}")
    set(test "${CMAKE_MATCH_1}")
    string(REGEX MATCH "^${stem}__(.+)$" _ "${test}")
    set(behaviour "${CMAKE_MATCH_1}")
    if(NOT behaviour)
      message(FATAL_ERROR "${folder}/${file}: '${test}' must be named ${stem}__a_behaviour")
    endif()
    foreach(backend IN LISTS arg_BACKENDS)
      if(NOT ANYC_TEST_LAUNCHER)
        anyc_add_ctest(${backend}/${folder}/${subject}/${behaviour} ${arg_LABEL}
          $<TARGET_FILE:${target}> --backend ${backend} --test ${test})
      endif()
    endforeach()
  endforeach()
  foreach(backend IN LISTS arg_BACKENDS)
    if(ANYC_TEST_LAUNCHER) # starting that takes longer than a test: one entry for the whole file
      anyc_add_ctest(${backend}/${folder}/${subject} ${arg_LABEL}
        ${ANYC_TEST_LAUNCHER} $<TARGET_FILE:${target}> --backend ${backend})
    endif()
  endforeach()
endfunction()

# anyc_add_check(NAME LABEL COMMAND...): a script as a test, in an ordinary build only (not with
# sanitizers or a launcher). Exit code 77 means skipped.
function(anyc_add_check name label)
  if(NOT ANYC_SANITIZE AND NOT ANYC_TEST_LAUNCHER)
    anyc_add_ctest(${name} ${label} ${ARGN})
  endif()
endfunction()
