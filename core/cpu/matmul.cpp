#include "ff/core/cpu/matmul.h"

#include <algorithm>
#include <limits>
#include <type_traits>

#include <cblas.h>

#include "ff/core/check.h"
#include "ff/core/cpu/backend.h"
#include "ff/core/cpu/product.h"
#include "ff/core/cpu/scratch.h"
#include "ff/core/cpu/sgemm.h"
#include "ff/core/parallel.h"

namespace ff::cpu {
namespace {

// Multiplications that are worth a task of their own: 2^19 where a product makes few tasks (up to few_tasks), 2^26
// where it makes many (up to many_tasks), since every cut costs some packing again.
constexpr std::int64_t small_task = 1 << 19, large_task = 1 << 26;
constexpr std::int64_t few_tasks = 4, many_tasks = 32;
// What a product costs besides its multiplications, counted in those.
constexpr std::int64_t product_cost = 1 << 13;
// C is not cut into tiles with a side below min_side, or min_side_long where k can be cut instead; k into pieces of at
// least min_piece, up to most_pieces of them in all tiles together (partial results need memory).
constexpr std::int64_t min_side = 64, min_side_long = 128, min_piece = 1024, most_pieces = 16;
// Products of a smaller batch than this are cut, those of a larger one are tasks enough.
constexpr std::int64_t few_products = 16;

// How a product is cut: C into tiles, k into pieces.
struct Grid {
  std::int64_t tile_m, tile_n, piece;  // their sizes
  std::int64_t rows, columns, pieces;  // their numbers
};

blasint to_int(std::int64_t n) {
  check(n <= std::numeric_limits<blasint>::max(), "matmul", "a size or stride is beyond what BLAS can take: {}", n);
  return static_cast<blasint>(n);
}

// A leading dimension as BLAS wants it: where there is at most one row, or no column, it means nothing but is still
// checked.
blasint leading(std::int64_t ld, std::int64_t rows, std::int64_t columns) {
  if (rows <= 1 || columns == 0) ld = std::max<std::int64_t>(1, columns);
  internal_check(ld >= std::max<std::int64_t>(1, columns), "gemm: rows of a matrix overlap");
  return to_int(ld);
}

CBLAS_TRANSPOSE flag(bool transpose) { return transpose ? CblasTrans : CblasNoTrans; }

void blas(const Product<float>& p, blasint lda, blasint ldb, blasint ldc) {
  cblas_sgemm(CblasRowMajor, flag(p.transpose_a), flag(p.transpose_b), to_int(p.m), to_int(p.n), to_int(p.k), p.alpha,
              p.a, lda, p.b, ldb, p.beta, p.c, ldc);
}

void blas(const Product<double>& p, blasint lda, blasint ldb, blasint ldc) {
  cblas_dgemm(CblasRowMajor, flag(p.transpose_a), flag(p.transpose_b), to_int(p.m), to_int(p.n), to_int(p.k), p.alpha,
              p.a, lda, p.b, ldb, p.beta, p.c, ldc);
}

// y = alpha op(A) x + beta y with strided vectors, op(A) of `rows` rows.
void blas_vector(bool transpose, std::int64_t rows, std::int64_t columns, float alpha, const float* a, blasint lda,
                 const float* x, std::int64_t x_step, float beta, float* y, std::int64_t y_step) {
  const std::int64_t m = transpose ? columns : rows, n = transpose ? rows : columns;
  cblas_sgemv(CblasRowMajor, flag(transpose), to_int(m), to_int(n), alpha, a, lda, x, to_int(x_step), beta, y,
              to_int(y_step));
}
void blas_vector(bool transpose, std::int64_t rows, std::int64_t columns, double alpha, const double* a, blasint lda,
                 const double* x, std::int64_t x_step, double beta, double* y, std::int64_t y_step) {
  const std::int64_t m = transpose ? columns : rows, n = transpose ? rows : columns;
  cblas_dgemv(CblasRowMajor, flag(transpose), to_int(m), to_int(n), alpha, a, lda, x, to_int(x_step), beta, y,
              to_int(y_step));
}

// A matrix times a vector by BLAS: its product of matrices would first copy the matrix. It reads C even with beta = 0.
template <class T>
void multiply_vector(const Product<T>& p, blasint lda, blasint ldb, blasint ldc) {
  const std::int64_t c_step = p.n == 1 ? ldc : 1;
  if (p.beta == 0) {
    for (std::int64_t i = 0; i < p.m * p.n; ++i) p.c[i * c_step] = 0;
  }
  if (p.n == 1) {
    blas_vector(p.transpose_a, p.m, p.k, p.alpha, p.a, lda, p.b, p.transpose_b ? 1 : ldb, p.beta, p.c, c_step);
  } else {
    blas_vector(!p.transpose_b, p.n, p.k, p.alpha, p.b, ldb, p.a, p.transpose_a ? lda : 1, p.beta, p.c, c_step);
  }
}

// This library's kernel for p, if there is one that is faster than BLAS.
const Sgemm* kernel(const Product<float>& p) { return std::min(p.m, p.n) > 1 ? find_sgemm() : nullptr; }

// What multiply() needs of memory, in numbers.
std::int64_t memory_of(const Product<float>& p) { return kernel(p) != nullptr ? kernel(p)->memory(p) : 0; }
std::int64_t memory_of(const Product<double>&) { return 0; }

// The product, all of it on this thread.
template <class T>
void multiply(const Product<T>& p, [[maybe_unused]] T* memory) {
  // Threads are this library's own; OpenBLAS starts none.
  [[maybe_unused]] static const bool once = (openblas_set_num_threads(1), true);
  if (p.m == 0 || p.n == 0) return;
  const blasint lda = p.transpose_a ? leading(p.lda, p.k, p.m) : leading(p.lda, p.m, p.k);
  const blasint ldb = p.transpose_b ? leading(p.ldb, p.n, p.k) : leading(p.ldb, p.k, p.n);
  const blasint ldc = leading(p.ldc, p.m, p.n);
  if constexpr (std::is_same_v<T, float>) {
    if (const Sgemm* own = kernel(p)) return own->run(p, memory);
  }
  for (std::int64_t i = 0; p.bias != nullptr && i < p.m; ++i) std::copy_n(p.bias, p.n, p.c + i * p.ldc);
  if (std::min(p.m, p.n) == 1 && p.k > 0) return multiply_vector(p, lda, ldb, ldc);
  blas(p, lda, ldb, ldc);
}

// The size of each of `count` nearly equal parts of n: a multiple of 16, as the kernels' registers take it.
std::int64_t part(std::int64_t n, std::int64_t count) { return std::min(n, num_chunks(num_chunks(n, count), 16) * 16); }

// The longer side of the tiles is halved until there are enough tasks or it is short; then k is cut.
Grid make_grid(std::int64_t m, std::int64_t n, std::int64_t k) {
  const std::int64_t work = m * n * k;
  const std::int64_t tasks =
      std::max(std::clamp<std::int64_t>(work / small_task, 1, few_tasks), std::min(work / large_task, many_tasks));
  const bool long_k = k >= 2 * min_piece;
  const std::int64_t shortest = long_k ? min_side_long : min_side;
  Grid grid{m, n, k, 1, 1, 1};
  while (2 * grid.rows * grid.columns <= tasks && std::max(grid.tile_m, grid.tile_n) >= 2 * shortest) {
    if (grid.tile_m >= grid.tile_n) {
      grid.tile_m = part(m, grid.rows *= 2);
    } else {
      grid.tile_n = part(n, grid.columns *= 2);
    }
  }
  grid.rows = num_chunks(m, grid.tile_m);
  grid.columns = num_chunks(n, grid.tile_n);
  const std::int64_t pieces = std::min(tasks, most_pieces) / (grid.rows * grid.columns);
  if (long_k && pieces > 1) {
    grid.piece = std::max(min_piece, num_chunks(k, pieces));
    grid.pieces = num_chunks(k, grid.piece);
  }
  return grid;
}

// Tile (row, column) over piece number piece of k, the latter's result at c.
template <class T>
Product<T> tile_of(const Product<T>& p, const Grid& grid, std::int64_t row, std::int64_t column, std::int64_t piece,
                   T beta, T* c, std::int64_t ldc) {
  const std::int64_t i = row * grid.tile_m, j = column * grid.tile_n, l = piece * grid.piece;
  Product<T> tile = p;
  tile.m = std::min(grid.tile_m, p.m - i);
  tile.n = std::min(grid.tile_n, p.n - j);
  tile.k = std::min(grid.piece, p.k - l);
  tile.a = p.a_at(i, l);
  tile.b = p.b_at(l, j);
  tile.beta = beta;
  if (p.bias != nullptr) tile.bias += j;
  tile.c = c + i * ldc + j;
  tile.ldc = ldc;
  return tile;
}

// Rows [begin, end) of C += partial[0] + partial[1] + ..., in that order.
template <class T>
void add_partials(const Product<T>& p, std::int64_t count, const T* partial, std::int64_t begin, std::int64_t end) {
  for (std::int64_t i = begin; i < end; ++i) {
    T* row = p.c + i * p.ldc;
    for (std::int64_t piece = 0; piece < count; ++piece) {
      const T* from = partial + piece * p.m * p.n + i * p.n;
      for (std::int64_t j = 0; j < p.n; ++j) row[j] += from[j];
    }
  }
}

// count products alike, matrix i at offset[i] from p's, or only p where there are no offsets.
template <class T>
struct Batch {
  Product<T> p;
  std::int64_t count;
  const std::int64_t *a_offset, *b_offset, *c_offset;

  Product<T> operator[](std::int64_t i) const {
    Product<T> one = p;
    if (a_offset != nullptr) one.a += a_offset[i], one.b += b_offset[i], one.c += c_offset[i];
    return one;
  }
};

// Products [begin, end) on this thread: as run_tiles() computes them, to the last bit, where tiles do not matter.
template <class T>
void run_whole(const Batch<T>& batch, std::int64_t begin, std::int64_t end) {
  const Product<T>& p = batch.p;
  Grid grid = make_grid(p.m, p.n, p.k);
  grid.tile_m = p.m, grid.tile_n = p.n;
  const Scratch<T> partial(grid.pieces > 1 ? (grid.pieces - 1) * p.m * p.n : 0);
  const Scratch<T> memory(memory_of(tile_of(p, grid, 0, 0, 0, p.beta, p.c, p.ldc)));
  for (std::int64_t i = begin; i < end; ++i) {
    const Product<T> one = batch[i];
    multiply(tile_of(one, grid, 0, 0, 0, one.beta, one.c, one.ldc), memory.data());
    for (std::int64_t piece = 1; piece < grid.pieces; ++piece)
      multiply(tile_of(one, grid, 0, 0, piece, T{0}, partial.data() + (piece - 1) * p.m * p.n, p.n), memory.data());
    add_partials(one, grid.pieces - 1, partial.data(), 0, p.m);
  }
}

// All products on all threads, each cut into tiles, and its k into pieces.
template <class T>
void run_tiles(const Batch<T>& batch, const Grid& grid) {
  const Product<T>& p = batch.p;
  const std::int64_t tiles = grid.rows * grid.columns, tasks = tiles * grid.pieces, size = p.m * p.n;
  // The first piece goes into C, the others into memory of their own.
  const Scratch<T> partial(batch.count * (grid.pieces - 1) * size);
  auto partials = [&](std::int64_t i) { return partial.data() + i * (grid.pieces - 1) * size; };
  parallel_for(batch.count * tasks, 1, [&](std::int64_t task, std::int64_t) {
    const std::int64_t i = task / tasks, piece = task % tasks / tiles, tile = task % tiles;
    const Product<T> one = batch[i];
    const std::int64_t row = tile / grid.columns, column = tile % grid.columns;
    const Product<T> part = piece == 0
                                ? tile_of(one, grid, row, column, piece, one.beta, one.c, one.ldc)
                                : tile_of(one, grid, row, column, piece, T{0}, partials(i) + (piece - 1) * size, one.n);
    const Scratch<T> memory(memory_of(part));
    multiply(part, memory.data());
  });
  if (grid.pieces == 1) return;
  const std::int64_t grain = std::max<std::int64_t>(1, (1 << 14) / p.n);
  for (std::int64_t i = 0; i < batch.count; ++i)
    parallel_for(p.m, grain, [&](std::int64_t begin, std::int64_t end) {
      add_partials(batch[i], grid.pieces - 1, partials(i), begin, end);
    });
}

template <class T>
void run(const Batch<T>& batch) {
  const Product<T>& p = batch.p;
  if (p.m == 0 || p.n == 0) return;
  const Grid grid = make_grid(p.m, p.n, p.k);
  if (batch.count < few_products && grid.rows * grid.columns * grid.pieces > 1) return run_tiles(batch, grid);
  const std::int64_t grain = std::max<std::int64_t>(1, small_task / (p.m * p.n * p.k + product_cost));
  parallel_for(batch.count, grain, [&](std::int64_t begin, std::int64_t end) { run_whole(batch, begin, end); });
}

template <class T>
void run_serial(const Product<T>& p) {
  if (p.m > 0 && p.n > 0) run_whole(Batch<T>{p, 1, nullptr, nullptr, nullptr}, 0, 1);
}

}  // namespace

void gemm_serial(bool transpose_a, bool transpose_b, std::int64_t m, std::int64_t n, std::int64_t k, float alpha,
                 const float* a, std::int64_t lda, const float* b, std::int64_t ldb, float beta, float* c,
                 std::int64_t ldc) {
  run_serial(Product<float>{transpose_a, transpose_b, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc});
}

void gemm_serial(bool transpose_a, bool transpose_b, std::int64_t m, std::int64_t n, std::int64_t k, double alpha,
                 const double* a, std::int64_t lda, const double* b, std::int64_t ldb, double beta, double* c,
                 std::int64_t ldc) {
  run_serial(Product<double>{transpose_a, transpose_b, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc});
}

void gemm(bool transpose_a, bool transpose_b, std::int64_t m, std::int64_t n, std::int64_t k, float alpha,
          const float* a, std::int64_t lda, const float* b, std::int64_t ldb, float beta, float* c, std::int64_t ldc) {
  run(Batch<float>{Product<float>{transpose_a, transpose_b, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc}, 1, nullptr,
                   nullptr, nullptr});
}

void gemm(bool transpose_a, bool transpose_b, std::int64_t m, std::int64_t n, std::int64_t k, double alpha,
          const double* a, std::int64_t lda, const double* b, std::int64_t ldb, double beta, double* c,
          std::int64_t ldc) {
  run(Batch<double>{Product<double>{transpose_a, transpose_b, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc}, 1, nullptr,
                    nullptr, nullptr});
}

void gemm_biased(bool transpose_a, bool transpose_b, std::int64_t m, std::int64_t n, std::int64_t k, const float* a,
                 std::int64_t lda, const float* b, std::int64_t ldb, const float* bias, float* c, std::int64_t ldc) {
  const float beta = bias != nullptr ? 1 : 0;
  run(Batch<float>{Product<float>{transpose_a, transpose_b, m, n, k, 1, a, lda, b, ldb, beta, c, ldc, bias}, 1, nullptr,
                   nullptr, nullptr});
}

void gemm_biased(bool transpose_a, bool transpose_b, std::int64_t m, std::int64_t n, std::int64_t k, const double* a,
                 std::int64_t lda, const double* b, std::int64_t ldb, const double* bias, double* c, std::int64_t ldc) {
  const double beta = bias != nullptr ? 1 : 0;
  run(Batch<double>{Product<double>{transpose_a, transpose_b, m, n, k, 1, a, lda, b, ldb, beta, c, ldc, bias}, 1,
                    nullptr, nullptr, nullptr});
}

void gemm_batched(bool transpose_a, bool transpose_b, std::int64_t count, std::int64_t m, std::int64_t n,
                  std::int64_t k, const float* a, const std::int64_t* a_offset, std::int64_t lda, const float* b,
                  const std::int64_t* b_offset, std::int64_t ldb, float* c, const std::int64_t* c_offset,
                  std::int64_t ldc) {
  run(Batch<float>{Product<float>{transpose_a, transpose_b, m, n, k, 1, a, lda, b, ldb, 0, c, ldc}, count, a_offset,
                   b_offset, c_offset});
}

void gemm_batched(bool transpose_a, bool transpose_b, std::int64_t count, std::int64_t m, std::int64_t n,
                  std::int64_t k, const double* a, const std::int64_t* a_offset, std::int64_t lda, const double* b,
                  const std::int64_t* b_offset, std::int64_t ldb, double* c, const std::int64_t* c_offset,
                  std::int64_t ldc) {
  run(Batch<double>{Product<double>{transpose_a, transpose_b, m, n, k, 1, a, lda, b, ldb, 0, c, ldc}, count, a_offset,
                    b_offset, c_offset});
}

std::string blas_config() { return openblas_get_config(); }

}  // namespace ff::cpu
