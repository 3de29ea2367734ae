# hourglass_dev: what tests, examples and benchmarks are compiled with, beside the library itself.
add_library(hourglass_dev INTERFACE)
target_link_libraries(hourglass_dev INTERFACE hourglass)
if(CMAKE_CXX_COMPILER_ID MATCHES "GNU|Clang")
  target_compile_options(hourglass_dev INTERFACE -Wall -Wextra -Wpedantic -Wconversion -Wshadow)
  if(PROJECT_IS_TOP_LEVEL)
    target_compile_options(hourglass_dev INTERFACE -Werror)
  endif()
endif()
if(HOURGLASS_SANITIZE)
  target_compile_options(hourglass_dev INTERFACE -fsanitize=address,undefined -fno-sanitize-recover=all
                                                 -fno-omit-frame-pointer)
  target_link_options(hourglass_dev INTERFACE -fsanitize=address,undefined)
endif()
