// Cases: which products are measured.
#pragma once

#include <string>
#include <vector>

#include "product.hpp"

namespace benchmark {

/// How much is measured: each includes the ones before.
enum class Effort { quick, usual, all };

struct Case {
  std::string name;  // "fwd 128x784x256": batch x in x out
  Product product;   // without memory
  Effort effort = Effort::all;
  std::string plain;          // name of the case without the activation; empty where there is none
  bool memory_bound = false;  // a small batch: bytes per second say more
};

/// Every case, in the order of the report.
[[nodiscard]] std::vector<Case> all_cases();

/// Those of `effort` whose name holds `filter`, or matches it as a regular expression; with a filter, cases beyond
/// `effort` are taken too where none within it matches. Throws std::runtime_error where nothing does.
[[nodiscard]] std::vector<Case> select_cases(Effort effort, const std::string& filter);

/// Floating-point operations of the product.
[[nodiscard]] double operations(const Product& product);

/// Bytes of A, B and C, each moved once.
[[nodiscard]] double operand_bytes(const Product& product);

}  // namespace benchmark
