// Products of matrices small enough for the caches, computed in registers without packing: per-target code, included
// again for each target.

#if defined(FF_CORE_CPU_TILE_PRODUCT_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef FF_CORE_CPU_TILE_PRODUCT_INL_H_
#undef FF_CORE_CPU_TILE_PRODUCT_INL_H_
#else
#define FF_CORE_CPU_TILE_PRODUCT_INL_H_
#endif

#include <algorithm>
#include <cstdint>

#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace ff::cpu {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

/// C (rows, columns) = A B, or C += A B. A has its entry (i, l) at a[i * a_row + l * a_depth], any strides; rows of B
/// (depth, columns) and C lie `b_row` and `c_row` apart, their entries next to each other. Columns are taken in whole
/// vectors: B's rows must be readable and C's writable up to the next multiple of a vector.
template <class T>
struct TileProduct {
  std::int64_t rows, columns, depth;
  const T* a;
  std::int64_t a_row, a_depth;
  const T* b;
  std::int64_t b_row;
  T* c;
  std::int64_t c_row;
  bool add;
};

// kRows rows and kVectors vectors of C, from row i and column j on, kept in registers.
template <int kRows, int kVectors, class T>
HWY_INLINE void product_block(const TileProduct<T>& p, std::int64_t i, std::int64_t j) {
  const hn::ScalableTag<T> d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  hn::Vec<decltype(d)> sum[kRows][kVectors];
  for (int r = 0; r < kRows; ++r) {
    for (int v = 0; v < kVectors; ++v) sum[r][v] = hn::Zero(d);
  }
  const T* HWY_RESTRICT a = p.a + i * p.a_row;
  const T* HWY_RESTRICT b = p.b + j;
  for (std::int64_t l = 0; l < p.depth; ++l, a += p.a_depth, b += p.b_row) {
    hn::Vec<decltype(d)> row[kVectors];
    for (int v = 0; v < kVectors; ++v) row[v] = hn::LoadU(d, b + v * lanes);
    for (int r = 0; r < kRows; ++r) {
      const auto entry = hn::Set(d, a[r * p.a_row]);
      for (int v = 0; v < kVectors; ++v) sum[r][v] = hn::MulAdd(entry, row[v], sum[r][v]);
    }
  }
  for (int r = 0; r < kRows; ++r) {
    T* HWY_RESTRICT c = p.c + (i + r) * p.c_row + j;
    for (int v = 0; v < kVectors; ++v) {
      hn::StoreU(p.add ? hn::Add(hn::LoadU(d, c + v * lanes), sum[r][v]) : sum[r][v], d, c + v * lanes);
    }
  }
}

// kVectors vectors of all rows, from column j on: kRows at a time, then 4, then 1.
template <int kRows, int kVectors, class T>
HWY_NOINLINE void product_columns(const TileProduct<T>& p, std::int64_t j) {
  std::int64_t i = 0;
  for (; i + kRows <= p.rows; i += kRows) product_block<kRows, kVectors>(p, i, j);
  if constexpr (kRows > 4) {
    for (; i + 4 <= p.rows; i += 4) product_block<4, kVectors>(p, i, j);
  }
  for (; i < p.rows; ++i) product_block<1, kVectors>(p, i, j);
}

template <class T>
void tile_product(const TileProduct<T>& p) {
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(hn::ScalableTag<T>()));
  // Blocks as large as 32 registers (AVX-512) or 16 hold, with at least 8 sums under way to hide their latency.
  constexpr int kMost = HWY_TARGET <= HWY_AVX3 ? 4 : 2;
  std::int64_t j = 0;
  for (std::int64_t left = (p.columns + lanes - 1) / lanes; left > 0;) {
    const std::int64_t vectors = std::min<std::int64_t>(left, kMost);
    if (vectors == 1) product_columns<8, 1>(p, j);
    if (vectors == 2) product_columns<6, 2>(p, j);
    if constexpr (kMost == 4) {
      if (vectors == 3) product_columns<4, 3>(p, j);
      if (vectors == 4) product_columns<4, 4>(p, j);
    }
    left -= vectors;
    j += vectors * lanes;
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace ff::cpu
HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
