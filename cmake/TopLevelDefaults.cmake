# Conveniences for people who work on Hourglass itself; a project that includes it keeps its own settings.

if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "Build type" FORCE)
  message(STATUS "No build type was given: using Release")
endif()
if(CMAKE_BUILD_TYPE STREQUAL "Debug" AND NOT HOURGLASS_SANITIZE)
  message(WARNING "This is a build without optimisation: training runs 20 to 50 times slower than with "
                  "-DCMAKE_BUILD_TYPE=Release and may look hung")
endif()

find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER "${CCACHE_PROGRAM}")
endif()

set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
