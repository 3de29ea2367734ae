#include "command_line.hpp"

#include <algorithm>
#include <fstream>
#include <stdexcept>
#include <thread>

namespace benchmark {

std::vector<int> thread_counts(std::vector<int> wish) {
  const int all = std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
  if (wish.empty()) wish = {1, all};
  for (const int threads : wish)
    if (threads < 1 || threads > all)
      throw std::runtime_error("--threads: " + std::to_string(threads) + " is not in 1 to " + std::to_string(all) +
                               ", the processors of this machine");
  std::sort(wish.begin(), wish.end());
  wish.erase(std::unique(wish.begin(), wish.end()), wish.end());
  return wish;
}

void check_writable(const std::string& file) {
  if (!file.empty() && !std::ofstream(file, std::ios::app))
    throw std::runtime_error(file + ": cannot be written; does its folder exist?");
}

void write_file(const std::string& file, const std::function<void(std::ostream&)>& writer) {
  if (file.empty()) return;
  std::ofstream out(file);
  writer(out);
  if (!out.flush()) throw std::runtime_error(file + ": cannot be written; check the folder and free space");
}

}  // namespace benchmark
