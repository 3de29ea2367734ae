#include "text.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <iomanip>
#include <sstream>

namespace benchmark {

std::string fixed(double value, int digits) {
  std::ostringstream text;
  text << std::fixed << std::setprecision(digits) << value;
  return text.str();
}

std::string percent(double part, double whole, int digits) {
  return whole > 0 ? fixed(100 * part / whole, digits) + " %" : "-";
}

std::string thread_count(int threads) { return std::to_string(threads) + (threads == 1 ? " thread" : " threads"); }

std::string quoted(std::string_view text) {
  std::string result = "\"";
  for (const char each : text) {
    if (each == '"' || each == '\\') result += '\\';
    result += static_cast<unsigned char>(each) < 0x20 ? ' ' : each;
  }
  return result + "\"";
}

std::string number(double value) {
  if (!std::isfinite(value)) return "null";
  std::array<char, 32> text{};
  return {text.data(), std::to_chars(text.data(), text.data() + text.size(), value).ptr};
}

}  // namespace benchmark
