# cmake -DROOT=<folder that holds hourglass/> -P include_direction.cmake
# Fails on an #include that points upwards in the house, or at something a room has no business with.
cmake_policy(VERSION 3.21)

# Rooms that a room may include, beside itself.
set(knows_core "")
set(knows_gemm "")
set(knows_nn core gemm)
set(knows_loss core)
set(knows_optim core)
set(knows_models core nn loss)
set(knows_data core)
set(knows_io core)
set(knows_metrics core gemm nn loss optim models data)
set(knows_train core gemm nn loss optim models data io metrics)
# The product core is usable alone: only these of core/, none of which may lead to Eigen.
set(gemm_may_use
    core/activation.hpp core/crew.hpp core/denormals.hpp core/error.hpp core/isa.hpp core/simd.hpp core/simd_avx2.hpp
    core/simd_avx512.hpp core/simd_math.hpp core/simd_neon.hpp core/simd_portable.hpp core/simd_single.hpp
    core/simd_target.hpp core/storage.hpp core/threads.hpp)

# Headers from outside, and the rooms that may include them. Standard headers have no dot in their name.
set(outside_rooms
    "^Eigen/=core nn loss optim models data io metrics train"
    "^zlib\\.h$=data"
    "^stb_image\\.h$=data"
    "^stb_image_write\\.h$=io"
    "^omp\\.h$=core gemm"
    "^([a-z]*intrin|arm_neon)\\.h$=core data"
    "^(limits|stdarg|stddef|stdint|stdio|stdlib|string|assert|math)\\.h$=data io"
    "^(unistd|fcntl|signal|io)\\.h$=io train"
    "^sys/[a-z]+\\.h$=io train")

set(errors "")
macro(complain)
  string(APPEND errors "  ${header}: " ${ARGN} "\n")
endmacro()

file(GLOB_RECURSE headers RELATIVE ${ROOT}/hourglass ${ROOT}/hourglass/*)
if(NOT headers)
  message(FATAL_ERROR "no headers under ${ROOT}/hourglass")
endif()
foreach(header IN LISTS headers)
  if(header STREQUAL "hourglass.hpp")
    continue()
  endif()
  string(REGEX REPLACE "/.*" "" room ${header})
  if(NOT DEFINED knows_${room} OR NOT header MATCHES "^[a-z]+/[a-z0-9_]+\\.hpp$")
    complain("is in no room of the house; headers are hourglass/<room>/<name>.hpp")
    continue()
  endif()
  file(STRINGS ${ROOT}/hourglass/${header} lines REGEX "^[ \t]*#[ \t]*include")
  foreach(line IN LISTS lines)
    if(line MATCHES "include[ \t]*[<\"]hourglass/([^>\"]+)[>\"]")
      set(target ${CMAKE_MATCH_1})
      string(REGEX REPLACE "/.*" "" target_room ${target})
      if(NOT EXISTS ${ROOT}/hourglass/${target})
        complain("includes hourglass/${target}, which does not exist")
      elseif(room STREQUAL "gemm" AND target_room STREQUAL "core")
        if(NOT target IN_LIST gemm_may_use)
          complain("gemm/ includes ${target}; of core/ it knows only ${gemm_may_use}")
        endif()
      elseif(header IN_LIST gemm_may_use AND NOT target IN_LIST gemm_may_use)
        complain("includes ${target}; gemm/ uses this header, so it may include only ${gemm_may_use}")
      elseif(NOT target_room STREQUAL room AND NOT target_room IN_LIST knows_${room})
        complain("${room}/ includes ${target}, but knows only: ${knows_${room}}")
      endif()
    elseif(line MATCHES "include[ \t]*\"([^\"]+)\"")
      complain("includes \"${CMAKE_MATCH_1}\"; write the whole path: \"hourglass/...\"")
    elseif(line MATCHES "include[ \t]*<([^>]+)>")
      set(target ${CMAKE_MATCH_1})
      if(target MATCHES "^[a-z_0-9]+$")
        continue()
      endif()
      set(known FALSE)
      foreach(rule IN LISTS outside_rooms)
        string(REGEX MATCH "^(.*)=(.*)$" _ ${rule})
        set(pattern ${CMAKE_MATCH_1})
        string(REPLACE " " ";" rooms "${CMAKE_MATCH_2}")
        if(target MATCHES ${pattern})
          set(known TRUE)
          if(NOT room IN_LIST rooms OR (pattern STREQUAL "^Eigen/" AND header IN_LIST gemm_may_use))
            complain("${room}/ includes <${target}>, which belongs to: ${rooms}")
          endif()
        endif()
      endforeach()
      if(NOT known)
        complain("includes <${target}>, which is not among the dependencies of Hourglass")
      endif()
    else()
      complain("this include cannot be read: ${line}")
    endif()
  endforeach()
endforeach()

if(errors)
  message(FATAL_ERROR "includes that point the wrong way:\n${errors}")
endif()
list(LENGTH headers count)
message(STATUS "${count} headers include only downwards")
