// Golden files: results of PyTorch, written by tests/golden/make_golden.py, and how close to them is close enough.
#pragma once

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <iterator>
#include <map>
#include <nlohmann/json.hpp>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "hourglass/core/extent.hpp"
#include "hourglass/core/matrix.hpp"

/// The tensors of tests/golden/<subject>.safetensors. A reader for trusted files: io/safetensors.hpp has its own tests.
class Golden {
 public:
  explicit Golden(const std::string& subject)
      : path_(std::string(HOURGLASS_SOURCE_DIR) + "/tests/golden/" + subject + ".safetensors") {
    std::ifstream file(path_, std::ios::binary);
    if (!file) throw std::runtime_error(path_ + ": missing; run tests/golden/make_golden.py");
    const std::string bytes{std::istreambuf_iterator<char>(file), {}};
    std::uint64_t header_size = 0;
    std::memcpy(&header_size, bytes.data(), sizeof header_size);
    const auto header = nlohmann::json::parse(bytes.substr(8, header_size));
    const char* const data = bytes.data() + 8 + header_size;
    for (const auto& [name, entry] : header.items()) {
      const auto begin = entry["data_offsets"][0].get<std::size_t>();
      const std::size_t size = entry["data_offsets"][1].get<std::size_t>() - begin;
      Tensor tensor{entry["shape"].get<std::vector<hourglass::Index>>(), {}};
      const auto dtype = entry["dtype"].get<std::string>();
      if (dtype == "F32")
        read<float>(data + begin, size, tensor.values);
      else if (dtype == "F64")
        read<double>(data + begin, size, tensor.values);
      else
        read<std::int64_t>(data + begin, size, tensor.values);
      tensors_[name] = std::move(tensor);
    }
  }

  [[nodiscard]] bool contains(const std::string& name) const { return tensors_.count(name) != 0; }
  [[nodiscard]] const std::vector<hourglass::Index>& shape(const std::string& name) const { return find(name).shape; }
  /// Number of tensors whose names start with `prefix`.
  [[nodiscard]] std::ptrdiff_t count(const std::string& prefix) const {
    return std::count_if(tensors_.begin(), tensors_.end(),
                         [&](const auto& named) { return named.first.starts_with(prefix); });
  }
  /// Values in row-major order, whatever the rank.
  template <class Scalar>
  [[nodiscard]] std::vector<Scalar> values(const std::string& name) const {
    std::vector<Scalar> result;
    for (const double value : find(name).values) result.push_back(static_cast<Scalar>(value));
    return result;
  }
  template <class Scalar>
  [[nodiscard]] Scalar scalar(const std::string& name) const {
    return static_cast<Scalar>(find(name).values.at(0));
  }
  /// A tensor of rank 2; one of rank 1 becomes a single row.
  template <class Scalar>
  [[nodiscard]] hourglass::Matrix<Scalar> matrix(const std::string& name) const {
    const Tensor& tensor = find(name);
    if (tensor.shape.empty() || tensor.shape.size() > 2)
      throw std::runtime_error(path_ + ": " + name + " is no matrix");
    hourglass::Matrix<Scalar> result(tensor.shape.size() == 1 ? 1 : tensor.shape[0], tensor.shape.back());
    const std::vector<Scalar> from = values<Scalar>(name);
    std::copy(from.begin(), from.end(), result.data());
    return result;
  }

 private:
  struct Tensor {
    std::vector<hourglass::Index> shape;
    std::vector<double> values;
  };

  template <class Stored>
  static void read(const char* bytes, std::size_t size, std::vector<double>& values) {
    std::vector<Stored> stored(size / sizeof(Stored));
    std::memcpy(stored.data(), bytes, size);
    for (const Stored value : stored) values.push_back(static_cast<double>(value));
  }
  [[nodiscard]] const Tensor& find(const std::string& name) const {
    const auto found = tensors_.find(name);
    if (found == tensors_.end())
      throw std::runtime_error(path_ + ": no tensor " + name + "; run tests/golden/make_golden.py");
    return found->second;
  }

  std::string path_;
  std::map<std::string, Tensor> tensors_;
};

/// "f32" or "f64": the suffix of a golden case.
template <class Scalar>
inline const char* const golden_suffix = sizeof(Scalar) == 4 ? "f32" : "f64";

/// |actual - expected| <= absolute + relative * |expected|.
struct Tolerance {
  double relative;
  double absolute;
};

/// torch.testing's tolerance for float; 1e-7 for double.
template <class Scalar>
inline constexpr Tolerance golden_tolerance = sizeof(Scalar) == 4 ? Tolerance{1.3e-6, 1e-5} : Tolerance{1e-7, 1e-7};

/// "" when all values agree, else where and how the first one does not: CHECK(difference(a, b) == "").
template <class Scalar>
[[nodiscard]] std::string difference(std::span<const Scalar> actual, std::span<const Scalar> expected,
                                     Tolerance tolerance = golden_tolerance<Scalar>) {
  if (actual.size() != expected.size())
    return std::to_string(actual.size()) + " values instead of " + std::to_string(expected.size());
  for (std::size_t i = 0; i < actual.size(); ++i) {
    const auto a = static_cast<double>(actual[i]);
    const auto e = static_cast<double>(expected[i]);
    const bool same = a == e || (std::isnan(a) && std::isnan(e));
    if (!same && !(std::abs(a - e) <= tolerance.absolute + tolerance.relative * std::abs(e)))
      return "element " + std::to_string(i) + " is " + nlohmann::json(a).dump() + ", expected " +
             nlohmann::json(e).dump();
  }
  return "";
}
template <std::floating_point Scalar>
[[nodiscard]] std::string difference(Scalar actual, Scalar expected, Tolerance tolerance = golden_tolerance<Scalar>) {
  return difference(std::span<const Scalar>(&actual, 1), std::span<const Scalar>(&expected, 1), tolerance);
}
template <hourglass::DirectMatrix Actual, hourglass::DirectMatrix Expected>
[[nodiscard]] std::string difference(const Actual& actual, const Expected& expected,
                                     Tolerance tolerance = golden_tolerance<typename Actual::Scalar>) {
  using Scalar = typename Actual::Scalar;
  if (actual.rows() != expected.rows() || actual.cols() != expected.cols())
    return "shape " + hourglass::shape_string(actual.rows(), actual.cols()) + " instead of " +
           hourglass::shape_string(expected.rows(), expected.cols());
  const hourglass::Matrix<Scalar> a(actual);
  const hourglass::Matrix<Scalar> e(expected);
  return difference(std::span<const Scalar>(a.data(), static_cast<std::size_t>(a.size())),
                    std::span<const Scalar>(e.data(), static_cast<std::size_t>(e.size())), tolerance);
}
