// A shared library loaded at run time.
#pragma once

#include <dlfcn.h>

#include <stdexcept>
#include <string>

namespace benchmark {

/// Stays loaded until the process ends: libraries with threads of their own do not survive being unloaded.
class SharedObject {
 public:
  /// Throws std::runtime_error where the file, or a library it needs, cannot be loaded.
  explicit SharedObject(const std::string& file) : file_{file}, handle_{dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL)} {
    if (!handle_) throw std::runtime_error(dlerror());
  }

  /// Function of that name in the library or in those it needs, or null.
  template <class Function>
  [[nodiscard]] Function* find(const std::string& name) const {
    return reinterpret_cast<Function*>(dlsym(handle_, name.c_str()));
  }

  /// The same, but throws std::runtime_error where there is none.
  template <class Function>
  [[nodiscard]] Function* get(const std::string& name) const {
    Function* function = find<Function>(name);
    if (!function) throw std::runtime_error(file_ + " has no " + name);
    return function;
  }

 private:
  std::string file_;
  void* handle_;
};

}  // namespace benchmark
