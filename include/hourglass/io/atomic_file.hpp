// Atomic files: a reader finds the old file or the whole new one, never a part, whatever interrupts the writer.
#pragma once

#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <system_error>

#if defined(__unix__) || defined(__APPLE__)
#include <fcntl.h>
#include <unistd.h>
#endif

#include "hourglass/core/error.hpp"

namespace hourglass {

namespace detail {

struct CloseFile {
  void operator()(std::FILE* file) const noexcept { std::fclose(file); }
};
using FileHandle = std::unique_ptr<std::FILE, CloseFile>;

/// "model.safetensors: cannot write: No space left on device (28); <remedy>".
[[noreturn]] inline void throw_file_error(const std::filesystem::path& path, std::string_view action, int error,
                                          std::string_view remedy) {
  throw FormatError(
      message(path.string(), ": ", action, ": ", std::generic_category().message(error), " (", error, "); ", remedy));
}

/// Renames of a crashed machine survive only once the folder itself is on the disk. No-op outside of POSIX.
inline void sync_folder([[maybe_unused]] const std::filesystem::path& folder) {
#if defined(__unix__) || defined(__APPLE__)
  const int descriptor = ::open(folder.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return;  // a folder may be writable and yet not readable
  const int error = ::fsync(descriptor) == 0 ? 0 : errno;
  ::close(descriptor);
  // Some file systems cannot sync folders and say so.
  if (error != 0 && error != EINVAL && error != ENOTSUP && error != EROFS)
    throw_file_error(folder, "cannot sync the folder", error, "check the disk");
#endif
}

}  // namespace detail

/// Writes to a temporary file beside `path`, and gives it that name only in commit(); without it the destructor
/// removes the temporary and the old file stays. A killed process leaves at most a `.hourglass-<n>.tmp` behind. The
/// permissions of an existing file are kept, and a symbolic link still points to the file afterwards. Throws
/// FormatError with the path and the system's reason.
class AtomicFile {
 public:
  explicit AtomicFile(const std::filesystem::path& path) : path_{path}, target_{path} {
    namespace fs = std::filesystem;
    std::error_code ignored;
    if (fs::is_symlink(path, ignored)) {
      target_ = fs::canonical(path, ignored);
      if (ignored) throw FormatError(detail::message(path.string(), ": a symbolic link to nothing; remove it"));
    }
    const fs::path folder = target_.parent_path().empty() ? fs::path{"."} : target_.parent_path();
    if (fs::status(folder, ignored).type() == fs::file_type::not_found)
      throw FormatError(detail::message(path.string(), ": the folder \"", folder.string(),
                                        "\" does not exist; create it first, or check the path"));
    const fs::file_type type = fs::status(target_, ignored).type();
    if (type == fs::file_type::directory)
      throw FormatError(detail::message(path.string(), ": is a folder; give the name of a file"));
    // Renaming over /dev/null or a pipe would replace the device by a file.
    if (type != fs::file_type::regular && type != fs::file_type::not_found && type != fs::file_type::none)
      throw FormatError(detail::message(path.string(), ": is not a regular file; give another name"));
    create_temporary(folder);
  }
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;
  ~AtomicFile() {
    file_.reset();
    std::error_code ignored;
    if (!temporary_.empty()) std::filesystem::remove(temporary_, ignored);
  }

  /// Appends `bytes`.
  void write(std::span<const std::byte> bytes) {
    if (!bytes.empty() && std::fwrite(bytes.data(), 1, bytes.size(), file_.get()) != bytes.size()) fail("cannot write");
  }

  /// Brings everything to the disk, then gives the file its name. Nothing may be written afterwards.
  void commit() {
    namespace fs = std::filesystem;
    if (std::fflush(file_.get()) != 0) fail("cannot write");
#if defined(__unix__) || defined(__APPLE__)
    if (::fsync(::fileno(file_.get())) != 0) fail("cannot write");
#endif
    if (std::fclose(file_.release()) != 0) fail("cannot write");
    std::error_code error;
    const fs::file_status old = fs::status(target_, error);
    if (fs::is_regular_file(old)) fs::permissions(temporary_, old.permissions(), error);
    fs::rename(temporary_, target_, error);
    if (error) detail::throw_file_error(path_, "cannot replace the file", error.value(), untouched());
    temporary_.clear();
    detail::sync_folder(target_.parent_path().empty() ? fs::path{"."} : target_.parent_path());
  }

 private:
  static std::string_view untouched() { return "an older file of that name is unchanged"; }
  [[noreturn]] void fail(std::string_view action) const { detail::throw_file_error(path_, action, errno, untouched()); }

  // Mode "x" refuses a name that exists, so two writers never share one; the name is short, so that it fits wherever
  // the name of the target does.
  void create_temporary(const std::filesystem::path& folder) {
    for (int n = 0; n < 1000; ++n) {
      const std::filesystem::path candidate = folder / detail::message(".hourglass-", n, ".tmp");
      errno = 0;
      file_.reset(std::fopen(candidate.string().c_str(), "wbx"));
      if (file_) {
        temporary_ = candidate;
        return;
      }
      if (errno != EEXIST) detail::throw_file_error(path_, "cannot create a file in its folder", errno, untouched());
    }
    throw FormatError(detail::message(path_.string(),
                                      ": its folder holds 1000 files named .hourglass-<n>.tmp, left by "
                                      "interrupted writers; remove them"));
  }

  std::filesystem::path path_;    // what the caller said, for messages
  std::filesystem::path target_;  // the same without symbolic links
  std::filesystem::path temporary_;
  detail::FileHandle file_;
};

/// Writes all of `bytes` as the file `path`, atomically. Throws FormatError.
inline void write_file(const std::filesystem::path& path, std::span<const std::byte> bytes) {
  AtomicFile file{path};
  file.write(bytes);
  file.commit();
}

}  // namespace hourglass
