// The PNG encoder of stb_image_write, as functions of namespace hourglass::detail::stb_write with internal linkage.
//
// Any number of translation units may include this header, and each may include or implement stb_image_write itself,
// before or after, with its own settings: no symbol and no setting of this copy is seen outside of the namespace.
#pragma once

// All that stb_image_write.h includes must come first: inside of the namespace it would declare the C library anew.
#include <math.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <new>

namespace hourglass::detail::stb_write {

/// stb does not look at what its allocator returns.
inline void* reallocate(void* block, size_t size) {
  void* const result = ::realloc(block, size);
  if (!result) throw std::bad_alloc();
  return result;
}

}  // namespace hourglass::detail::stb_write

// clang-format off
// What the includer's own copy of stb_image_write may have set is put aside and brought back below.
#pragma push_macro("INCLUDE_STB_IMAGE_WRITE_H")
#undef INCLUDE_STB_IMAGE_WRITE_H
#pragma push_macro("STB_IMAGE_WRITE_IMPLEMENTATION")
#undef STB_IMAGE_WRITE_IMPLEMENTATION
#pragma push_macro("STB_IMAGE_WRITE_STATIC")
#undef STB_IMAGE_WRITE_STATIC
#pragma push_macro("STBIWDEF")
#undef STBIWDEF
#pragma push_macro("STBI_WRITE_NO_STDIO")
#undef STBI_WRITE_NO_STDIO
#pragma push_macro("STBIW_WINDOWS_UTF8")
#undef STBIW_WINDOWS_UTF8
#pragma push_macro("STBIW_MALLOC")
#undef STBIW_MALLOC
#pragma push_macro("STBIW_REALLOC")
#undef STBIW_REALLOC
#pragma push_macro("STBIW_REALLOC_SIZED")
#undef STBIW_REALLOC_SIZED
#pragma push_macro("STBIW_FREE")
#undef STBIW_FREE
#pragma push_macro("STBIW_MEMMOVE")
#undef STBIW_MEMMOVE
#pragma push_macro("STBIW_ASSERT")
#undef STBIW_ASSERT
#pragma push_macro("STBIW_UCHAR")
#undef STBIW_UCHAR
#pragma push_macro("STBIW_ZLIB_COMPRESS")
#undef STBIW_ZLIB_COMPRESS
#pragma push_macro("STBIW_CRC32")
#undef STBIW_CRC32

#define STB_IMAGE_WRITE_IMPLEMENTATION
#define STB_IMAGE_WRITE_STATIC
#define STBI_WRITE_NO_STDIO
#define STBIW_MALLOC(size) ::hourglass::detail::stb_write::reallocate(nullptr, size)
#define STBIW_REALLOC(block, size) ::hourglass::detail::stb_write::reallocate(block, size)
#define STBIW_FREE(block) ::free(block)
#define STBIW_ASSERT(x) static_cast<void>(0)

#ifdef __GNUC__
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-function"
#pragma GCC diagnostic ignored "-Wunused-variable"
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wsign-conversion"
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"
#pragma GCC diagnostic ignored "-Wold-style-cast"
#endif

namespace hourglass::detail::stb_write {
#include <stb_image_write.h>
}  // namespace hourglass::detail::stb_write

#ifdef __GNUC__
#pragma GCC diagnostic pop
#endif

#undef STBIW_CRC32
#pragma pop_macro("STBIW_CRC32")
#undef STBIW_ZLIB_COMPRESS
#pragma pop_macro("STBIW_ZLIB_COMPRESS")
#undef STBIW_UCHAR
#pragma pop_macro("STBIW_UCHAR")
#undef STBIW_ASSERT
#pragma pop_macro("STBIW_ASSERT")
#undef STBIW_MEMMOVE
#pragma pop_macro("STBIW_MEMMOVE")
#undef STBIW_FREE
#pragma pop_macro("STBIW_FREE")
#undef STBIW_REALLOC_SIZED
#pragma pop_macro("STBIW_REALLOC_SIZED")
#undef STBIW_REALLOC
#pragma pop_macro("STBIW_REALLOC")
#undef STBIW_MALLOC
#pragma pop_macro("STBIW_MALLOC")
#undef STBIW_WINDOWS_UTF8
#pragma pop_macro("STBIW_WINDOWS_UTF8")
#undef STBI_WRITE_NO_STDIO
#pragma pop_macro("STBI_WRITE_NO_STDIO")
#undef STBIWDEF
#pragma pop_macro("STBIWDEF")
#undef STB_IMAGE_WRITE_STATIC
#pragma pop_macro("STB_IMAGE_WRITE_STATIC")
#undef STB_IMAGE_WRITE_IMPLEMENTATION
#pragma pop_macro("STB_IMAGE_WRITE_IMPLEMENTATION")
#undef INCLUDE_STB_IMAGE_WRITE_H
#pragma pop_macro("INCLUDE_STB_IMAGE_WRITE_H")
// clang-format on
