#include "hourglass/io/atomic_file.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <span>
#include <string>
#include <string_view>

#include "io/files.hpp"

#if defined(__unix__) || defined(__APPLE__)
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <system_error>
#include <thread>
#endif

namespace fs = std::filesystem;
namespace hg = hourglass;
using hourglass_test::error_of;
using hourglass_test::fresh_folder;
using hourglass_test::read_text;

namespace {

std::span<const std::byte> bytes(std::string_view text) { return std::as_bytes(std::span{text}); }

std::size_t files_in(const fs::path& folder) {
  return static_cast<std::size_t>(std::distance(fs::directory_iterator{folder}, fs::directory_iterator{}));
}

}  // namespace

TEST_CASE("the file appears whole, and only on commit") {
  const fs::path folder = fresh_folder("atomic");
  const fs::path path = folder / "a.bin";
  hg::write_file(path, bytes("old"));
  {
    hg::AtomicFile file{path};
    file.write(bytes("ne"));
    file.write(bytes(""));
    file.write(bytes("w"));
    CHECK(read_text(path) == "old");
    CHECK(files_in(folder) == 2);
    file.commit();
    CHECK(read_text(path) == "new");
  }
  CHECK(files_in(folder) == 1);
  {
    hg::AtomicFile abandoned{path};
    abandoned.write(bytes("lost"));
  }
  CHECK(read_text(path) == "new");
  CHECK(files_in(folder) == 1);
}

TEST_CASE("two writers of one folder do not disturb each other") {
  const fs::path folder = fresh_folder("two_writers");
  hg::AtomicFile first{folder / "first"};
  hg::AtomicFile second{folder / "second"};
  first.write(bytes("1"));
  second.write(bytes("2"));
  first.commit();
  second.commit();
  CHECK(read_text(folder / "first") == "1");
  CHECK(read_text(folder / "second") == "2");
}

TEST_CASE("leftovers of killed writers do not block the next one") {
  const fs::path folder = fresh_folder("leftovers");
  std::ofstream{folder / ".hourglass-0.tmp"} << "half";
  hg::write_file(folder / "a", bytes("whole"));
  CHECK(read_text(folder / "a") == "whole");
  CHECK(read_text(folder / ".hourglass-0.tmp") == "half");
}

TEST_CASE("a relative path without a folder works") {
  const fs::path before = fs::current_path();
  fs::current_path(fresh_folder("relative"));
  hg::write_file("bare.bin", bytes("x"));
  CHECK(read_text("bare.bin") == "x");
  fs::current_path(before);
}

TEST_CASE("names as long as the file system allows work") {
  const fs::path path = fresh_folder("long_name") / std::string(255, 'n');
  hg::write_file(path, bytes("x"));
  CHECK(read_text(path) == "x");
}

TEST_CASE("a missing folder, a folder and a device are refused, with the path and the remedy") {
  const fs::path folder = fresh_folder("refused");
  CHECK(error_of([&] { hg::AtomicFile{folder / "absent" / "a.bin"}; }) ==
        (folder / "absent" / "a.bin").string() + ": the folder \"" + (folder / "absent").string() +
            "\" does not exist; create it first, or check the path");
  CHECK(error_of([&] { hg::AtomicFile{folder}; }) == folder.string() + ": is a folder; give the name of a file");
  std::ofstream{folder / "file"} << "x";
  CHECK(error_of([&] { hg::AtomicFile{folder / "file" / "a.bin"}; }).starts_with((folder / "file").string()));
  CHECK(read_text(folder / "file") == "x");
}

#if defined(__unix__) || defined(__APPLE__)

TEST_CASE("devices and pipes are never replaced") {
  CHECK(error_of([] { hg::AtomicFile{"/dev/null"}; }) == "/dev/null: is not a regular file; give another name");
}

TEST_CASE("permissions and symbolic links survive") {
  const fs::path folder = fresh_folder("links");
  hg::write_file(folder / "real", bytes("old"));
  fs::permissions(folder / "real", fs::perms{0640});
  fs::create_symlink("real", folder / "link");
  hg::write_file(folder / "link", bytes("new"));
  CHECK(fs::is_symlink(folder / "link"));
  CHECK(read_text(folder / "real") == "new");
  CHECK(fs::status(folder / "real").permissions() == fs::perms{0640});

  const mode_t mask = ::umask(027);
  hg::write_file(folder / "fresh", bytes("x"));
  ::umask(mask);
  CHECK(fs::status(folder / "fresh").permissions() == fs::perms{0640});

  fs::create_symlink("absent", folder / "dangling");
  CHECK(error_of([&] { hg::AtomicFile{folder / "dangling"}; }) ==
        (folder / "dangling").string() + ": a symbolic link to nothing; remove it");
}

TEST_CASE("a folder without write permission is refused and keeps its files") {
  const fs::path folder = fresh_folder("read_only");
  hg::write_file(folder / "a", bytes("old"));
  fs::permissions(folder, fs::perms{0555});
  const bool root = ::geteuid() == 0;  // root may write everywhere, so it steps down for a moment
  if (root) REQUIRE(::seteuid(65534) == 0);
  const std::string error = error_of([&] { hg::write_file(folder / "a", bytes("new")); });
  if (root) REQUIRE(::seteuid(0) == 0);
  fs::permissions(folder, fs::perms{0755});
  CHECK(error.starts_with((folder / "a").string() + ": "));
  CHECK(error.find(std::generic_category().message(EACCES)) != std::string::npos);
  CHECK(read_text(folder / "a") == "old");
  CHECK(files_in(folder) == 1);
}

TEST_CASE("a disk that fills up leaves the old file and no temporary") {
  const fs::path folder = fresh_folder("full");
  hg::write_file(folder / "a", bytes("old"));
  // A limit on the size of files fails like a full disk, in the middle of a write, and does so for root too.
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_FSIZE, &before) == 0);
  auto* const handler = std::signal(SIGXFSZ, SIG_IGN);
  const std::string reason = std::generic_category().message(EFBIG);
  for (const std::size_t size : {std::size_t{5'000}, std::size_t{1'000'000}}) {
    rlimit small = before;
    small.rlim_cur = 4096;
    REQUIRE(::setrlimit(RLIMIT_FSIZE, &small) == 0);
    const std::string error = error_of([&] { hg::write_file(folder / "a", bytes(std::string(size, 'n'))); });
    REQUIRE(::setrlimit(RLIMIT_FSIZE, &before) == 0);
    CHECK(error == (folder / "a").string() + ": cannot write: " + reason + " (" + std::to_string(EFBIG) +
                       "); an older file of that name is unchanged");
    CHECK(read_text(folder / "a") == "old");
    CHECK(files_in(folder) == 1);
  }
  std::signal(SIGXFSZ, handler);
}

TEST_CASE("a writer killed at any moment leaves the old or the new file, 100 of 100 times") {
  const fs::path path = fresh_folder("killed") / "a";
  hg::write_file(path, bytes(std::string(300'000, 'a')));
  int replaced = 0;
  for (int trial = 0; trial < 100; ++trial) {
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
      try {
        for (char letter = 'b';; letter = letter == 'z' ? 'b' : static_cast<char>(letter + 1))
          hg::write_file(path, bytes(std::string(300'000, letter)));
      } catch (...) {
        ::_exit(1);
      }
    }
    std::this_thread::sleep_for(std::chrono::microseconds(500 + 137 * (trial % 50)));
    REQUIRE(::kill(child, SIGKILL) == 0);
    REQUIRE(::waitpid(child, nullptr, 0) == child);
    const std::string text = read_text(path);
    REQUIRE(text.size() == 300'000);
    REQUIRE(text.find_first_not_of(text[0]) == std::string::npos);
    replaced += text[0] != 'a';
  }
  CHECK(replaced > 0);
}

#endif
