#include "ff/core/cpu/strided.h"

#include <algorithm>
#include <cstring>

namespace ff::cpu {

void coalesce(Shape& shape, std::initializer_list<Strides*> strides) {
  if (shape.numel() == 0) {
    shape = {0};
    for (Strides* s : strides) *s = {0};
    return;
  }
  auto erase = [&](int dim) {
    shape.erase(dim);
    for (Strides* s : strides) s->erase(dim);
  };
  for (int i = shape.rank() - 1; i >= 0; --i)
    if (shape[i] == 1) erase(i);
  for (int i = shape.rank() - 2; i >= 0; --i) {
    const bool merge = std::all_of(strides.begin(), strides.end(),
                                   [&](const Strides* s) { return (*s)[i] == (*s)[i + 1] * shape[i + 1]; });
    if (!merge) continue;
    shape[i + 1] *= shape[i];
    erase(i);
  }
  if (shape.rank() > 0) return;
  shape = {1};
  for (Strides* s : strides) *s = {0};
}

bool is_dense(const Shape& shape, const Strides& strides) {
  std::int64_t expected = 1;
  for (int i = shape.rank() - 1; i >= 0; --i) {
    if (shape[i] != 1 && strides[i] != expected) return shape.numel() == 0;
    expected *= shape[i];
  }
  return true;
}

std::int64_t offset_of(std::int64_t flat, const Shape& shape, const Strides& strides) {
  std::int64_t offset = 0;
  for (int i = shape.rank() - 1; i >= 0 && flat != 0; --i) {
    offset += flat % shape[i] * strides[i];
    flat /= shape[i];
  }
  return offset;
}

namespace {

template <class T>
void copy_run(std::int64_t n, const T* x, std::int64_t stride, T* y) {
  constexpr std::int64_t short_run = 32;  // not worth a call of memcpy
  if (stride == 0) {
    const T value = *x;
    for (std::int64_t i = 0; i < n; ++i) y[i] = value;
  } else if (stride == 1 && n > short_run) {
    std::memcpy(y, x, static_cast<std::size_t>(n) * sizeof(T));
  } else {
    for (std::int64_t i = 0; i < n; ++i) y[i] = x[i * stride];
  }
}

// Steps index to the next row (all dimensions but the last), returning how x moves.
std::int64_t next_row(Shape& index, const Shape& shape, const Strides& strides) {
  std::int64_t step = 0;
  for (int i = shape.rank() - 2; i >= 0; --i) {
    step += strides[i];
    if (++index[i] < shape[i]) break;
    step -= strides[i] * shape[i];
    index[i] = 0;
  }
  return step;
}

// y[i] = x[(begin + i) % period * stride]: one period, then copies of what is there.
template <class T>
void repeat_row(std::int64_t period, std::int64_t stride, const T* x, std::int64_t begin, std::int64_t n, T* y) {
  std::int64_t done = std::min(n, period);
  for (std::int64_t i = 0, from = begin % period; i < done; ++i, from = from + 1 == period ? 0 : from + 1)
    y[i] = x[from * stride];
  for (std::int64_t more; done < n; done += more) {
    more = std::min(done, n - done);
    std::memcpy(y + done, y, static_cast<std::size_t>(more) * sizeof(T));
  }
}

template <class T>
void gather_typed(const Shape& shape, const Strides& strides, const T* x, std::int64_t begin, std::int64_t n, T* y) {
  const int last = shape.rank() - 1;
  if (std::all_of(strides.begin(), strides.end() - 1, [](std::int64_t s) { return s == 0; }))
    return repeat_row(shape[last], strides[last], x, begin, n, y);
  Shape index = shape;
  for (int i = last; i >= 0; --i) {
    index[i] = begin % shape[i];
    begin /= shape[i];
    x += index[i] * strides[i];
  }
  std::int64_t run = std::min(n, shape[last] - index[last]);
  x -= index[last] * strides[last];
  copy_run(run, x + index[last] * strides[last], strides[last], y);
  for (std::int64_t done = run; done < n; done += run) {
    x += next_row(index, shape, strides);
    run = std::min(n - done, shape[last]);
    copy_run(run, x, strides[last], y + done);
  }
}

}  // namespace

void gather_block(std::int64_t element_size, const Shape& shape, const Strides& strides, const void* x,
                  std::int64_t begin, std::int64_t n, void* y) {
  auto typed = [&](auto tag) {
    using T = decltype(tag);
    gather_typed(shape, strides, static_cast<const T*>(x), begin, n, static_cast<T*>(y));
  };
  if (element_size == 1)
    typed(std::uint8_t{});
  else if (element_size == 4)
    typed(std::uint32_t{});
  else
    typed(std::uint64_t{});
}

}  // namespace ff::cpu
