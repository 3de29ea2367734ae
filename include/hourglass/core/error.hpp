// Errors: each message names the operation, the numbers that disagree, and the remedy.
#pragma once

#include <stdexcept>
#include <string>
#include <type_traits>

namespace hourglass {

namespace detail {

/// The parts, texts and numbers, one after another.
template <class... Parts>
[[nodiscard]] std::string message(const Parts&... parts) {
  std::string text;
  const auto append = [&](const auto& part) {
    if constexpr (std::is_arithmetic_v<std::remove_cvref_t<decltype(part)>>)
      text += std::to_string(part);
    else
      text += part;
  };
  (append(parts), ...);
  return text;
}

}  // namespace detail

/// Base of everything that the library throws on its own account.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Two shapes disagree, or a size is impossible.
class ShapeError : public Error {
 public:
  using Error::Error;
};

/// A file is missing, damaged, or not what its name promises. The message starts with its path.
class FormatError : public Error {
 public:
  using Error::Error;
};

/// Values that no computation can use: an empty data set, NaN, a target outside its range.
class DataError : public Error {
 public:
  using Error::Error;
};

}  // namespace hourglass
