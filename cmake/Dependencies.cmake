# What Hourglass needs: the system's package when there is one, a download of a fixed version otherwise.
include(FetchContent)
if(POLICY CMP0135)
  cmake_policy(SET CMP0135 NEW)
endif()
set(HOURGLASS_FETCHED "")  # names of the library's dependencies that were downloaded

# hourglass_fetch(<package> <target> <folder of the headers in the download> <where FetchContent gets it>...)
# All of them are headers only, so their own build files, with their options, warnings and old policies, stay unread.
macro(hourglass_fetch package target folder)
  message(STATUS "${package} was not found on this system: downloading it")
  FetchContent_Declare(${package} ${ARGN} SOURCE_SUBDIR none)
  FetchContent_MakeAvailable(${package})
  if(NOT TARGET ${target})
    FetchContent_GetProperties(${package} SOURCE_DIR hourglass_fetched_source)
    add_library(hourglass_${package} INTERFACE IMPORTED GLOBAL)
    target_include_directories(hourglass_${package} SYSTEM INTERFACE ${hourglass_fetched_source}/${folder})
    add_library(${target} ALIAS hourglass_${package})
  endif()
endmacro()

# hourglass_find(<target> <arguments of find_package>...)
# Imported targets are visible in their own folder only; a project that adds Hourglass as a subfolder links from above.
macro(hourglass_find target)
  if(NOT TARGET ${target})
    find_package(${ARGN} QUIET)
    if(TARGET ${target})
      set_target_properties(${target} PROPERTIES IMPORTED_GLOBAL TRUE)
    endif()
  endif()
endmacro()

# Without a version: Eigen 5 refuses a request for 3.4, and both work.
hourglass_find(Eigen3::Eigen Eigen3 NO_MODULE)
if(NOT TARGET Eigen3::Eigen)
  hourglass_fetch(Eigen3 Eigen3::Eigen . URL https://gitlab.com/libeigen/eigen/-/archive/3.4.0/eigen-3.4.0.tar.gz
                  URL_HASH SHA256=8586084f71f9bde545ee7fa6d00288b264a2b7ac3607b974e54d13e7162c1c72)
  list(APPEND HOURGLASS_FETCHED Eigen3)
endif()

include(${CMAKE_CURRENT_LIST_DIR}/hourglassStb.cmake)
if(NOT TARGET hourglass::stb)
  hourglass_fetch(stb hourglass::stb . GIT_REPOSITORY https://github.com/nothings/stb.git
                  GIT_TAG 31c1ad37456438565541f4919958214b6e762fb4)
  list(APPEND HOURGLASS_FETCHED stb)
endif()

if(HOURGLASS_OPENMP)
  hourglass_find(OpenMP::OpenMP_CXX OpenMP COMPONENTS CXX)
  if(NOT TARGET OpenMP::OpenMP_CXX)
    message(STATUS "OpenMP was not found: everything runs on one thread")
  endif()
endif()

if(HOURGLASS_ZLIB)
  hourglass_find(ZLIB::ZLIB ZLIB)
  if(NOT TARGET ZLIB::ZLIB)
    message(STATUS "zlib was not found: data must be unpacked before it is read")
  endif()
endif()

if(HOURGLASS_BUILD_EXAMPLES OR HOURGLASS_BUILD_BENCHMARKS)
  hourglass_find(CLI11::CLI11 CLI11)
  if(NOT TARGET CLI11::CLI11)
    hourglass_fetch(CLI11 CLI11::CLI11 include GIT_REPOSITORY https://github.com/CLIUtils/CLI11.git GIT_TAG v2.4.2
                    GIT_SHALLOW ON)
  endif()
endif()

if(HOURGLASS_BUILD_TESTS)
  # Only tests read JSON with it: PyTorch's results, and as the judge of the reader of weight-file headers.
  hourglass_find(nlohmann_json::nlohmann_json nlohmann_json)
  if(NOT TARGET nlohmann_json::nlohmann_json)
    hourglass_fetch(
      nlohmann_json nlohmann_json::nlohmann_json include
      URL https://github.com/nlohmann/json/releases/download/v3.11.3/json.tar.xz
      URL_HASH SHA256=d6c65aca6b1ed68e7a182f4757257b107ae403032760ed6ef121c9d55e81757d)
  endif()
  hourglass_find(doctest::doctest doctest)
  if(NOT TARGET doctest::doctest)
    hourglass_fetch(doctest doctest::doctest . GIT_REPOSITORY https://github.com/doctest/doctest.git GIT_TAG v2.4.11
                    GIT_SHALLOW ON)
  endif()
endif()
