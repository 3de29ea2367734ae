# cmake -DROOT=<folder that holds hourglass/> -P umbrella.cmake
# hourglass.hpp lists every header, once, sorted. A header whose first line starts with "// Internal: ",
# or with "// Not in hourglass.hpp: " and the reason, stays out.
cmake_policy(VERSION 3.21)
file(GLOB headers RELATIVE ${ROOT} ${ROOT}/hourglass/*/*.hpp)
set(expected "")
foreach(header IN LISTS headers)
  file(STRINGS ${ROOT}/${header} first LIMIT_COUNT 1)
  if(NOT first MATCHES "^// (Internal|Not in hourglass.hpp): ")
    list(APPEND expected "#include \"${header}\"")
  endif()
endforeach()
list(SORT expected)
file(STRINGS ${ROOT}/hourglass/hourglass.hpp found REGEX "^[ \t]*#[ \t]*include")
if(NOT found STREQUAL expected)
  set(missing ${expected})
  list(REMOVE_ITEM missing ${found})
  set(surplus ${found})
  list(REMOVE_ITEM surplus ${expected})
  list(JOIN expected "\n" text)
  message(FATAL_ERROR "hourglass.hpp is not the sorted list of all headers; missing: '${missing}', surplus: '${surplus}'. "
                      "It should be:\n\n${text}\n")
endif()
