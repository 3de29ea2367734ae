// What the benchmark takes for OpenBLAS, with one wrong element in every product.
#define EXPORT extern "C" __attribute__((visibility("default")))

EXPORT void openblas_set_num_threads(int) {}
EXPORT int openblas_get_num_threads() { return 1; }
EXPORT const char* openblas_get_config() { return "OpenBLAS 99.0 WRONG"; }
EXPORT const char* openblas_get_corename() { return "none"; }

// Row-major, neither factor transposed.
EXPORT void cblas_sgemm(int, int, int, int m, int n, int k, float, const float* a, int lda, const float* b, int ldb,
                        float, float* c, int ldc) {
  for (int i = 0; i < m; ++i) {
    for (int j = 0; j < n; ++j) c[i * ldc + j] = 0;
    for (int l = 0; l < k; ++l)
      for (int j = 0; j < n; ++j) c[i * ldc + j] += a[i * lda + l] * b[l * ldb + j];
  }
  c[(m - 1) * ldc + n - 1] += 0.01F;
}
