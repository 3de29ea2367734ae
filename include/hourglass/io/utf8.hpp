// UTF-8 as RFC 3629 defines it: no overlong forms, no surrogates, nothing above U+10FFFF.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace hourglass::detail {

/// Position of the first byte that is not UTF-8, or text.size().
[[nodiscard]] inline std::size_t first_invalid_utf8(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(i < text.size() ? text[i] : '\0'); };
  for (std::size_t i = 0; i < text.size();) {
    const unsigned lead = byte(i);
    const unsigned next = byte(i + 1);
    const std::size_t length = lead < 0x80   ? 1
                               : lead < 0xC2 ? 0
                               : lead < 0xE0 ? 2
                               : lead < 0xF0 ? 3
                               : lead < 0xF5 ? 4
                                             : 0;
    if (length == 0) return i;
    for (std::size_t k = 1; k < length; ++k)
      if ((byte(i + k) & 0xC0U) != 0x80) return i;
    const bool overlong = (lead == 0xE0 && next < 0xA0) || (lead == 0xF0 && next < 0x90);
    const bool surrogate = lead == 0xED && next >= 0xA0;
    const bool beyond = lead == 0xF4 && next >= 0x90;
    if (overlong || surrogate || beyond) return i;
    i += length;
  }
  return text.size();
}

/// Appends the code point `code`.
inline void append_utf8(std::string& result, std::uint32_t code) {
  const auto append = [&](std::uint32_t byte) { result += static_cast<char>(byte); };
  const auto tail = [&](std::uint32_t shift) { append(0x80U | (code >> shift & 0x3FU)); };
  if (code < 0x80) return append(code);
  if (code < 0x800)
    append(0xC0U | code >> 6);
  else if (code < 0x10000)
    append(0xE0U | code >> 12), tail(6);
  else
    append(0xF0U | code >> 18), tail(12), tail(6);
  tail(0);
}

}  // namespace hourglass::detail
