// copy() and fill() of elementwise.h: moving elements between layouts and dtypes.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstring>
#include <limits>
#include <type_traits>
#include <utility>

#include "ff/core/cpu/elementwise.h"
#include "ff/core/cpu/strided.h"
#include "ff/core/parallel.h"

namespace ff::cpu {
namespace {

constexpr std::int64_t grain = 64 * 1024;  // elements a task copies
constexpr std::int64_t line_bytes = 64;    // of the cache

template <class To, class From>
To convert(From x) {
  if constexpr (std::is_same_v<To, From>) {
    return x;
  } else if constexpr (std::is_same_v<To, bool>) {
    return x != From{0};
  } else if constexpr (std::is_floating_point_v<From> && std::is_integral_v<To>) {
    // The largest integer may round up to a power of two as a floating value: from there on it is out of range.
    constexpr From low = static_cast<From>(std::numeric_limits<To>::min());
    constexpr From high = static_cast<From>(std::numeric_limits<To>::max());
    if (x >= high) return std::numeric_limits<To>::max();
    if (x <= low) return std::numeric_limits<To>::min();
    return x == x ? static_cast<To>(x) : To{0};
  } else {
    return static_cast<To>(x);
  }
}

// n elements along one dimension of both arrays.
using RunKernel = void (*)(std::int64_t n, const void* x, std::int64_t x_stride, void* y, std::int64_t y_stride);

template <class From, class To>
void convert_run(std::int64_t n, const void* x_, std::int64_t x_stride, void* y_, std::int64_t y_stride) {
  const auto* x = static_cast<const From*>(x_);
  auto* y = static_cast<To*>(y_);
  if (x_stride == 1 && y_stride == 1) {
    if constexpr (std::is_same_v<From, To>)
      std::memcpy(y, x, static_cast<std::size_t>(n) * sizeof(To));
    else
      for (std::int64_t i = 0; i < n; ++i) y[i] = convert<To>(x[i]);
  } else if (x_stride == 0) {
    const To value = convert<To>(*x);
    for (std::int64_t i = 0; i < n; ++i) y[i * y_stride] = value;
  } else if (y_stride == 1) {
    for (std::int64_t i = 0; i < n; ++i) y[i] = convert<To>(x[i * x_stride]);
  } else {
    for (std::int64_t i = 0; i < n; ++i) y[i * y_stride] = convert<To>(x[i * x_stride]);
  }
}

RunKernel run_kernel(DType from, DType to) {
  if (from == to) {
    const std::size_t size = size_of(from);
    return size == 1   ? &convert_run<std::uint8_t, std::uint8_t>
           : size == 4 ? &convert_run<std::uint32_t, std::uint32_t>
                       : &convert_run<std::uint64_t, std::uint64_t>;
  }
  return dispatch(from, [&](auto from_tag) {
    return dispatch(to, [&](auto to_tag) -> RunKernel { return &convert_run<decltype(from_tag), decltype(to_tag)>; });
  });
}

// Orders dimensions by falling strides of y (then of x): y is written as sequentially as can be.
void order_dimensions(Shape& shape, Strides& xs, Strides& ys) {
  auto before = [&](int i, int j) {
    return std::pair(std::abs(ys[i]), std::abs(xs[i])) > std::pair(std::abs(ys[j]), std::abs(xs[j]));
  };
  for (int i = 1; i < shape.rank(); ++i)
    for (int j = i; j > 0 && before(j, j - 1); --j) {
      std::swap(shape[j], shape[j - 1]);
      std::swap(xs[j], xs[j - 1]);
      std::swap(ys[j], ys[j - 1]);
    }
}

// If y is contiguous along the last dimension and x along another one, moves that next to the last; says whether so.
bool bring_transposed(Shape& shape, Strides& xs, Strides& ys) {
  const int last = shape.rank() - 1;
  if (last < 1 || ys[last] != 1 || xs[last] == 0 || xs[last] == 1) return false;
  int best = -1;
  for (int i = 0; i < last; ++i)
    if (xs[i] == 1) best = i;
  if (best < 0) return false;
  for (int i = best; i + 1 < last; ++i) {
    std::swap(shape[i], shape[i + 1]);
    std::swap(xs[i], xs[i + 1]);
    std::swap(ys[i], ys[i + 1]);
  }
  return true;
}

struct Plan {
  Shape shape;  // the walked dimensions, coalesced
  Strides xs, ys;
  std::int64_t x_bytes, y_bytes;
  const std::byte* x;
  std::byte* y;
  RunKernel run;

  void copy(std::int64_t n, std::int64_t x_offset, std::int64_t x_stride, std::int64_t y_offset,
            std::int64_t y_stride) const {
    run(n, x + x_offset * x_bytes, x_stride, y + y_offset * y_bytes, y_stride);
  }
};

// Rows along the last dimension; long ones are cut.
void copy_rows(const Plan& p) {
  const int last = p.shape.rank() - 1;
  const std::int64_t row = p.shape[last];
  parallel_for(p.shape.numel(), grain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t n; begin < end; begin += n) {
      n = std::min(end - begin, row - begin % row);
      p.copy(n, offset_of(begin, p.shape, p.xs), p.xs[last], offset_of(begin, p.shape, p.ys), p.ys[last]);
    }
  });
}

// y[r * y_stride + c] = x[c * x_stride + r] for r < rows, c < columns, both at most `tile`: lines of memory are read
// and written whole, by way of a buffer.
template <class T>
void transpose_tile(std::int64_t rows, std::int64_t columns, const void* x_, std::int64_t x_stride, void* y_,
                    std::int64_t y_stride) {
  constexpr std::int64_t tile = line_bytes / sizeof(T);
  const T* x = static_cast<const T*>(x_);
  T* y = static_cast<T*>(y_);
  T buffer[tile][tile];
  if (rows == tile && columns == tile) {  // the same as below with the sizes known
    for (std::int64_t c = 0; c < tile; ++c)
      for (std::int64_t r = 0; r < tile; ++r) buffer[r][c] = x[c * x_stride + r];
    for (std::int64_t r = 0; r < tile; ++r)
      for (std::int64_t c = 0; c < tile; ++c) y[r * y_stride + c] = buffer[r][c];
    return;
  }
  for (std::int64_t c = 0; c < columns; ++c)
    for (std::int64_t r = 0; r < rows; ++r) buffer[r][c] = x[c * x_stride + r];
  for (std::int64_t r = 0; r < rows; ++r)
    for (std::int64_t c = 0; c < columns; ++c) y[r * y_stride + c] = buffer[r][c];
}

// The last two dimensions in square blocks of tiles, which keep to few pages of memory: x is contiguous along the last
// dimension but one, y, of the same dtype, along the last.
void copy_transposed(const Plan& p) {
  const auto kernel = p.x_bytes == 1   ? &transpose_tile<std::uint8_t>
                      : p.x_bytes == 4 ? &transpose_tile<std::uint32_t>
                                       : &transpose_tile<std::uint64_t>;
  const std::int64_t tile = line_bytes / p.x_bytes, block = 8 * tile;
  const int last = p.shape.rank() - 1;
  const std::int64_t rows = p.shape[last - 1], columns = p.shape[last];
  const std::int64_t x_stride = p.xs[last], y_stride = p.ys[last - 1];
  Shape blocks = p.shape;
  Strides xs = p.xs, ys = p.ys;
  for (int i : {last - 1, last}) {
    blocks[i] = num_chunks(p.shape[i], block);
    xs[i] *= block;
    ys[i] *= block;
  }
  const std::int64_t at_once = std::max<std::int64_t>(1, grain / (std::min(block, rows) * std::min(block, columns)));
  parallel_for(blocks.numel(), at_once, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t b = begin; b < end; ++b) {
      const std::byte* x = p.x + offset_of(b, blocks, xs) * p.x_bytes;
      std::byte* y = p.y + offset_of(b, blocks, ys) * p.y_bytes;
      const std::int64_t height = std::min(block, rows - b / blocks[last] % blocks[last - 1] * block);
      const std::int64_t width = std::min(block, columns - b % blocks[last] * block);
      for (std::int64_t r = 0; r < height; r += tile)
        for (std::int64_t c = 0; c < width; c += tile)
          kernel(std::min(tile, height - r), std::min(tile, width - c), x + (c * x_stride + r) * p.x_bytes, x_stride,
                 y + (r * y_stride + c) * p.y_bytes, y_stride);
    }
  });
}

}  // namespace

void copy(DType from, DType to, const Shape& shape, const void* x, const Strides& x_strides, void* y,
          const Strides& y_strides) {
  Plan p{shape,
         x_strides,
         y_strides,
         static_cast<std::int64_t>(size_of(from)),
         static_cast<std::int64_t>(size_of(to)),
         static_cast<const std::byte*>(x),
         static_cast<std::byte*>(y),
         run_kernel(from, to)};
  order_dimensions(p.shape, p.xs, p.ys);
  coalesce(p.shape, {&p.xs, &p.ys});
  if (from == to && bring_transposed(p.shape, p.xs, p.ys))
    copy_transposed(p);
  else
    copy_rows(p);
}

void fill(DType dtype, std::int64_t n, void* y, double value) {
  dispatch(dtype, [&](auto tag) {
    using T = decltype(tag);
    const T v = convert<T>(value);
    parallel_for(n, grain, [&](std::int64_t begin, std::int64_t end) {
      std::fill(static_cast<T*>(y) + begin, static_cast<T*>(y) + end, v);
    });
  });
}

}  // namespace ff::cpu
