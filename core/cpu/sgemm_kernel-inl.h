// The innermost loop of a product of float matrices: a block of C in registers, per-target code, included again for
// each target.

#if defined(FF_CORE_CPU_SGEMM_KERNEL_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef FF_CORE_CPU_SGEMM_KERNEL_INL_H_
#undef FF_CORE_CPU_SGEMM_KERNEL_INL_H_
#else
#define FF_CORE_CPU_SGEMM_KERNEL_INL_H_
#endif

#include <cstdint>
#include <type_traits>

#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace ff::cpu {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

/// The largest block: 8 rows by 3 vectors are 24 sums, which leave room for 3 vectors of B and one entry of A in 32
/// registers. A step reads 11 vectors for 24 multiplications, of which a core does as many a cycle as it reads vectors.
/// Down to 8 sums their latency is hidden.
constexpr std::int64_t kBlockRows = 8, kBlockVectors = 3;
constexpr std::int64_t kLanes = 16;

/// A block of C: C = alpha A B + beta D. A's entry (i, l) is a[i * a_row + l * a_depth]; rows of B, of C and of D (C
/// itself, or one row for all: added_row = 0) are vectors next to each other, b_depth, c_row and added_row apart. Of
/// the last vector, the first `last` lanes are read and written.
struct SgemmBlock {
  std::int64_t depth;
  const float* a;
  std::int64_t a_row, a_depth;
  const float* b;
  std::int64_t b_depth;
  float* c;
  std::int64_t c_row;
  const float* added;
  std::int64_t added_row;
  std::int64_t last;
  float alpha, beta;
};

// f(0), f(1), ... with constants: GCC keeps an array in registers only if it sees all its indices early, Clang only if
// every lambda that knows the array is inlined (HWY_FLATTEN).
template <int kCount, class F>
HWY_INLINE void unrolled(F f) {
  if constexpr (kCount > 0) {
    unrolled<kCount - 1>(f);
    f(std::integral_constant<int, kCount - 1>());
  }
}

template <int kRows, int kVectors>
HWY_FLATTEN void sgemm_block(const SgemmBlock& p) {
  const hn::CappedTag<float, kLanes> d;
  using V = hn::Vec<decltype(d)>;
  const auto last = hn::FirstN(d, static_cast<std::size_t>(p.last));
  auto load = [&](const float* from, int v) HWY_ATTR {
    return v + 1 < kVectors ? hn::LoadU(d, from + v * kLanes) : hn::MaskedLoad(last, d, from + v * kLanes);
  };
  V sum[kRows][kVectors];
  auto each = [&](auto f) HWY_ATTR {
    unrolled<kRows>([&](auto r) HWY_ATTR { unrolled<kVectors>([&](auto v) HWY_ATTR { f(r, v, sum[r][v]); }); });
  };
  each([&](int, int, V& x) HWY_ATTR { x = hn::Zero(d); });

  const std::int64_t a_row = p.a_row, a_depth = p.a_depth, b_depth = p.b_depth, c_row = p.c_row,
                     added_row = p.added_row;
  const float* HWY_RESTRICT a = p.a;
  const float* HWY_RESTRICT b = p.b;
  for (std::int64_t l = p.depth; l > 0; --l, a += a_depth, b += b_depth) {
    V row[kVectors];
    unrolled<kVectors>([&](auto v) HWY_ATTR { row[v] = load(b, v); });
    unrolled<kRows>([&](auto r) HWY_ATTR {
      const V entry = hn::Set(d, a[r * a_row]);
      unrolled<kVectors>([&](auto v) HWY_ATTR { sum[r][v] = hn::MulAdd(entry, row[v], sum[r][v]); });
    });
  }

  const V alpha = hn::Set(d, p.alpha), beta = hn::Set(d, p.beta);
  const float* added = p.added;
  float* c = p.c;
  each([&](int, int, V& x) HWY_ATTR { x = hn::Mul(alpha, x); });
  if (p.beta != 0) each([&](int r, int v, V& x) HWY_ATTR { x = hn::MulAdd(beta, load(added + r * added_row, v), x); });
  each([&](int r, int v, V& x) HWY_ATTR {
    if (v + 1 < kVectors)
      hn::StoreU(x, d, c + r * c_row + v * kLanes);
    else
      hn::BlendedStore(x, last, d, c + r * c_row + v * kLanes);
  });
}

using SgemmBlockFunction = void (*)(const SgemmBlock&);

/// For 1 to kBlockRows rows by 1 to kBlockVectors vectors.
inline SgemmBlockFunction sgemm_block_of(std::int64_t rows, std::int64_t vectors) {
  static constexpr SgemmBlockFunction functions[kBlockRows][kBlockVectors] = {
      {sgemm_block<1, 1>, sgemm_block<1, 2>, sgemm_block<1, 3>},
      {sgemm_block<2, 1>, sgemm_block<2, 2>, sgemm_block<2, 3>},
      {sgemm_block<3, 1>, sgemm_block<3, 2>, sgemm_block<3, 3>},
      {sgemm_block<4, 1>, sgemm_block<4, 2>, sgemm_block<4, 3>},
      {sgemm_block<5, 1>, sgemm_block<5, 2>, sgemm_block<5, 3>},
      {sgemm_block<6, 1>, sgemm_block<6, 2>, sgemm_block<6, 3>},
      {sgemm_block<7, 1>, sgemm_block<7, 2>, sgemm_block<7, 3>},
      {sgemm_block<8, 1>, sgemm_block<8, 2>, sgemm_block<8, 3>}};
  return functions[rows - 1][vectors - 1];
}

}  // namespace HWY_NAMESPACE
}  // namespace ff::cpu
HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
