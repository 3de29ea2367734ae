// The process of one contender, which multiplies when it is told to.
#pragma once

#include <optional>

namespace benchmark {

/// Serves a contender until the other end closes the channel, where the command line says that this process is a worker
/// (see worker_arguments); nothing otherwise. Returns the exit status.
///
/// Requests and answers are lines: "prepare CASE" gets the error of the result over its bound, "time REPEATS CASE" the
/// wall-clock and processor seconds of that many products, "forget" frees the matrices. Failures get "error TEXT".
[[nodiscard]] std::optional<int> serve_as_worker(int argc, char** argv);

}  // namespace benchmark
