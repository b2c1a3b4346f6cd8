#pragma once

#include <cstdint>

#include "ff/core/dtype.h"

namespace ff::cpu {

/// Products of float matrices, other than with a vector, run on this library's kernel (sgemm.h) where there is one for
/// the machine: there a product has the same bits from any of gemm_serial, gemm and gemm_batched. All else is
/// OpenBLAS's.

/// A matrix in memory: entry (i, j) is data[i * row + j * col]; row or col must be 1 (or its extent be 1) for BLAS.
/// op(X) below is X or its transpose.

/// C = alpha op(A) op(B) + beta C on the calling thread. C is (m, n), op(A) (m, k), op(B) (k, n), row-major with
/// leading dimensions lda, ldb, ldc as CBLAS takes them. With beta = 0, C is not read. k = 0 scales C.
void gemm_serial(bool transpose_a, bool transpose_b, std::int64_t m, std::int64_t n, std::int64_t k, float alpha,
                 const float* a, std::int64_t lda, const float* b, std::int64_t ldb, float beta, float* c,
                 std::int64_t ldc);
void gemm_serial(bool transpose_a, bool transpose_b, std::int64_t m, std::int64_t n, std::int64_t k, double alpha,
                 const double* a, std::int64_t lda, const double* b, std::int64_t ldb, double beta, double* c,
                 std::int64_t ldc);

/// The same on all threads: C is cut into tiles (and a long k into pieces added up in order), by the shape alone.
void gemm(bool transpose_a, bool transpose_b, std::int64_t m, std::int64_t n, std::int64_t k, float alpha,
          const float* a, std::int64_t lda, const float* b, std::int64_t ldb, float beta, float* c, std::int64_t ldc);
void gemm(bool transpose_a, bool transpose_b, std::int64_t m, std::int64_t n, std::int64_t k, double alpha,
          const double* a, std::int64_t lda, const double* b, std::int64_t ldb, double beta, double* c,
          std::int64_t ldc);

/// C = op(A) op(B) + bias, a row of n numbers that is added to each of C's, or none (null): as gemm() computes it from
/// a C filled with the bias, to the last bit, but without that pass over C.
void gemm_biased(bool transpose_a, bool transpose_b, std::int64_t m, std::int64_t n, std::int64_t k, const float* a,
                 std::int64_t lda, const float* b, std::int64_t ldb, const float* bias, float* c, std::int64_t ldc);
void gemm_biased(bool transpose_a, bool transpose_b, std::int64_t m, std::int64_t n, std::int64_t k, const double* a,
                 std::int64_t lda, const double* b, std::int64_t ldb, const double* bias, double* c, std::int64_t ldc);

/// count products at once: matrix i of A starts at a + a_offset[i], and so on. Parallel over the products, and within
/// them where they are large.
void gemm_batched(bool transpose_a, bool transpose_b, std::int64_t count, std::int64_t m, std::int64_t n,
                  std::int64_t k, const float* a, const std::int64_t* a_offset, std::int64_t lda, const float* b,
                  const std::int64_t* b_offset, std::int64_t ldb, float* c, const std::int64_t* c_offset,
                  std::int64_t ldc);
void gemm_batched(bool transpose_a, bool transpose_b, std::int64_t count, std::int64_t m, std::int64_t n,
                  std::int64_t k, const double* a, const std::int64_t* a_offset, std::int64_t lda, const double* b,
                  const std::int64_t* b_offset, std::int64_t ldb, double* c, const std::int64_t* c_offset,
                  std::int64_t ldc);

/// Steps in elements between the rows and between the columns of a matrix.
struct MatrixSteps {
  std::int64_t row, column;
};

/// count products of integer matrices (i32, i64 or u8), which wrap around: C (count, m, n) dense; matrix i of A (m, k)
/// starts at a + a_offset[i], and so on. A plain loop.
void matmul_integers(DType dtype, std::int64_t count, std::int64_t m, std::int64_t n, std::int64_t k, const void* a,
                     const std::int64_t* a_offset, MatrixSteps a_steps, const void* b, const std::int64_t* b_offset,
                     MatrixSteps b_steps, void* c);

}  // namespace ff::cpu
