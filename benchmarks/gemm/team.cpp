#include "team.hpp"

#include <algorithm>
#include <filesystem>
#include <map>
#include <sstream>
#include <stdexcept>
#include <utility>

namespace benchmark {
namespace {

constexpr const char* probe = "square 1024";  // so large that every library takes all its threads

// "a\tb\tc" in pieces.
std::vector<std::string> split(const std::string& line) {
  std::vector<std::string> pieces(1);
  for (const char each : line)
    if (each == '\t')
      pieces.emplace_back();
    else
      pieces.back() += each;
  return pieces;
}

std::string rounded(double value) {
  std::ostringstream text;
  text.precision(2);
  text << std::fixed << value;
  return text.str();
}

// File and folder: reports are committed, and what lies above is nobody else's business.
std::string short_name(const std::filesystem::path& file) {
  return (file.parent_path().filename() / file.filename()).string();
}

Member start(const Contender& contender, int threads, const std::string& isa) {
  std::map<std::string, std::string> environment = contender.environment;
  // OpenBLAS starts its threads when it is loaded; those beyond the number set later would spin for a while.
  environment["OPENBLAS_NUM_THREADS"] = std::to_string(threads);
  Member member;
  member.process = std::make_unique<Process>(
      std::vector<std::string>{worker_flag, contender.kind, contender.file, std::to_string(threads), isa}, environment,
      contender.kind != ours().kind);
  std::vector<std::string> greeting = split(member.process->greeting());
  greeting.resize(4);
  member.name = greeting[2];
  member.detail = greeting[3];
  if (greeting[1] != std::to_string(threads))
    throw std::runtime_error(member.name + ": uses " + greeting[1] + " threads, not " + std::to_string(threads));
  return member;
}

// A library that uses more threads than it says is not measured; one that uses fewer is: waiting is its own affair.
void watch(Member& member, int threads) {
  (void)member.process->ask(std::string("prepare ") + probe);
  const Time one = time_products(*member.process, probe, 1);
  const Time many = time_products(*member.process, probe, std::clamp(static_cast<long>(4e7 / one.wall), 1L, 100L));
  (void)member.process->ask("forget");
  member.busy = many.processor / many.wall;
  if (member.busy > threads + 0.25)
    throw std::runtime_error(member.name + ": keeps " + rounded(member.busy) + " processors busy, not " +
                             std::to_string(threads));
}

}  // namespace

Team start_team(const std::vector<Contender>& peers, int threads, const std::string& isa) {
  Team team;
  team.threads = threads;
  team.members.push_back(start(ours(), threads, isa));
  watch(team.members.front(), threads);
  for (const Contender& peer : peers) {
    try {
      Member member = start(peer, threads, isa);
      const bool known = std::any_of(team.members.begin(), team.members.end(),
                                     [&](const Member& other) { return other.name == member.name; });
      if (known) continue;
      watch(member, threads);
      team.members.push_back(std::move(member));
    } catch (const std::exception& error) {
      if (peer.expected) team.comments.push_back(peer.kind + " (" + short_name(peer.file) + "): " + error.what());
    }
  }
  return team;
}

Time time_products(Process& process, const std::string& name, long repeats) {
  std::istringstream answer(process.ask("time " + std::to_string(repeats) + " " + name));
  Time time;
  answer >> time.wall >> time.processor;
  return time;
}

}  // namespace benchmark
