#include "ff/core/cpu/sgemm.h"

#include <algorithm>

#include "ff/core/parallel.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ff/core/cpu/sgemm.cpp"
#include <hwy/foreach_target.h>
// After foreach_target.h:
#include <hwy/highway.h>

#if HWY_TARGET <= HWY_AVX3
#include "ff/core/cpu/sgemm_kernel-inl.h"
#include "ff/core/cpu/sgemm_pack-inl.h"
#endif

HWY_BEFORE_NAMESPACE();
namespace ff::cpu {
namespace HWY_NAMESPACE {
namespace {

#if HWY_TARGET <= HWY_AVX3

// k is taken in blocks of at most kDepth: a block of 8 rows of A (8 KiB) stays in the first-level cache (32 KiB) while
// B streams by, and C is touched once in 256 steps. kPacked numbers of B (512 KiB) stay in the second-level cache (1
// MiB) while A and C stream by.
constexpr std::int64_t kDepth = 256, kPacked = 128 * 1024;
// Panels of A packed at a time (64 KiB of them). What lies in memory as it is needed is copied in strips of a few rows
// across all panels: along a single panel, each row would be a short piece of another page.
constexpr std::int64_t kPanels = 8, kStrip = 8;

// The sizes of blocks of n that are as equal as can be: the first `larger` have one more than `size`.
struct Cut {
  std::int64_t count, size, larger;
  Cut(std::int64_t n, std::int64_t most) : count(num_chunks(n, most)), size(n / count), larger(n % count) {}
  std::int64_t begin(std::int64_t i) const { return i * size + std::min(i, larger); }
  std::int64_t length(std::int64_t i) const { return size + (i < larger); }
};

// How a product is worked off. Packing B pays once its rows meet more than a few blocks; packing A, whose rows lie well
// as they are, once the block has several panels of B to meet, and earlier where a step of k is a step to another row.
struct Plan {
  Cut depths;            // of k
  std::int64_t columns;  // of B at a time, whole vectors
  bool pack_a, pack_b;

  explicit Plan(const Product<float>& p) : depths(std::max<std::int64_t>(p.k, 1), kDepth) {
    const std::int64_t most = kPacked / (depth() * kLanes) * kLanes;
    columns = num_chunks(num_chunks(p.n, num_chunks(p.n, most)), kLanes) * kLanes;
    pack_b = p.transpose_b || p.m > 4 * kBlockRows;
    pack_a = columns > (p.transpose_a ? 1 : 4) * kBlockVectors * kLanes;
  }
  std::int64_t depth() const { return depths.length(0); }
  std::int64_t a_memory() const { return pack_a ? kPanels * kBlockRows * depth() : 0; }
  std::int64_t b_memory() const { return pack_b ? columns * depth() : 0; }
};

// One vector of a panel: entry (l, j) to to[l * step + j]. transpose: from has it at (j, l).
template <class D>
void pack(D d, bool transpose, const float* from, std::int64_t ld, std::int64_t width, std::int64_t depth, float* to,
          std::int64_t step) {
  if (transpose)
    pack_columns(d, from, ld, width, depth, to, step);
  else
    pack_rows(d, from, ld, width, depth, to, step);
}

// Columns from j on of op(B) over `depth` rows from l on, in the order they are needed: panels of a block's vectors.
void pack_b(const Product<float>& p, std::int64_t l, std::int64_t depth, std::int64_t j, const Cut& panels, float* to) {
  const std::int64_t strip = p.transpose_b ? depth : kStrip;
  for (std::int64_t row = 0; row < depth; row += strip) {
    for (std::int64_t panel = 0; panel < panels.count; ++panel) {
      const std::int64_t step = panels.length(panel) * kLanes, first = panels.begin(panel) * kLanes;
      for (std::int64_t v = first; v < first + step; v += kLanes)
        pack(hn::CappedTag<float, kLanes>(), p.transpose_b, p.b_at(l + row, j + v), p.ldb,
             std::min(kLanes, p.n - j - v), std::min(strip, depth - row), to + first * depth + row * step + (v - first),
             step);
    }
  }
}

// Panels [begin, end) of op(A)'s rows over `depth` columns from l on.
void pack_a(const Product<float>& p, std::int64_t l, std::int64_t depth, const Cut& rows, std::int64_t begin,
            std::int64_t end, float* to) {
  const std::int64_t strip = p.transpose_a ? kStrip : depth;
  for (std::int64_t column = 0; column < depth; column += strip)
    for (std::int64_t panel = begin; panel < end; ++panel) {
      // A panel of fewer rows takes some of the next along: they are not used.
      const std::int64_t i = rows.begin(panel), height = std::min(kBlockRows, p.m - i);
      pack(hn::CappedTag<float, kBlockRows>(), !p.transpose_a, p.a_at(i, l + column), p.lda, height,
           std::min(strip, depth - column), to + ((panel - begin) * depth + column) * kBlockRows, kBlockRows);
    }
}

// C's columns [j, j + columns), plus what l to l + depth give to them.
void run_block(const Product<float>& p, const Plan& plan, std::int64_t l, std::int64_t depth, std::int64_t j,
               float* memory) {
  float *packed_a = memory, *packed_b = memory + plan.a_memory();
  const std::int64_t columns = std::min(plan.columns, p.n - j);
  const Cut rows(p.m, kBlockRows), panels(num_chunks(columns, kLanes), kBlockVectors);
  if (plan.pack_b) pack_b(p, l, depth, j, panels, packed_b);
  SgemmBlock block{};
  block.depth = depth;
  block.c_row = p.ldc;
  block.alpha = p.alpha;
  block.beta = l == 0 ? p.beta : 1;
  block.a_row = plan.pack_a || p.transpose_a ? 1 : p.lda;
  block.a_depth = plan.pack_a ? kBlockRows : p.transpose_a ? p.lda : 1;
  for (std::int64_t r = 0; r < rows.count; ++r) {
    const std::int64_t i = rows.begin(r), height = rows.length(r);
    if (plan.pack_a && r % kPanels == 0) pack_a(p, l, depth, rows, r, std::min(r + kPanels, rows.count), packed_a);
    block.a = plan.pack_a ? packed_a + r % kPanels * kBlockRows * depth : p.a_at(i, l);
    for (std::int64_t panel = 0; panel < panels.count; ++panel) {
      const std::int64_t vectors = panels.length(panel), first = panels.begin(panel) * kLanes;
      block.b = plan.pack_b ? packed_b + first * depth : p.b_at(l, j + first);
      block.b_depth = plan.pack_b ? vectors * kLanes : p.ldb;
      block.c = p.c + i * p.ldc + j + first;
      const bool biased = l == 0 && p.bias != nullptr;
      block.added = biased ? p.bias + j + first : block.c;
      block.added_row = biased ? 0 : p.ldc;
      block.last = std::min(kLanes, columns - first - (vectors - 1) * kLanes);
      sgemm_block_of(height, vectors)(block);
    }
  }
}

// C = beta C, or beta times the bias.
void scale(const Product<float>& p) {
  for (std::int64_t i = 0; i < p.m; ++i) {
    float* c = p.c + i * p.ldc;
    const float* added = p.bias != nullptr ? p.bias : c;
    for (std::int64_t j = 0; j < p.n; ++j) c[j] = p.beta == 0 ? 0 : p.beta * added[j];
  }
}

void run(const Product<float>& p, float* memory) {
  if (p.k == 0 || p.alpha == 0) return scale(p);
  const Plan plan(p);
  for (std::int64_t j = 0; j < p.n; j += plan.columns)
    for (std::int64_t block = 0; block < plan.depths.count; ++block)
      run_block(p, plan, plan.depths.begin(block), plan.depths.length(block), j, memory);
}

std::int64_t memory(const Product<float>& p) {
  const Plan plan(p);
  return plan.a_memory() + plan.b_memory();
}

const Sgemm* find() {
  static constexpr Sgemm sgemm{run, memory};
  return &sgemm;
}

#else

const Sgemm* find() { return nullptr; }

#endif

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace ff::cpu
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace ff::cpu {
namespace {
HWY_EXPORT(find);
}  // namespace

const Sgemm* find_sgemm() {
  static const Sgemm* const found = HWY_DYNAMIC_DISPATCH(find)();
  return found;
}

}  // namespace ff::cpu
#endif  // HWY_ONCE
