// What the command lines of the benchmarks share.
#pragma once

#include <functional>
#include <iosfwd>
#include <string>
#include <vector>

namespace benchmark {

/// The numbers of threads of --threads in order, twice the same meaning once; one and one per processor where there is
/// no `wish`. Throws std::runtime_error for more threads than processors.
[[nodiscard]] std::vector<int> thread_counts(std::vector<int> wish);

/// A file that cannot be written should not be found out after an hour: throws std::runtime_error. Empty: no file.
void check_writable(const std::string& file);

/// Throws std::runtime_error where the file cannot be written. Empty: no file.
void write_file(const std::string& file, const std::function<void(std::ostream&)>& writer);

}  // namespace benchmark
