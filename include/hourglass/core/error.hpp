// Errors: each message names the operation, the numbers that disagree, and the remedy.
#pragma once

#include <stdexcept>
#include <string>

namespace hourglass {

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
