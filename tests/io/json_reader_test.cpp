#include "hourglass/io/json_reader.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "hourglass/core/rng.hpp"
#include "io/files.hpp"

// An independent parser as the judge, where there is one.
#if __has_include(<nlohmann/json.hpp>)
#include <nlohmann/json.hpp>
#define HOURGLASS_TEST_HAS_NLOHMANN 1
#endif

namespace hg = hourglass;
using hg::detail::JsonReader;
using hourglass_test::error_of;

namespace {

// "" when `text` is one JSON value, else what is wrong with it.
std::string verdict(std::string_view text) {
  return error_of([&] {
    JsonReader json{"f", text};
    json.skip();
    json.end();
  });
}

std::string string_of(std::string_view text) { return JsonReader{"f", text}.string(); }

const std::vector<std::string_view> good{"0",
                                         "-0",
                                         "10",
                                         "0.5",
                                         "-1.25e+10",
                                         "1E-2",
                                         "1e5",
                                         "true",
                                         "false",
                                         "null",
                                         "\"\"",
                                         "\"a\"",
                                         " \t\r\n1 \n",
                                         "[]",
                                         "[ ]",
                                         "[1,[2],{}]",
                                         "{}",
                                         "{ }",
                                         R"({"a":1,"b":[null,true]})",
                                         R"({ "a" : { "b" : { } } })",
                                         R"("\"\\\/\b\f\n\r\t\u00e4\ud83d\ude42")",
                                         "\"\u00e4\"",
                                         "\"\x7f\""};

const std::vector<std::string_view> bad{"",
                                        " ",
                                        "01",
                                        "-",
                                        "+1",
                                        ".5",
                                        "1.",
                                        "1.e1",
                                        "1e",
                                        "1e+",
                                        "0x1",
                                        "1 2",
                                        "tru",
                                        "truex",
                                        "nul",
                                        "True",
                                        "NaN",
                                        "Infinity",
                                        "'a'",
                                        "\"",
                                        "\"a",
                                        "\"\\",
                                        "\"\\x\"",
                                        "\"\\u12\"",
                                        "\"\\u12g4\"",
                                        "\"\\ud83d\"",
                                        "\"\\ude42\"",
                                        "\"\\ud83d\\u0041\"",
                                        "\"\n\"",
                                        "[",
                                        "]",
                                        "[1",
                                        "[1,",
                                        "[1,]",
                                        "[,1]",
                                        "[1 2]",
                                        "{",
                                        "}",
                                        "{\"a\"",
                                        "{\"a\":",
                                        "{\"a\":1",
                                        "{\"a\":1,",
                                        "{\"a\":1,}",
                                        "{a:1}",
                                        "{1:1}",
                                        "{\"a\" 1}",
                                        "{\"a\":1 \"b\":2}",
                                        "[1]]",
                                        "{}{}",
                                        "/**/1",
                                        std::string_view{"1\0", 2},
                                        std::string_view{"\0", 1},
                                        std::string_view{"\"\0\"", 3},
                                        "\xef\xbb\xbf{}"};

}  // namespace

TEST_CASE("what RFC 8259 allows is read, everything else refused") {
  for (const std::string_view text : good) CHECK_MESSAGE(verdict(text) == "", text);
  for (const std::string_view text : bad) CHECK_MESSAGE(verdict(text) != "", text);
  CHECK(verdict("[1,x]") == "f: the header is not valid JSON at its byte 3: a digit is expected; save the file again");
}

TEST_CASE("strings") {
  CHECK(string_of(R"("\"\\\/\b\f\n\r\t")") == "\"\\/\b\f\n\r\t");
  CHECK(string_of(R"("a\u0041\u00e4\u20AC\ud83d\uDE42")") == "aA\u00e4\u20ac\U0001f642");
  CHECK(string_of(R"("\u0000")") == std::string(1, '\0'));
}

TEST_CASE("integers from 0 to 2^64 - 1, and no other numbers") {
  const auto read = [](std::string_view text) {
    std::uint64_t value = 7;
    return JsonReader{"f", text}.integer(value) ? std::to_string(value) : "no";
  };
  CHECK(read("0") == "0");
  CHECK(read("18446744073709551615") == "18446744073709551615");
  for (const std::string_view text :
       {"18446744073709551616", "28446744073709551615", "184467440737095516150", "-0", "-1", "1.0", "1e2"})
    CHECK(read(text) == "no");
}

TEST_CASE("kinds") {
  for (const auto& [text, kind] : std::vector<std::pair<std::string_view, std::string_view>>{{"{", "an object"},
                                                                                             {"[", "an array"},
                                                                                             {"\"", "a string"},
                                                                                             {"t", "true or false"},
                                                                                             {"f", "true or false"},
                                                                                             {"n", "null"},
                                                                                             {"-", "a negative number"},
                                                                                             {"7", "a number"}})
    CHECK(JsonReader{"f", text}.kind() == kind);
}

TEST_CASE("deep nesting is refused instead of overflowing the stack") {
  const auto nested = [](std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); };
  CHECK(verdict(nested(100)) == "");
  CHECK(verdict(nested(101)) == "f: the header nests values more than 100 deep; save the file again");
  CHECK(verdict(std::string(10'000'000, '[')) != "");
  std::string objects;
  for (int i = 0; i < 1'000'000; ++i) objects += "{\"\":";
  CHECK(verdict(objects) != "");
}

#ifdef HOURGLASS_TEST_HAS_NLOHMANN

TEST_CASE("an independent parser agrees about 200,000 damaged texts") {
  hg::Rng rng{8};
  const std::string_view letters = "{}[]\",:\\u0123456789eE+-. \ntrufalsn\xc3\xa4";
  int accepted = 0;
  int compared = 0;
  for (int trial = 0; trial < 200'000; ++trial) {
    std::string text{good[static_cast<std::size_t>(rng.below(static_cast<std::int64_t>(good.size())))]};
    for (std::int64_t n = rng.below(4); n > 0; --n) {
      const auto at = static_cast<std::size_t>(rng.below(static_cast<std::int64_t>(text.size()) + 1));
      const char letter = letters[static_cast<std::size_t>(rng.below(static_cast<std::int64_t>(letters.size())))];
      if (at < text.size() && rng.below(3) == 0)
        text.erase(at, 1);
      else if (at < text.size() && rng.below(2) == 0)
        text[at] = letter;
      else
        text.insert(at, 1, letter);
    }
    // The reader's texts are UTF-8 already. Numbers too large for a double are JSON, but that parser refuses them.
    if (hg::detail::first_invalid_utf8(text) != text.size()) continue;
    const bool sound = verdict(text).empty();
    const bool judged = nlohmann::json::accept(text);
    const bool large = sound && !judged && text.find_first_of("eE") != std::string::npos;
    CHECK_MESSAGE((sound == judged || large), text);
    accepted += sound;
    ++compared;
    if (judged && text[text.find_first_not_of(" \t\r\n")] == '"')
      CHECK(string_of(text) == nlohmann::json::parse(text).get<std::string>());
  }
  CHECK(compared > 100'000);
  CHECK(accepted > 10'000);
  CHECK(compared - accepted > 10'000);
}

#endif
