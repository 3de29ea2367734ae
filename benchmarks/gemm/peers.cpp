#include "peers.hpp"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <regex>

namespace benchmark {
namespace {

namespace fs = std::filesystem;

using Environment = std::map<std::string, std::string>;

struct Kind {
  std::string name;
  std::string pattern{};                   // of file names
  std::vector<std::string> known_names{};  // that the system's loader may find, newest first
  Environment always{};
  Environment avx2{};  // keeps the library from using more
};

const std::vector<Kind>& kinds() {
  static const std::vector<Kind> all{
      {.name = "openblas",
       .pattern = R"(libopenblas\.so\.\d+|libscipy_openblas\.so)",
       .known_names = {"libopenblas.so.0"},
       .avx2 = {{"OPENBLAS_CORETYPE", "Haswell"}}},
      {.name = "blis", .pattern = R"(libblis\.so\.\d+)", .known_names = {"libblis.so.5", "libblis.so.4"}},
      {.name = "onednn",
       .pattern = R"(libdnnl\.so\.\d+)",
       .known_names = {"libdnnl.so.3", "libdnnl.so.2"},
       .avx2 = {{"ONEDNN_MAX_CPU_ISA", "AVX2"}, {"DNNL_MAX_CPU_ISA", "AVX2"}}},
      {.name = "onednn-matmul",
       .pattern = R"(libdnnl\.so\.3)",
       .known_names = {"libdnnl.so.3"},
       .avx2 = {{"ONEDNN_MAX_CPU_ISA", "AVX2"}}},
      {.name = "mkl",
       .pattern = R"(libmkl_rt\.so\.\d+)",
       .known_names = {"libmkl_rt.so.3", "libmkl_rt.so.2", "libmkl_rt.so"},
       .always = {{"MKL_INTERFACE_LAYER", "LP64"}},
       .avx2 = {{"MKL_ENABLE_INSTRUCTIONS", "AVX2"}}},
      {.name = "eigen"}};
  return all;
}

std::vector<fs::path> folders() {
  std::vector<fs::path> found;
  if (const char* variable = std::getenv("HOURGLASS_PEERS"); variable && *variable) found.emplace_back(variable);
  found.emplace_back(HOURGLASS_PEERS_DIR);
  return found;
}

// Files of that kind in the folder and those below it. A library is often there under several names.
std::vector<fs::path> files(const fs::path& folder, const std::string& pattern) {
  std::vector<fs::path> found;
  std::error_code ignored;
  const std::regex name(pattern);
  for (fs::recursive_directory_iterator each(folder, ignored), end; each != end; each.increment(ignored))
    if (std::regex_match(each->path().filename().string(), name)) found.push_back(each->path());
  std::sort(found.begin(), found.end());
  return found;
}

Contender from_file(const Kind& kind, const fs::path& file) {
  Contender contender{kind.name, fs::absolute(file).string(), {}, true};
  // The libraries that it needs lie beside it.
  const std::string folder = fs::absolute(file).parent_path().string();
  const char* before = std::getenv("LD_LIBRARY_PATH");
  contender.environment["LD_LIBRARY_PATH"] = before && *before ? folder + ":" + before : folder;
  if (kind.name == "mkl" && !fs::exists(file.parent_path() / "libiomp5.so"))
    contender.environment["MKL_THREADING_LAYER"] = "GNU";
  return contender;
}

}  // namespace

const std::vector<std::string>& peer_kinds() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> all;
    for (const Kind& kind : kinds()) all.push_back(kind.name);
    return all;
  }();
  return names;
}

Contender ours() { return {"hourglass", HOURGLASS_MODULE, {}, true}; }

std::vector<Contender> find_peers(const std::vector<std::string>& wanted, const std::string& isa) {
  std::vector<Contender> found;
  for (const Kind& kind : kinds()) {
    if (std::find(wanted.begin(), wanted.end(), kind.name) == wanted.end()) continue;
    if (kind.name == "eigen") {
      const std::string file = isa == "avx2" ? HOURGLASS_EIGEN_AVX2_MODULE : HOURGLASS_EIGEN_MODULE;
      if (!file.empty()) found.push_back({kind.name, file, {}, true});
      continue;
    }
    const std::size_t before = found.size();
    for (const fs::path& folder : folders())
      for (const fs::path& file : files(folder, kind.pattern)) found.push_back(from_file(kind, file));
    for (const std::string& name : kind.known_names) found.push_back({kind.name, name, {}, false});
    for (std::size_t i = before; i < found.size(); ++i) {
      found[i].environment.insert(kind.always.begin(), kind.always.end());
      if (isa == "avx2") found[i].environment.insert(kind.avx2.begin(), kind.avx2.end());
    }
  }
  return found;
}

}  // namespace benchmark
