// Numbers and texts as reports write them.
#pragma once

#include <string>
#include <string_view>

namespace benchmark {

/// With that many digits after the point.
[[nodiscard]] std::string fixed(double value, int digits);

/// A share such as "87 %", or a dash where the whole is unknown.
[[nodiscard]] std::string percent(double part, double whole, int digits = 0);

/// "1 thread" or "2 threads".
[[nodiscard]] std::string thread_count(int threads);

/// A text for JSON.
[[nodiscard]] std::string quoted(std::string_view text);

/// A number for JSON, with digits enough to read the same one back; null for infinity and NaN, which JSON lacks.
[[nodiscard]] std::string number(double value);

}  // namespace benchmark
