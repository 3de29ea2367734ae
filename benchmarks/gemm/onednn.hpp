// oneDNN as a contender: dnnl_sgemm, or the matmul primitive of version 3.
#pragma once

#include <string>

#include "library.hpp"

namespace benchmark {

/// Throws std::runtime_error where the library cannot be loaded, or has no matmul with the interface of version 3.
[[nodiscard]] Library load_onednn(const std::string& file, int threads, bool matmul);

}  // namespace benchmark
