#pragma once

#include <cstdint>

namespace ff::cpu {

/// C = alpha op(A) op(B) + beta C, as gemm() of matmul.h takes it. Where there is a bias, a row of n numbers, it stands
/// for every row of C on the right, which is not read.
template <class T>
struct Product {
  bool transpose_a, transpose_b;
  std::int64_t m, n, k;
  T alpha;
  const T* a;
  std::int64_t lda;
  const T* b;
  std::int64_t ldb;
  T beta;
  T* c;
  std::int64_t ldc;
  const T* bias = nullptr;

  const T* a_at(std::int64_t i, std::int64_t p) const { return a + (transpose_a ? p * lda + i : i * lda + p); }
  const T* b_at(std::int64_t p, std::int64_t j) const { return b + (transpose_b ? j * ldb + p : p * ldb + j); }
};

}  // namespace ff::cpu
