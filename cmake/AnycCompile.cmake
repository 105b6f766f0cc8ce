# How anyc's own code is compiled: private interface targets that are never exported.
#
#   anyc_compile_library   for the libraries
#   anyc_compile_program   for tests, examples and benchmarks
#
# Language standard and visibility are set for the whole tree in the top CMakeLists.txt; -Werror is
# CMAKE_COMPILE_WARNING_AS_ERROR, set by the presets that want it.

include(CheckCCompilerFlag)
check_c_compiler_flag(-fstack-clash-protection ANYC_HAVE_STACK_CLASH_PROTECTION)

add_library(anyc_compile INTERFACE)
target_compile_definitions(anyc_compile INTERFACE _GNU_SOURCE)
target_compile_options(anyc_compile INTERFACE
  $<$<COMPILE_LANGUAGE:C>:-Wall>
  $<$<COMPILE_LANGUAGE:C>:-Wextra>
  $<$<COMPILE_LANGUAGE:C>:-Wpedantic>
  $<$<COMPILE_LANGUAGE:C>:-Wconversion>
  $<$<COMPILE_LANGUAGE:C>:-Wshadow>
  $<$<COMPILE_LANGUAGE:C>:-Wstrict-prototypes>
  $<$<COMPILE_LANGUAGE:C>:-Wvla>
  $<$<CONFIG:Debug>:-fno-omit-frame-pointer>)
if(ANYC_HAVE_STACK_CLASH_PROTECTION) # no frame may step over a stack's guard
  target_compile_options(anyc_compile INTERFACE -fstack-clash-protection)
endif()

# What ANYC_SANITIZE asks for.
set(ANYC_SANITIZERS_address address,undefined)
set(ANYC_SANITIZERS_thread thread)
set(ANYC_SANITIZERS_fuzzer address,undefined,fuzzer-no-link)
add_library(anyc_sanitizers INTERFACE)
if(ANYC_SANITIZE)
  if(NOT DEFINED ANYC_SANITIZERS_${ANYC_SANITIZE})
    message(FATAL_ERROR "ANYC_SANITIZE is '${ANYC_SANITIZE}', not address, thread or fuzzer")
  endif()
  set(flags -fsanitize=${ANYC_SANITIZERS_${ANYC_SANITIZE}})
  target_compile_options(anyc_sanitizers INTERFACE
    ${flags} -fno-sanitize-recover=all -fno-omit-frame-pointer -O1)
  target_link_options(anyc_sanitizers INTERFACE ${flags})
endif()

add_library(anyc_compile_library INTERFACE)
target_link_libraries(anyc_compile_library INTERFACE anyc_compile)
target_compile_options(anyc_compile_library INTERFACE # tasks have small stacks
  $<$<COMPILE_LANGUAGE:C>:-Wframe-larger-than=2048>)
if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64|amd64)$") # core/switch_x86_64.h pushes
  target_compile_options(anyc_compile_library INTERFACE $<$<COMPILE_LANGUAGE:C>:-mno-red-zone>)
endif()
if(ANYC_SANITIZE_LIBRARY)
  target_link_libraries(anyc_compile_library INTERFACE anyc_sanitizers)
endif()

# anyc_optimise_whole(OBJECTS LIBRARY): release builds of a shared library see all its sources at
# once, which takes a third off the price of starting a task. With gcc the objects hold ordinary
# code as well, for those who link them otherwise.
include(CheckIPOSupported)
check_ipo_supported(RESULT ANYC_HAVE_IPO LANGUAGES C OUTPUT ignored)
function(anyc_optimise_whole objects library)
  if(ANYC_HAVE_IPO AND BUILD_SHARED_LIBS AND CMAKE_C_COMPILER_ID STREQUAL "GNU")
    set_target_properties(${objects} ${library} PROPERTIES
      INTERPROCEDURAL_OPTIMIZATION_RELEASE ON
      INTERPROCEDURAL_OPTIMIZATION_RELWITHDEBINFO ON)
    target_compile_options(${objects} PRIVATE
      $<$<AND:$<COMPILE_LANGUAGE:C>,$<NOT:$<CONFIG:Debug>>>:-ffat-lto-objects>)
  endif()
endfunction()

add_library(anyc_compile_program INTERFACE)
target_link_libraries(anyc_compile_program INTERFACE anyc_compile anyc_sanitizers)
