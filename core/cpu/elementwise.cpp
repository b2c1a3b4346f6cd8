#include "ff/core/cpu/elementwise.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <memory>

#include "ff/core/cpu/elementwise_kernels.h"
#include "ff/core/cpu/scratch.h"
#include "ff/core/cpu/strided.h"
#include "ff/core/parallel.h"

namespace ff::cpu {
namespace {

// Elements handed to a kernel at once where an operand has to be gathered first: two or three such buffers fit in the
// first-level cache.
constexpr std::int64_t block_size = 1024;
// Rows from this length on are walked one by one, so that what is contiguous along them is read in place.
constexpr std::int64_t long_row = 256;

constexpr std::int64_t grain_light = 64 * 1024, grain_costly = 16 * 1024;

using Buffer = std::array<std::byte, block_size * 8>;

// One input of an operation, seen in blocks of consecutive elements of the output.
class Input {
 public:
  Input(std::int64_t element_size, const Shape& shape, const Strides& strides, const void* data)
      : element_size_(element_size),
        shape_(shape),
        strides_(strides),
        data_(static_cast<const std::byte*>(data)),
        dense_(is_dense(shape, strides)),
        splat_(std::all_of(strides.begin(), strides.end(), [](std::int64_t s) { return s == 0; })),
        row_(shape[shape.rank() - 1]),
        in_rows_(row_ >= long_row && strides[strides.rank() - 1] == 1) {
    if (is_transposed()) make_dense();
  }

  bool dense() const { return dense_; }
  const void* in_place(std::int64_t begin) const { return data_ + begin * element_size_; }

  /// Elements [begin, begin + n), which lie in one row if rows are long: in place, or copied to buffer.
  const void* block(std::int64_t begin, std::int64_t n, Buffer& buffer) const {
    if (dense_) return in_place(begin);
    if (in_rows_) return data_ + offset_of(begin, shape_, strides_) * element_size_;
    gather_block(element_size_, shape_, strides_, data_, begin, n, buffer.data());
    return buffer.data();
  }

  /// Fills buffer for good if all elements are the same one.
  bool fill_splat(std::int64_t n, Buffer& buffer) const {
    if (splat_ && !dense_) gather_block(element_size_, {n}, {0}, data_, 0, n, buffer.data());
    return splat_ && !dense_;
  }

 private:
  // Contiguous along another dimension than the last, and too large for the first-level cache: gathering blocks of the
  // output's order would fetch each of its lines many times.
  bool is_transposed() const {
    constexpr std::int64_t small = 4096;
    return shape_.numel() > small && strides_[strides_.rank() - 1] > 1 &&
           std::find(strides_.begin(), strides_.end(), 1) != strides_.end();
  }

  void make_dense() {
    copy_ = std::make_unique<Scratch<std::byte>>(shape_.numel() * element_size_);
    const DType any = element_size_ == 1 ? u8 : element_size_ == 4 ? f32 : f64;  // the bytes alone matter
    copy(any, any, shape_, data_, strides_, copy_->data(), contiguous_strides(shape_));
    data_ = copy_->data();
    dense_ = true;
  }

  std::int64_t element_size_;
  Shape shape_;
  Strides strides_;
  const std::byte* data_;
  bool dense_, splat_;
  std::int64_t row_;
  bool in_rows_;
  std::unique_ptr<Scratch<std::byte>> copy_;
};

// Calls kernel(begin, n, pointers) on blocks covering the dense output of that shape, in parallel.
template <std::size_t N, class Kernel>
void for_each_block(const Shape& shape, const std::array<Input, N>& inputs, std::int64_t grain, Kernel kernel) {
  const std::int64_t row = shape[shape.rank() - 1];
  const bool all_dense = std::all_of(inputs.begin(), inputs.end(), [](const Input& in) { return in.dense(); });
  parallel_for(shape.numel(), grain, [&](std::int64_t begin, std::int64_t end) {
    std::array<const void*, N> pointers;
    if (all_dense) {
      for (std::size_t i = 0; i < N; ++i) pointers[i] = inputs[i].in_place(begin);
      kernel(begin, end - begin, pointers);
      return;
    }
    alignas(64) std::array<Buffer, N> buffers;
    std::array<bool, N> ready;
    for (std::size_t i = 0; i < N; ++i) {
      ready[i] = inputs[i].fill_splat(std::min(end - begin, block_size), buffers[i]);
      pointers[i] = buffers[i].data();
    }
    for (std::int64_t n; begin < end; begin += n) {
      n = std::min(end - begin, block_size);
      if (row >= long_row) n = std::min(n, row - begin % row);
      for (std::size_t i = 0; i < N; ++i)
        if (!ready[i]) pointers[i] = inputs[i].block(begin, n, buffers[i]);
      kernel(begin, n, pointers);
    }
  });
}

std::int64_t bytes(DType dtype) { return static_cast<std::int64_t>(size_of(dtype)); }

}  // namespace

void unary(Unary op, DType dtype, const Shape& shape, const void* x, const Strides& x_strides, void* y) {
  const UnaryKernel kernel = unary_kernel(op, dtype);
  Shape s = shape;
  Strides xs = x_strides;
  coalesce(s, {&xs});
  const std::array inputs{Input(bytes(dtype), s, xs, x)};
  const std::int64_t y_bytes = gives_boolean(op) ? 1 : bytes(dtype);
  for_each_block(s, inputs, is_costly(op) ? grain_costly : grain_light,
                 [&](std::int64_t begin, std::int64_t n, auto& p) {
                   kernel(n, p[0], static_cast<std::byte*>(y) + begin * y_bytes);
                 });
}

namespace {

// Whether an exponent is 2 throughout: the square is the power to the last bit, and much cheaper.
bool is_splat_of_two(DType dtype, const Shape& shape, const void* x, const Strides& strides) {
  for (int i = 0; i < shape.rank(); ++i)
    if (shape[i] != 1 && strides[i] != 0) return false;
  return shape.numel() > 0 &&
         dispatch(dtype, [&](auto tag) { return *static_cast<const decltype(tag)*>(x) == decltype(tag)(2); });
}

}  // namespace

void binary(Binary op, DType dtype, const Shape& shape, const void* a, const Strides& a_strides, const void* b,
            const Strides& b_strides, void* y) {
  if (op == Binary::pow && is_splat_of_two(dtype, shape, b, b_strides))
    return unary(Unary::square, dtype, shape, a, a_strides, y);
  const BinaryKernel kernel = binary_kernel(op, dtype);
  Shape s = shape;
  Strides as = a_strides, bs = b_strides;
  coalesce(s, {&as, &bs});
  const std::array inputs{Input(bytes(dtype), s, as, a), Input(bytes(dtype), s, bs, b)};
  const std::int64_t y_bytes = gives_boolean(op) ? 1 : bytes(dtype);
  for_each_block(s, inputs, is_costly(op) ? grain_costly : grain_light,
                 [&](std::int64_t begin, std::int64_t n, auto& p) {
                   kernel(n, p[0], p[1], static_cast<std::byte*>(y) + begin * y_bytes);
                 });
}

namespace {

template <class T>
void select(std::int64_t n, const void* condition_, const void* a_, const void* b_, void* y_) {
  const auto* condition = static_cast<const std::uint8_t*>(condition_);
  const auto *a = static_cast<const T*>(a_), *b = static_cast<const T*>(b_);
  auto* y = static_cast<T*>(y_);
  for (std::int64_t i = 0; i < n; ++i) y[i] = condition[i] != 0 ? a[i] : b[i];
}

}  // namespace

void where(DType dtype, const Shape& shape, const std::uint8_t* condition, const Strides& condition_strides,
           const void* a, const Strides& a_strides, const void* b, const Strides& b_strides, void* y) {
  const std::int64_t size = bytes(dtype);
  const auto kernel = size == 1 ? &select<std::uint8_t> : size == 4 ? &select<std::uint32_t> : &select<std::uint64_t>;
  Shape s = shape;
  Strides cs = condition_strides, as = a_strides, bs = b_strides;
  coalesce(s, {&cs, &as, &bs});
  const std::array inputs{Input(1, s, cs, condition), Input(size, s, as, a), Input(size, s, bs, b)};
  for_each_block(s, inputs, grain_light, [&](std::int64_t begin, std::int64_t n, auto& p) {
    kernel(n, p[0], p[1], p[2], static_cast<std::byte*>(y) + begin * size);
  });
}

void axpy(DType dtype, std::int64_t n, double alpha, const void* x, void* y) {
  dispatch_floating(dtype, [&](auto tag) {
    using T = decltype(tag);
    const T a = static_cast<T>(alpha);
    const T* from = static_cast<const T*>(x);
    T* to = static_cast<T*>(y);
    parallel_for(n, grain_light, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) to[i] += a * from[i];
    });
  });
}

void scale(DType dtype, std::int64_t n, double alpha, void* y) {
  dispatch_floating(dtype, [&](auto tag) {
    using T = decltype(tag);
    const T a = static_cast<T>(alpha);
    T* to = static_cast<T*>(y);
    parallel_for(n, grain_light, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) to[i] *= a;
    });
  });
}

}  // namespace ff::cpu
