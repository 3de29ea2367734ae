#include "limits.hpp"

#include <algorithm>
#include <ostream>

#include "text.hpp"

namespace benchmark {

double Limits::peak(const std::string& isa) const {
  double largest = 0;
  for (const auto* peaks : {&before, &after})
    if (const auto found = peaks->find(isa); found != peaks->end()) largest = std::max(largest, found->second);
  return largest;
}

void print_limits(std::ostream& out, int threads, const Limits& limits) {
  out << thread_count(threads);
  const char* separator = ": ";
  for (const auto& [isa, before] : limits.before) {
    out << separator << isa << " peak " << fixed(before, 1);
    if (const auto after = limits.after.find(isa); after != limits.after.end())
      out << " before, " << fixed(after->second, 1) << " after";
    out << " GFLOP/s";
    separator = "; ";
  }
  if (limits.bandwidth.memory > 0)
    out << separator << "reads " << fixed(limits.bandwidth.memory, 1) << " GB/s from memory, "
        << fixed(limits.bandwidth.l2, 1) << " GB/s from L2";
  out << "\n";
}

void print_others(std::ostream& out, double others) {
  out << "Meanwhile other programs kept " << fixed(others, 2) << " processors busy"
      << (others > 0.1 ? ": measure again when the machine is idle, these figures are unfair to somebody.\n" : ".\n");
}

}  // namespace benchmark
