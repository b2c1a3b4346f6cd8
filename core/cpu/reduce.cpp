#include "ff/core/cpu/reduce.h"

#include <algorithm>
#include <cstddef>
#include <memory>
#include <utility>

#include "ff/core/cpu/elementwise.h"
#include "ff/core/cpu/reduce_kernels.h"
#include "ff/core/cpu/scratch.h"
#include "ff/core/cpu/strided.h"
#include "ff/core/parallel.h"
#include "ff/core/pieces.h"

namespace ff::cpu {
namespace {

constexpr std::int64_t grain = 64 * 1024;           // elements a task reads
constexpr std::int64_t row_piece = 32 * 1024;       // longest row reduced in one go
constexpr std::int64_t column_block = 512;          // columns whose accumulators a task holds
constexpr std::int64_t shortest_column_piece = 64;  // rows

std::int64_t bytes(DType dtype) { return static_cast<std::int64_t>(size_of(dtype)); }

// Working memory for elements of any type.
using Bytes = Scratch<std::byte>;

const std::byte* at(const void* x, std::int64_t i, DType dtype) {
  return static_cast<const std::byte*>(x) + i * bytes(dtype);
}
std::byte* at(void* x, std::int64_t i, DType dtype) { return static_cast<std::byte*>(x) + i * bytes(dtype); }

// A dense array (outer, n, inner) to be reduced along its middle.
struct Middle {
  std::int64_t outer, n, inner;
};

// How many elements along n are reduced in one go. Depends on the sizes alone, and so does the order of every sum.
std::int64_t piece_length(const Middle& m) {
  if (m.inner == 1) return row_piece;
  if (m.outer * num_chunks(m.inner, column_block) >= 16) return std::max(m.n, std::int64_t{1});
  return std::max(shortest_column_piece, grain / std::min(m.inner, column_block));
}

// y (outer, pieces, inner), in the accumulator's dtype, from x (outer, n, inner).
void reduce_pieces(Reduction op, DType dtype, const Middle& m, std::int64_t piece, const void* x, void* y) {
  const ReduceKernels kernels = reduce_kernels(op, dtype);
  const DType acc = accumulator_dtype(op, dtype);
  const std::int64_t pieces = std::max<std::int64_t>(num_chunks(m.n, piece), 1);
  const std::int64_t blocks = m.inner == 1 ? 1 : num_chunks(m.inner, column_block);
  const std::int64_t unit_cost = std::max<std::int64_t>(std::min(piece, m.n) * std::min(m.inner, column_block), 16);
  parallel_for(m.outer * pieces * blocks, std::max<std::int64_t>(1, grain / unit_cost),
               [&](std::int64_t begin, std::int64_t end) {
                 for (std::int64_t unit = begin; unit < end; ++unit) {
                   const std::int64_t block = unit % blocks, row = unit / blocks;  // row of (outer, pieces)
                   const std::int64_t first = row % pieces * piece, column = block * column_block;
                   const std::int64_t rows = std::min(piece, m.n - first);
                   const std::byte* from = at(x, (row / pieces * m.n + first) * m.inner + column, dtype);
                   std::byte* to = at(y, row * m.inner + column, acc);
                   if (m.inner == 1)
                     kernels.row(rows, from, to);
                   else
                     kernels.columns(rows, m.inner, std::min(column_block, m.inner - column), from, to);
                 }
               });
}

// y (outer, inner), in the accumulator's dtype, from x (outer, n, inner).
void reduce_middle(Reduction op, DType dtype, const Middle& m, const void* x, void* y) {
  const std::int64_t piece = piece_length(m), pieces = num_chunks(m.n, piece);
  if (pieces <= 1) return reduce_pieces(op, dtype, m, piece, x, y);
  const DType acc = accumulator_dtype(op, dtype);
  const Bytes partial(m.outer * pieces * m.inner * bytes(acc));
  reduce_pieces(op, dtype, m, piece, x, partial.data());
  reduce_middle(op, acc, {m.outer, pieces, m.inner}, partial.data(), y);
}

// The dimensions of x but those of size 1, those with the largest strides first: the order they lie in memory.
struct Dimensions {
  Shape shape, strides, y_strides;  // y_strides: 0 where reduced
  bool reduced(int i) const { return y_strides[i] == 0; }
};

Dimensions in_memory_order(const Shape& shape, const bool* reduced, const Strides& strides) {
  Dimensions d;
  std::int64_t y_stride = 1;
  for (int i = shape.rank() - 1; i >= 0; --i) {
    if (shape[i] == 1) continue;
    int place = 0;
    while (place < d.shape.rank() && d.strides[place] > strides[i]) ++place;
    d.shape.insert(place, shape[i]);
    d.strides.insert(place, strides[i]);
    d.y_strides.insert(place, reduced[i] ? 0 : y_stride);
    if (!reduced[i]) y_stride *= shape[i];
  }
  return d;
}

// Splits dense dimensions about the last group of reduced ones: (outer, n, inner).
Middle last_reduced(const Dimensions& d) {
  Middle m{1, 1, 1};
  int i = d.shape.rank() - 1;
  for (; i >= 0 && !d.reduced(i); --i) m.inner *= d.shape[i];
  for (; i >= 0 && d.reduced(i); --i) m.n *= d.shape[i];
  for (; i >= 0; --i) m.outer *= d.shape[i];
  return m;
}

void erase_last_reduced(Dimensions& d) {
  int i = d.shape.rank() - 1;
  while (i >= 0 && !d.reduced(i)) --i;
  for (; i >= 0 && d.reduced(i); --i) {
    d.shape.erase(i);
    d.strides.erase(i);
    d.y_strides.erase(i);
  }
}

bool any_reduced(const Dimensions& d) {
  return std::find(d.y_strides.begin(), d.y_strides.end(), 0) != d.y_strides.end();
}

double empty_value(Reduction op) { return op == Reduction::prod || op == Reduction::all ? 1 : 0; }

}  // namespace

void reduce(Reduction op, DType dtype, const Shape& shape, const bool* reduced, const void* x, const Strides& x_strides,
            void* y) {
  if (shape.numel() == 0) {
    std::int64_t kept = 1;
    for (int i = 0; i < shape.rank(); ++i) kept *= reduced[i] ? 1 : shape[i];
    return fill(dtype, kept, y, empty_value(op));
  }
  Dimensions d = in_memory_order(shape, reduced, x_strides);
  std::unique_ptr<Bytes> current;  // what x points to once it is not the caller's
  if (any_reduced(d) && !is_dense(d.shape, d.strides)) {
    current = std::make_unique<Bytes>(shape.numel() * bytes(dtype));
    copy(dtype, dtype, d.shape, x, d.strides, current->data(), contiguous_strides(d.shape));
    d.strides = contiguous_strides(d.shape);
    x = current->data();
  }
  DType from = dtype;
  while (any_reduced(d)) {  // from the innermost group out, each pass dense
    const Middle m = last_reduced(d);
    erase_last_reduced(d);
    const DType acc = accumulator_dtype(op, from);
    d.strides = contiguous_strides(d.shape);
    if (acc == dtype && is_dense(d.shape, d.y_strides)) return reduce_middle(op, from, m, x, y);
    auto next = std::make_unique<Bytes>(m.outer * m.inner * bytes(acc));
    reduce_middle(op, from, m, x, next->data());
    current = std::move(next);
    x = current->data();
    from = acc;
  }
  copy(from, dtype, d.shape, x, d.strides, y, d.y_strides);
}

double sum_of_squares(const std::vector<Elements>& arrays) {
  std::vector<std::int64_t> sizes;
  for (const Elements& array : arrays) sizes.push_back(array.n);
  const std::vector<Piece> pieces = cut_into_pieces(sizes, grain);
  const Scratch<double> partial(std::ssize(pieces));
  parallel_for(partial.size(), 1, [&](std::int64_t i, std::int64_t) {
    const Piece& piece = pieces[static_cast<std::size_t>(i)];
    const Elements& array = arrays[piece.array];
    std::vector<Run> runs = runs_within(array.nonzero, piece.begin, piece.end);
    for (Run& run : runs) run = {run.begin - piece.begin, run.end - piece.begin};
    partial[i] =
        sum_of_squares_kernel(array.dtype, piece.end - piece.begin, at(array.x, piece.begin, array.dtype), runs);
  });
  double total = 0;
  reduce_kernels(Reduction::sum, f64).row(partial.size(), partial.data(), &total);
  return total;
}

}  // namespace ff::cpu
