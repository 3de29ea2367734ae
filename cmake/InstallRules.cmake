# `cmake --install` makes a package for find_package(hourglass).
if(HOURGLASS_FETCHED)
  list(JOIN HOURGLASS_FETCHED ", " fetched)
  message(STATUS "No install rules: ${fetched} came by download and would be missing where Hourglass is installed; "
                 "install them on the system first, or use Hourglass with add_subdirectory or FetchContent")
  return()
endif()

include(GNUInstallDirs)
include(CMakePackageConfigHelpers)
set(package_dir ${CMAKE_INSTALL_DATADIR}/cmake/hourglass)

install(DIRECTORY include/hourglass DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.hpp")
install(TARGETS hourglass EXPORT hourglassTargets INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(EXPORT hourglassTargets NAMESPACE hourglass:: DESTINATION ${package_dir})

configure_package_config_file(cmake/hourglassConfig.cmake.in ${PROJECT_BINARY_DIR}/hourglassConfig.cmake
                              INSTALL_DESTINATION ${package_dir})
# Headers have no pointer size to agree on, and before 1.0 a new minor version may change the interface.
write_basic_package_version_file(${PROJECT_BINARY_DIR}/hourglassConfigVersion.cmake COMPATIBILITY SameMinorVersion
                                 ARCH_INDEPENDENT)
install(FILES ${PROJECT_BINARY_DIR}/hourglassConfig.cmake ${PROJECT_BINARY_DIR}/hourglassConfigVersion.cmake
              cmake/hourglassStb.cmake cmake/hourglassBuildType.cmake DESTINATION ${package_dir})
install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DATADIR}/licenses/hourglass)
