// Hourglass as a contender.
#include <cstdlib>
#include <hourglass/gemm/gemm.hpp>
#include <hourglass/nn/relu.hpp>
#include <hourglass/nn/sigmoid.hpp>
#include <string>

#include "../product.hpp"

namespace hg = hourglass;

namespace {

int team = 1;
std::string detail;

}  // namespace

extern "C" __attribute__((visibility("default"))) benchmark::Module benchmark_start(int threads, const char* isa) {
  team = threads;
  const std::string wish = isa;
  if (!wish.empty()) setenv("HOURGLASS_ISA", isa, 1);  // read at the first question
  detail = hg::isa_name(hg::isa());
  if (wish.empty() || wish == detail) return {"hourglass", detail.c_str(), threads};
  detail = "this machine cannot run the " + wish + " kernels";
  return {"hourglass", detail.c_str(), 0};
}

extern "C" __attribute__((visibility("default"))) void benchmark_multiply(const benchmark::Product& p) {
  auto a = hg::row_major(p.a, p.lda);
  auto b = hg::row_major(p.b, p.ldb);
  if (p.a_transposed) a = hg::transpose(a);
  if (p.b_transposed) b = hg::transpose(b);
  const hg::Output<float> c{p.c, p.ldc};
  switch (p.activation) {
    case benchmark::Activation::none:
      return hg::gemm(p.m, p.n, p.k, a, b, c, hg::epilogue::Store{}, {.threads = team});
    case benchmark::Activation::relu:
      return hg::gemm(p.m, p.n, p.k, a, b, c, hg::epilogue::BiasActivation<float, hg::ReLU>{p.bias, {}},
                      {.threads = team});
    case benchmark::Activation::sigmoid:
      return hg::gemm(p.m, p.n, p.k, a, b, c, hg::epilogue::BiasActivation<float, hg::Sigmoid>{p.bias, {}},
                      {.threads = team});
  }
}
