// The process of one network, which trains when it is told to.
#pragma once

#include <optional>

namespace benchmark {

/// Serves a network until the other end closes the channel, where the command line is
///     worker_flag DESCRIPTOR NETWORK BATCH THREADS SEED
/// and DESCRIPTOR a socket; nothing otherwise. Returns the exit status.
///
/// The first line is "ready THREADS ISA ROWS NAME", tabs between: images for training, and what they are. Then requests
/// and answers are lines; times are in seconds:
///     fit IMAGES                  seconds and loss of an epoch by hg::fit
///     loop IMAGES                 wall, data, forward, loss, backward, optimiser
///     products REPEATS            forward, dW, dX
///     infer PART BATCH REPEATS    seconds; PART is encode or reconstruct
///     evaluate                    test loss
///     peak                        GFLOP/s of multiply-adds in registers with as many threads; 0 where unknown
///     memory                      bytes: the most that the process had at once since the images were read
///     write FOLDER                the images as FOLDER/train.bin and FOLDER/test.bin: answers "written"
/// Failures get "error TEXT".
[[nodiscard]] std::optional<int> serve_as_worker(int argc, char** argv);

}  // namespace benchmark
