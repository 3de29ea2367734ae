#include "onednn.hpp"

#include <sched.h>

#include <array>
#include <cstdint>
#include <stdexcept>
#include <utility>

#include "shared_object.hpp"

namespace benchmark {
namespace {

// From dnnl.h and dnnl_types.h of version 3, where every object is an opaque pointer.
using Dims = std::array<std::int64_t, 12>;
using Handle = void*;
struct Argument {
  int index;
  Handle memory;
};
constexpr int cpu = 1, in_order = 1, f32 = 3, source = 1, weights = 33, destination = 17;
using Sgemm = int(char transa, char transb, std::int64_t m, std::int64_t n, std::int64_t k, float alpha, const float* a,
                  std::int64_t lda, const float* b, std::int64_t ldb, float beta, float* c, std::int64_t ldc);

void check(int status, const char* what) {
  if (status != 0) throw std::runtime_error(std::string(what) + " failed with status " + std::to_string(status));
}

// A product as a primitive, made once and run often, as frameworks do. Like all they make, it is never destroyed.
std::function<void()> matmul_product(const SharedObject& object, const Product& p) {
  Handle engine = nullptr;
  Handle stream = nullptr;
  check(object.get<int(Handle*, int, std::size_t)>("dnnl_engine_create")(&engine, cpu, 0), "dnnl_engine_create");
  check(object.get<int(Handle*, Handle, unsigned)>("dnnl_stream_create")(&stream, engine, in_order),
        "dnnl_stream_create");

  const auto layout = [&](Index rows, Index cols, bool transposed, Index leading) {
    const Dims dims{rows, cols};
    const Dims strides = transposed ? Dims{1, leading} : Dims{leading, 1};
    Handle made = nullptr;
    check(object.get<int(Handle*, int, const std::int64_t*, int, const std::int64_t*)>(
              "dnnl_memory_desc_create_with_strides")(&made, 2, dims.data(), f32, strides.data()),
          "dnnl_memory_desc_create_with_strides");
    return made;
  };
  const Handle a = layout(p.m, p.k, p.a_transposed, p.lda);
  const Handle b = layout(p.k, p.n, p.b_transposed, p.ldb);
  const Handle c = layout(p.m, p.n, false, p.ldc);
  Handle description = nullptr;
  Handle primitive = nullptr;
  check(object.get<int(Handle*, Handle, Handle, Handle, Handle, Handle, Handle)>("dnnl_matmul_primitive_desc_create")(
            &description, engine, a, b, nullptr, c, nullptr),
        "dnnl_matmul_primitive_desc_create");
  check(object.get<int(Handle*, Handle)>("dnnl_primitive_create")(&primitive, description), "dnnl_primitive_create");

  const auto memory = [&](Handle of, const float* data) {
    Handle made = nullptr;
    check(object.get<int(Handle*, Handle, Handle, void*)>("dnnl_memory_create")(&made, of, engine,
                                                                                const_cast<float*>(data)),
          "dnnl_memory_create");
    return made;
  };
  const std::array<Argument, 3> arguments{
      {{source, memory(a, p.a)}, {weights, memory(b, p.b)}, {destination, memory(c, p.c)}}};
  auto* execute = object.get<int(Handle, Handle, int, const Argument*)>("dnnl_primitive_execute");
  auto* wait = object.get<int(Handle)>("dnnl_stream_wait");
  return [=] {
    check(execute(primitive, stream, 3, arguments.data()), "dnnl_primitive_execute");
    check(wait(stream), "dnnl_stream_wait");
  };
}

std::function<void()> sgemm_product(Sgemm* sgemm, const Product& p) {
  return [=] {
    check(sgemm(p.a_transposed ? 'T' : 'N', p.b_transposed ? 'T' : 'N', p.m, p.n, p.k, 1, p.a, p.lda, p.b, p.ldb, 0,
                p.c, p.ldc),
          "dnnl_sgemm");
  };
}

// Builds with oneTBB have no setter in C. TBB takes as many threads as the process has processors when it first looks,
// so it looks while there are few; the mask is back before it starts a thread.
int set_tbb_threads(int (*max_concurrency)(const void*), int threads) {
  cpu_set_t all;
  if (sched_getaffinity(0, sizeof all, &all) != 0) throw std::runtime_error("sched_getaffinity failed");
  cpu_set_t few;
  CPU_ZERO(&few);
  for (int processor = 0, taken = 0; processor < CPU_SETSIZE && taken < threads; ++processor)
    if (CPU_ISSET(processor, &all)) {
      CPU_SET(processor, &few);
      ++taken;
    }
  sched_setaffinity(0, sizeof few, &few);
  const int result = max_concurrency(nullptr);
  sched_setaffinity(0, sizeof all, &all);
  return result;
}

int set_threads(const SharedObject& object, int threads) {
  // tbb::detail::r1::max_concurrency(tbb::detail::d1::task_arena_base const*)
  if (auto* tbb = object.find<int(const void*)>("_ZN3tbb6detail2r115max_concurrencyEPKNS0_2d115task_arena_baseE"))
    return set_tbb_threads(tbb, threads);
  if (auto* set = object.find<void(int)>("omp_set_num_threads")) {
    set(threads);
    return object.get<int()>("omp_get_max_threads")();
  }
  return 1;
}

}  // namespace

Library load_onednn(const std::string& file, int threads, bool matmul) {
  const SharedObject object(file);
  struct Version {  // the start of dnnl_version_t
    int major, minor, patch;
  };
  const Version version = *object.get<const Version*()>("dnnl_version")();
  Library library;
  library.name = "oneDNN " + std::to_string(version.major) + "." + std::to_string(version.minor) + "." +
                 std::to_string(version.patch) + (matmul ? " matmul" : "");
  library.threads = set_threads(object, threads);
  if (matmul) {
    if (version.major != 3) throw std::runtime_error("the benchmark knows the matmul of version 3 only");
    library.prepare = [object](const Product& p) { return matmul_product(object, p); };
    Product trial;  // builds for SYCL cannot multiply matrices on a processor without its OpenCL driver
    trial.m = trial.n = trial.k = trial.lda = trial.ldb = trial.ldc = 1;
    std::array<float, 3> numbers{};
    trial.a = &numbers[0];
    trial.b = &numbers[1];
    trial.c = &numbers[2];
    library.prepare(trial)();
  } else {
    auto* sgemm = object.get<Sgemm>("dnnl_sgemm");
    library.prepare = [sgemm](const Product& p) { return sgemm_product(sgemm, p); };
  }
  return library;
}

}  // namespace benchmark
