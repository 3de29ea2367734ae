#include "process.hpp"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <cstring>
#include <stdexcept>

namespace benchmark {
namespace {

constexpr timeval patience{120, 0};

[[noreturn]] void become(const std::vector<std::string>& arguments,
                         const std::map<std::string, std::string>& environment, int descriptor, bool silent) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);  // or a stopped process would outlive a benchmark that was interrupted
  const int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
  dup2(nowhere, STDOUT_FILENO);
  if (silent) dup2(nowhere, STDERR_FILENO);
  if (descriptor == worker_descriptor)
    fcntl(descriptor, F_SETFD, 0);
  else
    dup2(descriptor, worker_descriptor);
  for (const auto& [name, value] : environment) setenv(name.c_str(), value.c_str(), 1);
  std::vector<char*> pointers;
  std::string program = "benchmark_worker";
  pointers.push_back(program.data());
  for (const std::string& argument : arguments) pointers.push_back(const_cast<char*>(argument.c_str()));
  pointers.push_back(nullptr);
  execv("/proc/self/exe", pointers.data());
  _exit(127);
}

}  // namespace

Process::Process(const std::vector<std::string>& arguments, const std::map<std::string, std::string>& environment,
                 bool silent) {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
    throw std::runtime_error(std::string("cannot make a socket: ") + std::strerror(errno));
  id_ = fork();
  if (id_ == 0) become(arguments, environment, ends[1], silent);
  close(ends[1]);
  descriptor_ = ends[0];
  channel_ = Channel(descriptor_);
  setsockopt(descriptor_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  if (id_ < 0) {
    close(descriptor_);
    throw std::runtime_error(std::string("cannot start a process: ") + std::strerror(errno));
  }
}

Process::~Process() {
  close(descriptor_);
  if (id_ > 0) {
    kill(id_, SIGKILL);
    waitpid(id_, nullptr, 0);
  }
}

std::string Process::greeting() { return receive(); }

std::string Process::ask(const std::string& request) {
  if (id_ > 0) kill(id_, SIGCONT);
  if (id_ <= 0 || !channel_.send(request)) fail();
  return receive();
}

std::string Process::receive() {
  std::string line;
  if (!channel_.receive(line)) fail();
  if (line.rfind("error ", 0) == 0) {
    stop();
    throw std::runtime_error(line.substr(6));
  }
  stop();
  return line;
}

void Process::stop() {
  kill(id_, SIGSTOP);
  int status = 0;
  waitpid(id_, &status, WUNTRACED);  // returns when every thread has stopped
  if (!WIFSTOPPED(status)) id_ = -1;
}

void Process::fail() {
  if (id_ <= 0) throw std::runtime_error("its process has ended");
  kill(id_, SIGKILL);
  int status = 0;
  // A process that had died already reports its own signal.
  const pid_t waited = waitpid(id_, &status, 0);
  id_ = -1;
  if (waited > 0 && WIFSIGNALED(status) && WTERMSIG(status) != SIGKILL)
    throw std::runtime_error(std::string("its process died: ") + strsignal(WTERMSIG(status)));
  if (waited > 0 && WIFEXITED(status))
    throw std::runtime_error("its process ended with status " + std::to_string(WEXITSTATUS(status)));
  throw std::runtime_error("its process did not answer for two minutes, or ran out of memory");
}

}  // namespace benchmark
