#include "library.hpp"

#include <cstdint>
#include <cstdlib>
#include <stdexcept>

#include "onednn.hpp"
#include "shared_object.hpp"

namespace benchmark {
namespace {

// From cblas.h, with the 32-bit integers of every build that distributions ship.
enum CblasOrder { row_major = 101 };
enum CblasTranspose { no_transpose = 111, transpose = 112 };
using CblasSgemm = void(CblasOrder, CblasTranspose, CblasTranspose, int m, int n, int k, float alpha, const float* a,
                        int lda, const float* b, int ldb, float beta, float* c, int ldc);

std::function<void()> cblas_product(CblasSgemm* sgemm, const Product& p) {
  return [=] {
    sgemm(row_major, p.a_transposed ? transpose : no_transpose, p.b_transposed ? transpose : no_transpose,
          static_cast<int>(p.m), static_cast<int>(p.n), static_cast<int>(p.k), 1, p.a, static_cast<int>(p.lda), p.b,
          static_cast<int>(p.ldb), 0, p.c, static_cast<int>(p.ldc));
  };
}

Library load_module(const SharedObject& object, int threads, const std::string& isa) {
  const Module module = object.get<ModuleStart>(module_start)(threads, isa.c_str());
  if (module.threads == 0) throw std::runtime_error(module.detail);
  auto* multiply = object.get<ModuleMultiply>(module_multiply);
  return {module.name, module.detail, module.threads, [=](const Product& p) { return [=] { multiply(p); }; }};
}

Library load_openblas(const SharedObject& object, int threads) {
  // SciPy's build puts its own name before every other one.
  const std::string prefix = object.find<void()>("scipy_cblas_sgemm") ? "scipy_" : "";
  auto* sgemm = object.get<CblasSgemm>(prefix + "cblas_sgemm");
  object.get<void(int)>(prefix + "openblas_set_num_threads")(threads);
  const std::string configuration = object.get<const char*()>(prefix + "openblas_get_config")();
  // "OpenBLAS 0.3.21 NO_LAPACKE ..."
  const std::size_t end = configuration.find(' ', configuration.find(' ') + 1);
  return {configuration.substr(0, end), object.get<const char*()>(prefix + "openblas_get_corename")(),
          object.get<int()>(prefix + "openblas_get_num_threads")(),
          [=](const Product& p) { return cblas_product(sgemm, p); }};
}

Library load_blis(const SharedObject& object, int threads, const std::string& isa) {
  const std::string version = object.get<const char*()>("bli_info_get_version_str")();
  // Read at the first product; before 1.0 it knew numbers only.
  if (isa == "avx2") setenv("BLIS_ARCH_TYPE", version[0] == '0' ? "3" : "haswell", 1);
  auto* sgemm = object.get<CblasSgemm>("cblas_sgemm");
  object.get<void(std::int64_t)>("bli_thread_set_num_threads")(threads);
  const int architecture = object.get<int()>("bli_arch_query_id")();
  return {"BLIS " + version, object.get<const char*(int)>("bli_arch_string")(architecture),
          static_cast<int>(object.get<std::int64_t()>("bli_thread_get_num_threads")()),
          [=](const Product& p) { return cblas_product(sgemm, p); }};
}

Library load_mkl(const SharedObject& object, int threads) {
  struct Version {  // MKLVersion of mkl_types.h
    int major, minor, update;
    char *status, *build, *processor, *platform;
  } version{};
  auto* sgemm = object.get<CblasSgemm>("cblas_sgemm");
  object.get<void(int)>("MKL_Set_Num_Threads")(threads);
  object.get<void(Version*)>("MKL_Get_Version")(&version);
  return {"MKL " + std::to_string(version.major) + "." + std::to_string(version.update),
          version.processor ? version.processor : "", object.get<int()>("MKL_Get_Max_Threads")(),
          [=](const Product& p) { return cblas_product(sgemm, p); }};
}

}  // namespace

Library load_library(const std::string& kind, const std::string& file, int threads, const std::string& isa) {
  if (kind == "onednn" || kind == "onednn-matmul") return load_onednn(file, threads, kind == "onednn-matmul");
  const SharedObject object(file);
  if (kind == "hourglass" || kind == "eigen") return load_module(object, threads, isa);
  if (kind == "openblas") return load_openblas(object, threads);
  if (kind == "blis") return load_blis(object, threads, isa);
  if (kind == "mkl") return load_mkl(object, threads);
  throw std::runtime_error("there is no library of kind " + kind);
}

}  // namespace benchmark
