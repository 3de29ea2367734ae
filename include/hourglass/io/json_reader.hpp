// Reading JSON (RFC 8259) front to back, without building a tree: the caller says what it expects next.
//
// The headers of weight files are the only JSON here, and a general library costs a second in every translation unit
// that includes it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "hourglass/core/error.hpp"
#include "hourglass/io/utf8.hpp"

namespace hourglass::detail {

/// Walks over `text`, which is UTF-8 and must outlive the reader. Whatever is not JSON, or not what was asked for,
/// throws FormatError "<file>: ...".
class JsonReader {
 public:
  JsonReader(std::string_view file, std::string_view text) : file_{file}, text_{text} {}

  /// Throws FormatError with `parts` as its text.
  template <class... Parts>
  [[noreturn]] void fail(const Parts&... parts) const {
    throw FormatError(message(file_, ": ", parts..., "; save the file again"));
  }

  /// What comes next, in words; throws when it is no value.
  [[nodiscard]] std::string_view kind() {
    switch (peek()) {
      case '{':
        return "an object";
      case '[':
        return "an array";
      case '"':
        return "a string";
      case 't':
      case 'f':
        return "true or false";
      case 'n':
        return "null";
      case '-':
        return "a negative number";
      default:
        return is_digit(peek()) ? "a number" : syntax_error("a value");
    }
  }

  /// Calls `visit(key)` for each member of the object that comes next; `visit` must read its value.
  template <class Visit>
  void object(Visit&& visit) {
    list('{', '}', [&] {
      const std::string key = string();
      expect(':');
      visit(key);
    });
  }
  /// Calls `visit()` for each element of the array that comes next; `visit` must read it.
  template <class Visit>
  void array(Visit&& visit) {
    list('[', ']', visit);
  }

  /// The string that comes next.
  [[nodiscard]] std::string string() {
    expect('"');
    std::string result;
    for (;;) {
      if (at_ == text_.size()) syntax_error("the end of a string");
      const char c = text_[at_++];
      if (c == '"') return result;
      if (static_cast<unsigned char>(c) < 0x20) back_to(at_ - 1, "no control character in a string");
      if (c == '\\')
        escape(result);
      else
        result += c;
    }
  }

  /// The integer from 0 to 2^64 - 1 that comes next, or false with nothing read when it is another number.
  [[nodiscard]] bool integer(std::uint64_t& value) {
    const std::size_t start = at_;
    const std::string_view digits = number();
    value = 0;
    for (const char c : digits) {
      const auto digit = static_cast<std::uint64_t>(c - '0');
      if (!is_digit(c) || value > (UINT64_MAX - digit) / 10) return (at_ = start, false);
      value = 10 * value + digit;
    }
    return true;
  }

  /// Reads over the value that comes next, whatever it is.
  void skip() {
    switch (peek()) {
      case '{':
        return object([&](const std::string&) { skip(); });
      case '[':
        return array([&] { skip(); });
      case '"':
        return static_cast<void>(string());
      case 't':
        return word("true");
      case 'f':
        return word("false");
      case 'n':
        return word("null");
      default:
        static_cast<void>(number());
    }
  }

  /// Throws unless nothing but blanks is left.
  void end() {
    if (peek() != '\0' || at_ != text_.size()) syntax_error("the end");
  }

 private:
  static constexpr int deepest = 100;  // nested values recurse, and a stack overflow cannot be caught

  static bool is_digit(char c) { return c >= '0' && c <= '9'; }

  [[noreturn]] std::string_view syntax_error(std::string_view expected) const {
    fail("the header is not valid JSON at its byte ", at_, ": ", expected, " is expected");
  }
  [[noreturn]] void back_to(std::size_t position, std::string_view expected) {
    at_ = position;
    syntax_error(expected);
  }
  char current() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  char peek() {
    while (current() == ' ' || current() == '\n' || current() == '\r' || current() == '\t') ++at_;
    return current();
  }
  void expect(char c) {
    if (peek() != c) syntax_error(std::string{'\'', c, '\''});
    ++at_;
  }
  void word(std::string_view name) {
    if (text_.substr(at_, name.size()) != name) syntax_error(name);
    at_ += name.size();
  }

  template <class Visit>
  void list(char open, char close, Visit&& visit) {
    expect(open);
    if (++depth_ > deepest) fail("the header nests values more than ", deepest, " deep");
    if (peek() != close) {
      visit();
      while (peek() != close) {
        expect(',');
        visit();
      }
    }
    ++at_;
    --depth_;
  }

  std::string_view number() {
    static_cast<void>(peek());
    const std::size_t start = at_;
    const auto digits = [&] {
      if (!is_digit(current())) syntax_error("a digit");
      while (is_digit(current())) ++at_;
    };
    if (current() == '-') ++at_;
    if (current() == '0')
      ++at_;
    else
      digits();
    if (current() == '.') {
      ++at_;
      digits();
    }
    if (current() == 'e' || current() == 'E') {
      ++at_;
      if (current() == '+' || current() == '-') ++at_;
      digits();
    }
    return text_.substr(start, at_ - start);
  }

  std::uint32_t hexadecimal() {
    std::uint32_t value = 0;
    for (int i = 0; i < 4; ++i, ++at_) {
      constexpr std::string_view digits = "0123456789abcdefABCDEF";
      const std::size_t digit = digits.find(current());
      if (digit == std::string_view::npos) syntax_error("a hexadecimal digit");
      value = 16 * value + static_cast<std::uint32_t>(digit < 16 ? digit : digit - 6);
    }
    return value;
  }

  void escape(std::string& result) {
    constexpr std::string_view letters = "\"\\/bfnrt";
    constexpr std::string_view meanings = "\"\\/\b\f\n\r\t";
    if (const std::size_t which = letters.find(current()); which != std::string_view::npos) {
      result += meanings[which];
      ++at_;
      return;
    }
    if (current() != 'u') syntax_error("an escape");
    ++at_;
    std::uint32_t code = hexadecimal();
    if (code >= 0xD800 && code < 0xE000) {  // two surrogates make one code point
      if (code >= 0xDC00 || text_.substr(at_, 2) != "\\u") syntax_error("a pair of surrogates");
      at_ += 2;
      const std::uint32_t low = hexadecimal();
      if (low < 0xDC00 || low >= 0xE000) syntax_error("a pair of surrogates");
      code = 0x10000 + (code - 0xD800) * 0x400 + (low - 0xDC00);
    }
    append_utf8(result, code);
  }

  std::string_view file_;
  std::string_view text_;
  std::size_t at_ = 0;
  int depth_ = 0;
};

}  // namespace hourglass::detail
