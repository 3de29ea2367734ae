// Walking over the JSON of a safetensors header: {"name": {"dtype": "F32", "shape": [2, 3], "data_offsets": [begin,
// end]},
// ..., "__metadata__": {"key": "value"}}. Only the form is checked here; safetensors_header.hpp checks the numbers.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "hourglass/core/error.hpp"

namespace hourglass {

/// One line of the header.
struct SafetensorsEntry {
  std::string name;
  std::string dtype;                 ///< "F32"
  std::vector<std::uint64_t> shape;  ///< outermost first; empty for a scalar
  std::uint64_t begin = 0;           ///< offset of the first byte from the start of the data
  std::uint64_t end = 0;             ///< offset past the last one

  /// "(256, 784)".
  [[nodiscard]] std::string shape_string() const {
    std::string text = "(";
    for (std::size_t axis = 0; axis < shape.size(); ++axis) text += detail::message(axis ? ", " : "", shape[axis]);
    return text + ")";
  }
};

/// A header that has been found sound.
struct SafetensorsHeader {
  std::vector<SafetensorsEntry> entries;  ///< in the order of the data
  std::map<std::string, std::string> metadata;
};

namespace detail {

/// Collects the entries while nlohmann's parser walks over the JSON; false stops it, `error` says why. Walking instead
/// of building a tree is what shows duplicate keys. Fields that the format does not know are passed over, as the
/// reference reader does.
class SafetensorsSax {
 public:
  SafetensorsHeader header;
  std::string error;

  using Json = nlohmann::json;
  bool null() { return place_ == Place::metadata_start ? leave() : scalar("null"); }
  bool boolean(bool) { return scalar("true or false"); }
  bool number_integer(Json::number_integer_t) { return scalar("a negative number"); }
  bool number_float(Json::number_float_t, const std::string&) {
    return scalar("a fraction or a number above 2^64 - 1");
  }
  bool binary(Json::binary_t&) { return scalar("binary"); }
  bool number_unsigned(Json::number_unsigned_t value) {
    if (place_ != Place::shape && place_ != Place::offsets) return scalar("a number");
    if (place_ == Place::shape)
      header.entries.back().shape.push_back(value);
    else if (offsets_ == 2)
      return stop("data_offsets has more than 2 numbers");
    else
      (offsets_++ == 0 ? header.entries.back().begin : header.entries.back().end) = value;
    return true;
  }
  bool string(std::string& value) {
    if (place_ == Place::metadata) return (header.metadata[key_] = std::move(value), true);
    if (place_ != Place::dtype) return scalar("a string");
    header.entries.back().dtype = std::move(value);
    return leave();
  }
  bool key(std::string& value) {
    if (place_ == Place::skip) return true;
    key_ = std::move(value);
    if (place_ == Place::top) {
      if (!names_.insert(key_).second) return stop(message("the key \"", key_, "\" appears twice"));
      place_ = key_ == "__metadata__" ? Place::metadata_start : Place::entry_start;
    } else if (place_ == Place::metadata) {
      if (header.metadata.contains(key_)) return stop(message("__metadata__ has the key \"", key_, "\" twice"));
    } else {
      const std::size_t field = key_ == "dtype" ? 0 : key_ == "shape" ? 1 : key_ == "data_offsets" ? 2 : 3;
      if (field < 3 && std::exchange(seen_[field], true)) return stop(message("\"", key_, "\" appears twice"));
      constexpr std::array places{Place::dtype, Place::shape_start, Place::offsets_start, Place::skip};
      place_ = places[field];
    }
    return true;
  }
  bool start_object(std::size_t) {
    if (place_ == Place::skip) return (++depth_, true);
    if (place_ == Place::start) return enter(Place::top);
    if (place_ == Place::metadata_start) return enter(Place::metadata);
    if (place_ != Place::entry_start) return scalar("an object");
    header.entries.emplace_back().name = key_;
    seen_ = {};
    return enter(Place::entry);
  }
  bool end_object() {
    if (place_ == Place::skip) return (--depth_, leave_skipped());
    if (place_ == Place::entry && !(seen_[0] && seen_[1] && seen_[2]))
      return stop(message("\"", !seen_[0] ? "dtype" : !seen_[1] ? "shape" : "data_offsets", "\" is missing"));
    return enter(Place::top);
  }
  bool start_array(std::size_t) {
    if (place_ == Place::skip) return (++depth_, true);
    if (place_ == Place::shape_start) return enter(Place::shape);
    if (place_ != Place::offsets_start) return scalar("an array");
    offsets_ = 0;
    return enter(Place::offsets);
  }
  bool end_array() {
    if (place_ == Place::skip) return (--depth_, leave_skipped());
    if (place_ == Place::offsets && offsets_ != 2)
      return stop(message("data_offsets has ", offsets_, " numbers instead of 2"));
    return enter(Place::entry);
  }
  bool parse_error(std::size_t position, const std::string&, const Json::exception& what) {
    // The parser quotes the token that it could not read, which may be as long as the header.
    error =
        message("the header is not valid JSON at its byte ", position, ": ", std::string{what.what()}.substr(0, 200));
    return false;
  }

 private:
  // Where the walk stands; *_start: the key has been read and its value comes next.
  enum class Place {
    start,
    top,
    entry_start,
    entry,
    dtype,
    shape_start,
    shape,
    offsets_start,
    offsets,
    metadata_start,
    metadata,
    skip
  };

  bool enter(Place place) { return (place_ = place, true); }
  bool leave() { return enter(place_ == Place::metadata_start ? Place::top : Place::entry); }
  bool leave_skipped() { return depth_ > 0 || enter(Place::entry); }
  bool stop(const std::string& what) {
    const bool inside = place_ != Place::top && place_ != Place::metadata && !header.entries.empty();
    error = inside ? message("tensor \"", header.entries.back().name, "\": ", what) : what;
    return false;
  }
  bool scalar(const char* what) {
    if (place_ == Place::skip) return leave_skipped();
    if (place_ == Place::metadata || place_ == Place::metadata_start)
      error = message("__metadata__ maps strings to strings, but \"", key_, "\" is ", what);
    else if (place_ == Place::entry_start)
      error = message("tensor \"", key_, "\" is ", what, " instead of an object with dtype, shape and data_offsets");
    else
      return stop(message("\"", key_, "\" holds ", what,
                          place_ == Place::dtype ? " instead of a string" : " instead of integers from 0 to 2^64 - 1"));
    return false;
  }

  Place place_ = Place::start;
  std::string key_;
  std::set<std::string> names_;
  std::array<bool, 3> seen_{};  // dtype, shape, data_offsets
  std::size_t offsets_ = 0;
  std::size_t depth_ = 0;
};

}  // namespace detail

}  // namespace hourglass
