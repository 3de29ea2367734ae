# Says once per run of CMake that a build is not optimised: training would run 20 to 50 times slower and look hung.
get_property(warned GLOBAL PROPERTY HOURGLASS_WARNED_ABOUT_BUILD_TYPE)
get_property(several_configurations GLOBAL PROPERTY GENERATOR_IS_MULTI_CONFIG)
if(NOT warned AND NOT several_configurations AND NOT CMAKE_CXX_FLAGS MATCHES "-O[123sfz]")
  if(NOT CMAKE_BUILD_TYPE)
    message(WARNING "hourglass: no build type is set, so nothing is optimised and training runs 20 to 50 times slower; "
                    "configure with -DCMAKE_BUILD_TYPE=Release")
    set_property(GLOBAL PROPERTY HOURGLASS_WARNED_ABOUT_BUILD_TYPE TRUE)
  elseif(CMAKE_BUILD_TYPE STREQUAL "Debug")
    message(STATUS "hourglass: a Debug build trains 20 to 50 times slower than a Release build")
    set_property(GLOBAL PROPERTY HOURGLASS_WARNED_ABOUT_BUILD_TYPE TRUE)
  endif()
endif()
