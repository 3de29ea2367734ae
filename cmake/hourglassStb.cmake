# hourglass::stb: the folder of stb_image.h and stb_image_write.h, which come without a CMake package of their own.
find_path(HOURGLASS_STB_INCLUDE_DIR stb_image_write.h PATH_SUFFIXES stb DOC "Folder of stb_image.h and stb_image_write.h")
mark_as_advanced(HOURGLASS_STB_INCLUDE_DIR)
if(HOURGLASS_STB_INCLUDE_DIR AND NOT TARGET hourglass::stb)
  add_library(hourglass::stb INTERFACE IMPORTED GLOBAL)
  target_include_directories(hourglass::stb SYSTEM INTERFACE ${HOURGLASS_STB_INCLUDE_DIR})
endif()
