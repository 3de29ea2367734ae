# hourglass_flags: the compiler options of tests, examples and benchmarks; hourglass_dev: the library too.
add_library(hourglass_flags INTERFACE)
add_library(hourglass_dev INTERFACE)
target_link_libraries(hourglass_dev INTERFACE hourglass hourglass_flags)
if(CMAKE_CXX_COMPILER_ID MATCHES "GNU|Clang")
  target_compile_options(hourglass_flags INTERFACE -Wall -Wextra -Wpedantic -Wconversion -Wshadow)
  if(HOURGLASS_WERROR)
    target_compile_options(hourglass_flags INTERFACE -Werror)
  endif()
  # GCC 12 takes "text" + std::string for an overlapping copy: gcc.gnu.org/bugzilla/show_bug.cgi?id=105651
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION MATCHES "^12")
    target_compile_options(hourglass_flags INTERFACE -Wno-restrict)
  endif()
endif()
if(HOURGLASS_SANITIZE)
  target_compile_options(hourglass_flags INTERFACE -fsanitize=address,undefined -fno-sanitize-recover=all
                                                   -fno-omit-frame-pointer)
  target_link_options(hourglass_flags INTERFACE -fsanitize=address,undefined)
endif()
