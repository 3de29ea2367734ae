#include "hourglass/io/utf8.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <string>
#include <string_view>

TEST_CASE("what RFC 3629 allows passes, and nothing else") {
  using hourglass::detail::first_invalid_utf8;
  for (const std::string_view good :
       {"", "a", "\u00e4", "\u20ac", "\U0001f642", "\xf4\x8f\xbf\xbf", "\xed\x9f\xbf", "\xee\x80\x80"})
    CHECK(first_invalid_utf8(good) == good.size());
  for (const std::string_view bad :
       {"x\x80", "x\xc0\xaf", "x\xc1\xbf", "x\xc3", "x\xe0\x9f\xbf", "x\xe2\x82", "x\xed\xa0\x80", "x\xf0\x8f\xbf\xbf",
        "x\xf4\x90\x80\x80", "x\xf5\x80\x80\x80", "x\xff", "x\xc3x"})
    CHECK(first_invalid_utf8(bad) == 1);
}

TEST_CASE("every code point but the surrogates can be written and is valid") {
  for (std::uint32_t code = 0; code < 0x110000; ++code) {
    std::string text;
    hourglass::detail::append_utf8(text, code);
    const bool surrogate = code >= 0xD800 && code < 0xE000;
    REQUIRE((hourglass::detail::first_invalid_utf8(text) == text.size()) == !surrogate);
  }
  std::string text;
  for (const std::uint32_t code : {0x7AU, 0xE4U, 0x20ACU, 0x1F642U}) hourglass::detail::append_utf8(text, code);
  CHECK(text == "z\u00e4\u20ac\U0001f642");
}
