#include "ff/core/cpu/indexing.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "ff/core/parallel.h"

namespace ff::cpu {
namespace {

constexpr std::int64_t grain = 32 * 1024;  // elements a task moves
constexpr std::int64_t narrowest = 32;     // columns that tasks share an array by: two cache lines of floats

// Calls f with a value of an unsigned type of dtype's size: for moving elements whatever they are.
template <class F>
void dispatch_size(DType dtype, F f) {
  switch (size_of(dtype)) {
    case 1:
      return f(std::uint8_t{});
    case 4:
      return f(std::uint32_t{});
    default:
      return f(std::uint64_t{});
  }
}

// Calls f with a value of a type that dtype's sums wrap around in rather than overflow.
template <class F>
void dispatch_sum(DType dtype, F f) {
  switch (dtype) {
    case f32:
      return f(float{});
    case f64:
      return f(double{});
    case i32:
      return f(std::uint32_t{});
    default:
      return f(std::uint64_t{});
  }
}

// Cuts (outer, inner) into disjoint pieces of y that tasks may add to, each about `grain` additions, and calls
// body(o, i_begin, i_end). cost: additions to one element's column.
template <class Body>
void for_disjoint_columns(std::int64_t outer, std::int64_t inner, std::int64_t cost, Body body) {
  const std::int64_t width =
      std::clamp<std::int64_t>(grain / std::max<std::int64_t>(cost, 1), narrowest, std::max(inner, narrowest));
  const std::int64_t blocks = num_chunks(inner, width);
  const std::int64_t unit = std::max<std::int64_t>(1, cost * std::min(width, inner));
  parallel_for(outer * blocks, std::max<std::int64_t>(1, grain / unit), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t u = begin; u < end; ++u) {
      const std::int64_t i = u % blocks * width;
      body(u / blocks, i, std::min(inner, i + width));
    }
  });
}

// The positions of an index sorted by what they point to: entries[begins[t]], ... up to begins[t + 1], ascending, all
// point to targets[t].
struct Groups {
  std::vector<std::int64_t> entries, targets, begins;
};

Groups group(std::int64_t n, std::int64_t count, const std::int64_t* index) {
  Groups g;
  g.entries.resize(static_cast<std::size_t>(count));
  std::vector<std::int64_t> next(static_cast<std::size_t>(n) + 1);  // place of each target's next entry
  for (std::int64_t j = 0; j < count; ++j) ++next[static_cast<std::size_t>(index[j]) + 1];
  for (std::size_t t = 0; t < static_cast<std::size_t>(n); ++t) {
    if (next[t + 1] > 0) {
      g.targets.push_back(static_cast<std::int64_t>(t));
      g.begins.push_back(next[t]);
    }
    next[t + 1] += next[t];
  }
  g.begins.push_back(count);
  for (std::int64_t j = 0; j < count; ++j)
    g.entries[static_cast<std::size_t>(next[static_cast<std::size_t>(index[j])]++)] = j;
  return g;
}

// index_add() row by row of y: each is summed in one go by one task.
template <class T>
void add_by_rows(std::int64_t outer, std::int64_t n, std::int64_t inner, T* y, std::int64_t count,
                 const std::int64_t* index, const T* x) {
  const Groups g = group(n, count, index);
  const auto groups = static_cast<std::int64_t>(g.targets.size());
  const std::int64_t cost = std::max<std::int64_t>(1, count / std::max<std::int64_t>(groups, 1)) * inner;
  parallel_for(outer * groups, std::max<std::int64_t>(1, grain / cost), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t u = begin; u < end; ++u) {
      const std::int64_t o = u / groups;
      const auto t = static_cast<std::size_t>(u % groups);
      T* y_row = y + (o * n + g.targets[t]) * inner;
      for (std::int64_t k = g.begins[t]; k < g.begins[t + 1]; ++k) {
        const T* x_row = x + (o * count + g.entries[static_cast<std::size_t>(k)]) * inner;
        for (std::int64_t i = 0; i < inner; ++i) y_row[i] += x_row[i];
      }
    }
  });
}

// Whether index_add() groups its entries by rows. Either way each element is summed in the same order, so that this may
// weigh anything: rows are read whole, but cost the grouping, and a row that many entries go to is one task's.
bool worth_grouping(std::int64_t outer, std::int64_t n, std::int64_t inner, std::int64_t count) {
  constexpr std::int64_t shortest_row = 16, few_tasks = 8;
  return inner >= shortest_row && outer * num_chunks(inner, narrowest) < few_tasks && count * inner > 2 * grain &&
         n <= count * inner;
}

}  // namespace

void index_select(DType dtype, std::int64_t outer, std::int64_t n, std::int64_t inner, const void* x,
                  std::int64_t count, const std::int64_t* index, void* y) {
  dispatch_size(dtype, [&](auto tag) {
    using T = decltype(tag);
    const T* from = static_cast<const T*>(x);
    T* to = static_cast<T*>(y);
    const std::int64_t rows_at_once = std::max<std::int64_t>(1, grain / std::max<std::int64_t>(inner, 1));
    parallel_for(outer * count, rows_at_once, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t row = begin; row < end; ++row)
        std::copy_n(from + (row / count * n + index[row % count]) * inner, inner, to + row * inner);
    });
  });
}

void index_add(DType dtype, std::int64_t outer, std::int64_t n, std::int64_t inner, void* y, std::int64_t count,
               const std::int64_t* index, const void* x) {
  dispatch_sum(dtype, [&](auto tag) {
    using T = decltype(tag);
    const T* from = static_cast<const T*>(x);
    T* to = static_cast<T*>(y);
    if (worth_grouping(outer, n, inner, count)) return add_by_rows(outer, n, inner, to, count, index, from);
    for_disjoint_columns(outer, inner, count, [&](std::int64_t o, std::int64_t begin, std::int64_t end) {
      for (std::int64_t j = 0; j < count; ++j) {
        const T* x_row = from + (o * count + j) * inner;
        T* y_row = to + (o * n + index[j]) * inner;
        for (std::int64_t i = begin; i < end; ++i) y_row[i] += x_row[i];
      }
    });
  });
}

void gather(DType dtype, std::int64_t outer, std::int64_t n, std::int64_t inner, const void* x, std::int64_t count,
            const std::int64_t* index, void* y) {
  dispatch_size(dtype, [&](auto tag) {
    using T = decltype(tag);
    const T* from = static_cast<const T*>(x);
    T* to = static_cast<T*>(y);
    const std::int64_t rows_at_once = std::max<std::int64_t>(1, grain / std::max<std::int64_t>(inner, 1));
    parallel_for(outer * count, rows_at_once, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t row = begin; row < end; ++row) {
        const T* x_slab = from + row / count * n * inner;
        for (std::int64_t i = 0; i < inner; ++i) to[row * inner + i] = x_slab[index[row * inner + i] * inner + i];
      }
    });
  });
}

void scatter_add(DType dtype, std::int64_t outer, std::int64_t n, std::int64_t inner, void* y, std::int64_t count,
                 const std::int64_t* index, const void* x) {
  dispatch_sum(dtype, [&](auto tag) {
    using T = decltype(tag);
    const T* from = static_cast<const T*>(x);
    T* to = static_cast<T*>(y);
    for_disjoint_columns(outer, inner, count, [&](std::int64_t o, std::int64_t begin, std::int64_t end) {
      T* y_slab = to + o * n * inner;
      for (std::int64_t j = 0; j < count; ++j) {
        const std::int64_t row = (o * count + j) * inner;
        for (std::int64_t i = begin; i < end; ++i) y_slab[index[row + i] * inner + i] += from[row + i];
      }
    });
  });
}

void scatter(DType dtype, std::int64_t outer, std::int64_t n, std::int64_t inner, void* y, std::int64_t count,
             const std::int64_t* index, const void* x) {
  dispatch_size(dtype, [&](auto tag) {
    using T = decltype(tag);
    const T* from = static_cast<const T*>(x);
    T* to = static_cast<T*>(y);
    for_disjoint_columns(outer, inner, count, [&](std::int64_t o, std::int64_t begin, std::int64_t end) {
      T* y_slab = to + o * n * inner;
      for (std::int64_t j = 0; j < count; ++j) {
        const std::int64_t row = (o * count + j) * inner;
        for (std::int64_t i = begin; i < end; ++i) y_slab[index[row + i] * inner + i] = from[row + i];
      }
    });
  });
}

std::int64_t find_out_of_range(std::int64_t count, const std::int64_t* index, std::int64_t n) {
  // Negative numbers are the largest unsigned ones: one comparison, which vectorises.
  const auto limit = static_cast<std::uint64_t>(n);
  bool inside = true;
  for (std::int64_t i = 0; i < count; ++i) inside &= static_cast<std::uint64_t>(index[i]) < limit;
  if (inside) return -1;
  return std::find_if(index, index + count, [&](std::int64_t i) { return static_cast<std::uint64_t>(i) >= limit; }) -
         index;
}

}  // namespace ff::cpu
