#include "cases.hpp"

#include <regex>
#include <stdexcept>

namespace benchmark {
namespace {

bool matches(const std::string& name, const std::string& filter) {
  if (name.find(filter) != std::string::npos) return true;
  try {
    return std::regex_search(name, std::regex(filter));
  } catch (const std::regex_error&) {
    return false;
  }
}

double weights(const std::vector<Layer>& layers) {
  double sum = 0;
  for (const Layer& layer : layers) sum += static_cast<double>(layer.in * layer.out);
  return sum;
}

}  // namespace

const std::vector<Network>& networks() {
  static const std::vector<Network> all{
      {"ae-784-256-64", {{784, 256}, {256, 64}}, {{64, 256}, {256, 784}}},
      {"vae-784-512-256-20", {{784, 512}, {512, 256}, {256, 40}}, {{20, 256}, {256, 512}, {512, 784}}},
      {"ae-784-1000-500-250-30",
       {{784, 1000}, {1000, 500}, {500, 250}, {250, 30}},
       {{30, 250}, {250, 500}, {500, 1000}, {1000, 784}}}};
  return all;
}

double training_operations(const Network& network) {
  const double all = 2 * (weights(network.encoder) + weights(network.decoder));
  return 3 * all - 2 * weights({network.encoder.front()});
}

double operations(const std::vector<Layer>& layers) { return 2 * weights(layers); }

double parameter_bytes(const std::vector<Layer>& layers) {
  double count = weights(layers);
  for (const Layer& layer : layers) count += static_cast<double>(layer.out);
  return count * sizeof(float);
}

std::vector<Case> all_cases() {
  std::vector<Case> cases;
  for (const Network& network : networks())
    for (const Index batch : {Index{32}, Index{128}, Index{1024}}) {
      const bool quick = batch == 128 || &network == &networks().front();
      cases.push_back(
          {network.name + " batch " + std::to_string(batch), network, batch, quick ? Effort::quick : Effort::usual});
    }
  return cases;
}

std::vector<Case> select_cases(Effort effort, const std::string& filter) {
  std::vector<Case> chosen;
  std::vector<Case> beyond;
  for (const Case& each : all_cases())
    if (matches(each.name, filter)) (each.effort <= effort ? chosen : beyond).push_back(each);
  if (chosen.empty() && !filter.empty()) chosen = beyond;
  if (chosen.empty()) throw std::runtime_error("no case matches '" + filter + "'; --list names them");
  return chosen;
}

}  // namespace benchmark
