// A program's own stb_image_write beside the library's copy: here it is declared after the header of the library, and
// stb_image_write_user_test.cpp implements it before.
#include "hourglass/io/stb_image_write.hpp"

#if defined(INCLUDE_STB_IMAGE_WRITE_H) || defined(STB_IMAGE_WRITE_IMPLEMENTATION) || defined(STBIWDEF) || \
    defined(STBIW_MALLOC) || defined(STBI_WRITE_NO_STDIO) || defined(STBIW_ASSERT)
#error "settings of the library's copy leak"
#endif

#include <doctest/doctest.h>
#include <stb_image_write.h>

#include <type_traits>

static_assert(std::is_same_v<decltype(::stbi_write_png), int(char const*, int, int, int, const void*, int)>,
              "the program's own declarations are all there");

TEST_CASE("the program's implementation links beside the library's") {
  const unsigned char pixel = 7;
  int bytes = 0;
  const auto count = [](void* context, void*, int size) { *static_cast<int*>(context) += size; };
  CHECK(::stbi_write_png_to_func(count, &bytes, 1, 1, 1, &pixel, 1) == 1);
  CHECK(bytes > 8);
}
