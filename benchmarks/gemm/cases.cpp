#include "cases.hpp"

#include <algorithm>
#include <array>
#include <regex>
#include <stdexcept>
#include <utility>

namespace benchmark {
namespace {

constexpr std::array<Index, 8> batches{1, 8, 32, 96, 128, 256, 512, 1024};
// Widths (in, out); the first four are an autoencoder for MNIST.
constexpr std::array<std::pair<Index, Index>, 8> layers{
    {{784, 256}, {256, 64}, {64, 256}, {256, 784}, {784, 512}, {512, 256}, {784, 1000}, {1000, 500}}};
constexpr std::array<Index, 7> squares{64, 128, 256, 512, 1024, 2048, 4096};

// `leading`: the leading dimension of all three, or 0 for dense matrices.
Product product(Index m, Index n, Index k, bool a_transposed, bool b_transposed, Index leading = 0) {
  Product p;
  p.m = m;
  p.n = n;
  p.k = k;
  p.a_transposed = a_transposed;
  p.b_transposed = b_transposed;
  p.lda = leading ? leading : (a_transposed ? m : k);
  p.ldb = leading ? leading : (b_transposed ? k : n);
  p.ldc = leading ? leading : n;
  return p;
}

std::string by(Index first, Index second, Index third) {
  return std::to_string(first) + "x" + std::to_string(second) + "x" + std::to_string(third);
}

// The three products of nn/linear.hpp, whose weight lies in memory as the row-major (in, out).
void add_layer(std::vector<Case>& cases, Index batch, Index in, Index out, Effort effort) {
  const std::string size = by(batch, in, out);
  const bool small = batch <= 32;
  cases.push_back({"fwd " + size, product(batch, out, in, false, false), effort, "", small});
  cases.push_back({"dX " + size, product(batch, in, out, false, true), effort, "", small});
  cases.push_back({"dW " + size, product(in, out, batch, true, false), effort, "", small});
}

void add_activations(std::vector<Case>& cases, Index batch, Index in, Index out, Effort effort) {
  const std::string plain = "fwd " + by(batch, in, out);
  for (const Activation activation : {Activation::relu, Activation::sigmoid}) {
    Product p = product(batch, out, in, false, false);
    p.activation = activation;
    cases.push_back({plain + (activation == Activation::relu ? " + relu" : " + sigmoid"), p, effort, plain, false});
  }
}

bool matches(const std::string& name, const std::string& text, const std::regex* pattern) {
  return name.find(text) != std::string::npos || (pattern && std::regex_search(name, *pattern));
}

}  // namespace

std::vector<Case> all_cases() {
  std::vector<Case> cases;
  for (const Index batch : batches)
    for (std::size_t i = 0; i < layers.size(); ++i) {
      const bool usual = i < 4 && (batch <= 32 || batch == 128);
      const Effort effort = !usual ? Effort::all : (batch == 128 ? Effort::quick : Effort::usual);
      add_layer(cases, batch, layers[i].first, layers[i].second, effort);
    }
  for (std::size_t i = 0; i < 4; ++i)
    add_activations(cases, 128, layers[i].first, layers[i].second, i == 0 ? Effort::quick : Effort::usual);
  for (const bool a_transposed : {false, true})
    for (const bool b_transposed : {false, true})
      cases.push_back({std::string(a_transposed ? "T" : "N") + (b_transposed ? "T" : "N") + " " + by(127, 783, 255),
                       product(127, 255, 783, a_transposed, b_transposed), Effort::usual, "", false});
  cases.push_back({"fwd " + by(128, 784, 256) + " leading 1024", product(128, 256, 784, false, false, 1024),
                   Effort::usual, "", false});
  for (const Index n : squares)
    cases.push_back({"square " + std::to_string(n), product(n, n, n, false, false),
                     n == 4096 ? Effort::all : (n == 256 || n == 1024 ? Effort::quick : Effort::usual), "", false});
  return cases;
}

std::vector<Case> select_cases(Effort effort, const std::string& filter) {
  std::vector<Case> within;
  std::vector<Case> beyond;
  std::regex pattern;
  bool is_pattern = true;
  try {
    pattern = filter;
  } catch (const std::regex_error&) {
    is_pattern = false;  // a plain text such as "+ relu ("
  }
  for (Case& each : all_cases())
    if (matches(each.name, filter, is_pattern ? &pattern : nullptr))
      (each.effort <= effort ? within : beyond).push_back(std::move(each));
  if (within.empty()) within = std::move(beyond);
  if (within.empty()) throw std::runtime_error("--filter: no case matches '" + filter + "'; --list --all names them");
  return within;
}

double operations(const Product& p) {
  return 2.0 * static_cast<double>(p.m) * static_cast<double>(p.n) * static_cast<double>(p.k);
}

double operand_bytes(const Product& p) {
  return 4.0 *
         (static_cast<double>(p.m) * static_cast<double>(p.k) + static_cast<double>(p.k) * static_cast<double>(p.n) +
          static_cast<double>(p.m) * static_cast<double>(p.n));
}

}  // namespace benchmark
