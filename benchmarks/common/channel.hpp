// Lines between the benchmark and the processes of its contenders.
#pragma once

#include <sys/socket.h>

#include <cerrno>
#include <exception>
#include <string>

namespace benchmark {

/// First argument of a worker; what it is to do follows.
inline constexpr const char* worker_flag = "--worker";
/// File descriptor of a worker's end: standard output stays free for what libraries print.
inline constexpr int worker_descriptor = 3;

/// One end of a socket; does not own it.
class Channel {
 public:
  explicit Channel(int descriptor) : descriptor_{descriptor} {}

  /// False where the other end is gone. No line break may be in the line.
  bool send(std::string line) {
    line += '\n';
    for (std::size_t sent = 0; sent < line.size();) {
      const auto count = ::send(descriptor_, line.data() + sent, line.size() - sent, MSG_NOSIGNAL);
      if (count < 0 && errno == EINTR) continue;
      if (count <= 0) return false;
      sent += static_cast<std::size_t>(count);
    }
    return true;
  }

  /// Waits for a line. False where the other end is gone, or silent for as long as the socket's time limit.
  bool receive(std::string& line) {
    for (;;) {
      if (const auto end = pending_.find('\n'); end != std::string::npos) {
        line = pending_.substr(0, end);
        pending_.erase(0, end + 1);
        return true;
      }
      char bytes[4096];
      const auto count = recv(descriptor_, bytes, sizeof bytes, 0);
      if (count < 0 && errno == EINTR) continue;
      if (count <= 0) return false;
      pending_.append(bytes, static_cast<std::size_t>(count));
    }
  }

 private:
  int descriptor_;
  std::string pending_;
};

/// What a worker does: `start()` gives a server, whose greeting() goes first and whose answer(request) to each request,
/// until the other end is gone. Errors go back as answers. The exit status.
template <class Start>
int serve(Channel& channel, const Start& start) {
  const auto complain = [&](const std::exception& error) { channel.send(std::string("error ") + error.what()); };
  try {
    auto server = start();
    channel.send(server.greeting());
    for (std::string request; channel.receive(request);) {
      try {
        channel.send(server.answer(request));
      } catch (const std::exception& error) {
        complain(error);
      }
    }
    return 0;
  } catch (const std::exception& error) {
    complain(error);
    return 1;
  }
}

}  // namespace benchmark
