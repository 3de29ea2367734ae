# cmake -DWAY=<installed|subdirectory> -DHOURGLASS=<sources> -DBUILD=<build folder of Hourglass> -DWORK=<scratch folder>
#       -DGENERATOR=... -DCOMPILER=... -DLAUNCHER=... -DWERROR=... -DDOWNLOADS=<arguments for CMake, joined by |> -P consumer.cmake
# Builds and runs consumer/ against an installed copy, or with add_subdirectory.
cmake_policy(VERSION 3.21)
file(REMOVE_RECURSE ${WORK})
set(arguments -S ${CMAKE_CURRENT_LIST_DIR}/consumer -B ${WORK}/build -G ${GENERATOR}
              -DCMAKE_CXX_COMPILER=${COMPILER} -DCMAKE_CXX_COMPILER_LAUNCHER=${LAUNCHER} -DEXPECTED_LAUNCHER=${LAUNCHER} -DWERROR=${WERROR}
              -DCMAKE_FIND_PACKAGE_NO_PACKAGE_REGISTRY=ON -DCMAKE_EXPORT_COMPILE_COMMANDS=ON)

function(must name)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE result OUTPUT_VARIABLE output ERROR_VARIABLE output
                  WORKING_DIRECTORY ${WORK})
  if(NOT result EQUAL 0)
    message("${output}")
    message(FATAL_ERROR "the consumer's ${name} failed: ${result}")
  endif()
  set(output "${output}" PARENT_SCOPE)
endfunction()

file(MAKE_DIRECTORY ${WORK})
if(WAY STREQUAL "installed")
  if(DOWNLOADS)
    message("SKIPPED: some dependencies came by download, so there are no install rules")
    return()
  endif()
  must("installation" ${CMAKE_COMMAND} --install ${BUILD} --prefix ${WORK}/prefix)
  list(APPEND arguments -DCMAKE_PREFIX_PATH=${WORK}/prefix)
else()
  list(APPEND arguments -DHOURGLASS_FOLDER=${HOURGLASS})
  string(REPLACE "|" ";" downloads "${DOWNLOADS}")
  list(APPEND arguments ${downloads})
endif()

# No build type, as beginners do: it works, and says once that it will be slow.
set(ENV{CXXFLAGS} "")
must("configuration" ${CMAKE_COMMAND} ${arguments})
string(REGEX MATCHALL "no build type is set" warnings "${output}")
list(LENGTH warnings count)
if(GENERATOR MATCHES "Multi-Config|Visual|Xcode")
  set(count 1)
endif()
if(NOT count EQUAL 1)
  message("${output}")
  message(FATAL_ERROR "the warning about the missing build type appears ${count} times, not once")
endif()
must("second configuration" ${CMAKE_COMMAND} -DCMAKE_BUILD_TYPE=Release ${WORK}/build)
if(output MATCHES "no build type is set")
  message(FATAL_ERROR "a Release build is warned about")
endif()
must("build" ${CMAKE_COMMAND} --build ${WORK}/build)
must("program" ${WORK}/build/app)
message("${output}")

file(READ ${WORK}/build/compile_commands.json commands)
if(commands MATCHES "-march|-ffast-math")
  message(FATAL_ERROR "the package asks for flags that a user did not choose:\n${commands}")
endif()
