// Parts of a tensor along a dimension, as views.

#include "ff/autograd/ops/slice.h"

#include <algorithm>

#include "ff/autograd/function.h"
#include "ff/autograd/ops/kernels.h"
#include "ff/autograd/ops/op_table.h"
#include "ff/autograd/ops/ops.h"
#include "ff/autograd/sparse_gradient.h"
#include "ff/core/check.h"
#include "ff/core/cpu/elementwise.h"

namespace ff {
namespace {

// Which entries along a dimension: begin, begin + step, ...
struct Range {
  int dim;
  std::int64_t begin, count, step;
  Tensor of(const Tensor& x) const { return kernels::part(x, dim, begin, count, step); }
};

struct SliceOp : Function<SliceOp> {
  static constexpr const char* name = "slice";
  Shape from;
  Range range{};
  Tensor forward(Context&, const Tensor& x, const Range& which) {
    from = x.shape(), range = which;
    return range.of(x);
  }
  Gradients backward(Context&, const Tensor& dy) const;
  bool add_backward(Context&, const Tensor& dy, const Tensor& sum) const {
    const Tensor part = range.of(sum);
    if (!part.is_contiguous()) return false;
    cpu::axpy(sum.dtype(), part.numel(), 1.0, dy.dense().raw(), part.raw());
    if (range.dim == 0 && range.step == 1) autograd::touch_rows(sum, {{range.begin, range.begin + range.count}});
    return true;
  }
};

// Zeros of a shape, but for a range of entries that is x: the adjoint of a slice.
struct Unslice : Function<Unslice> {
  static constexpr const char* name = "unslice";
  Range range{};
  Tensor forward(Context&, const Tensor& x, const Shape& shape, const Range& which) {
    range = which;
    Tensor y = zeros(shape, {.dtype = x.dtype()});
    range.of(y).assign(x);
    return y;
  }
  Gradients backward(Context&, const Tensor& dy) const { return {SliceOp::apply(dy, range)}; }
};

Gradients SliceOp::backward(Context&, const Tensor& dy) const { return {Unslice::apply(dy, from, range)}; }

// x (.., n, ..) to windows (.., count, .., size) along dim.
struct Unfold : Function<Unfold> {
  static constexpr const char* name = "unfold";
  Shape from;
  int dim = 0;
  std::int64_t size = 0, step = 1;
  Tensor forward(Context&, const Tensor& x, int along, std::int64_t width, std::int64_t by) {
    from = x.shape(), dim = along, size = width, step = by;
    Shape shape = from;
    Strides strides = x.strides();
    shape[dim] = (from[dim] - size) / step + 1;
    shape.push_back(size);
    strides[dim] *= step;
    strides.push_back(x.strides()[dim]);
    return x.as_strided(shape, strides);
  }
  Gradients backward(Context&, const Tensor& dy) const;
};

// Windows (.., count, .., size) added up where they lie in a shape, in the order of their entries: the adjoint of
// unfold.
struct Fold : Function<Fold> {
  static constexpr const char* name = "fold_windows";
  int dim = 0;
  std::int64_t size = 0, step = 1;
  Tensor forward(Context&, const Tensor& x, const Shape& shape, int along, std::int64_t by) {
    dim = along, size = x.size(-1), step = by;
    Tensor y = zeros(shape, {.dtype = x.dtype()});
    for (std::int64_t k = 0; k < size; ++k) {  // entry k of all windows: no two at one place
      const Tensor place = kernels::part(y, dim, k, x.shape()[dim], step);
      const Tensor entries = kernels::part(x, x.rank() - 1, k, 1);
      place.assign(
          kernels::binary(name, cpu::Binary::add, place, entries.as_strided(place.shape(), entries.strides())));
    }
    return y;
  }
  Gradients backward(Context&, const Tensor& dy) const { return {Unfold::apply(dy, dim, size, step)}; }
};

Gradients Unfold::backward(Context&, const Tensor& dy) const { return {Fold::apply(dy, from, dim, step)}; }

int checked_dim(const char* op, const Tensor& x, int dim) {
  check(x.rank() > 0, op, "a scalar has no entries to choose from");
  return normalize_dim(op, dim, x.rank());
}

}  // namespace

Tensor slice(const Tensor& x, int dim, std::int64_t begin, std::int64_t end, std::int64_t step, Where site) {
  const CallSite here(site);
  const int at = checked_dim("slice", x, dim);
  check(step != 0, "slice", "a step of 0, of shape {}", x.shape().str());
  const std::int64_t n = x.shape()[at];
  if (step > 0) {
    auto clamp = [n](std::int64_t i) { return std::clamp<std::int64_t>(i < 0 ? i + n : i, 0, n); };
    const std::int64_t first = clamp(begin), length = clamp(end) - first,
                       by = std::min(step, std::max<std::int64_t>(n, 1));
    return SliceOp::apply(x, Range{at, first, length > 0 ? (length - 1) / by + 1 : 0, by});
  }
  // The same entries in ascending order, then turned around.
  auto clamp = [n](std::int64_t i) { return std::clamp<std::int64_t>(i < 0 ? i + n : i, -1, n - 1); };
  const std::int64_t first = clamp(begin), length = first - clamp(end), by = -std::max(step, -n - 1);
  const std::int64_t count = length > 0 ? (length - 1) / by + 1 : 0;
  return flip(SliceOp::apply(x, Range{at, count > 0 ? first - (count - 1) * by : 0, count, by}), {at});
}

Tensor narrow(const Tensor& x, int dim, std::int64_t start, std::int64_t length, Where site) {
  const CallSite here(site);
  const int at = checked_dim("narrow", x, dim);
  const std::int64_t n = x.shape()[at];
  const bool inside = start >= -n && start <= n && length >= 0 && length <= n - (start < 0 ? start + n : start);
  check(inside, "narrow", "{} entries from {} on: dimension {} of shape {} does not have them", length, start, dim,
        x.shape().str());
  return SliceOp::apply(x, Range{at, start < 0 ? start + n : start, length, 1});
}

Tensor select(const Tensor& x, int dim, std::int64_t index, Where site) {
  const CallSite here(site);
  const int at = checked_dim("select", x, dim);
  const std::int64_t n = x.shape()[at];
  check(index >= -n && index < n, "select", "index out of range: {} of dimension {} of shape {}", index, dim,
        x.shape().str());
  return squeeze(SliceOp::apply(x, Range{at, index < 0 ? index + n : index, 1, 1}), at);
}

Tensor unfold(const Tensor& x, int dim, std::int64_t size, std::int64_t step, Where site) {
  const CallSite here(site);
  const int at = checked_dim("unfold", x, dim);
  check(size >= 0 && size <= x.shape()[at], "unfold", "windows of {} do not fit dimension {} of shape {}", size, dim,
        x.shape().str());
  check(step > 0, "unfold", "a step of at least 1 is needed: {}", step);
  return Unfold::apply(x, at, size, std::min(step, std::max<std::int64_t>(x.shape()[at] + 1, 1)));
}

std::vector<OpRecord> slice_ops() {
  using Inputs = std::vector<Tensor>;
  auto slices = [](Sampler& s) {
    auto call = [](int dim, std::int64_t begin, std::int64_t end, std::int64_t step) {
      return [=](const Inputs& in) { return slice(in[0], dim, begin, end, step); };
    };
    return std::vector<OpSample>{{"middle", {s.normal({3, 5})}, call(1, 1, 4, 1)},
                                 {"every second", {s.normal({3, 5})}, call(-1, 0, INT64_MAX, 2)},
                                 {"from the end", {s.normal({4, 2})}, call(0, -3, -1, 1)},
                                 {"nothing", {s.normal({3, 2})}, call(0, 2, 1, 1)},
                                 {"backwards", {s.normal({5, 2})}, call(0, -1, INT64_MIN, -2)},
                                 {"nothing of many", {s.normal({4, 2})}, call(0, 0, 0, 5)}};
  };
  auto windows = [](Sampler& s) {
    auto call = [](int dim, std::int64_t size, std::int64_t step) {
      return [=](const Inputs& in) { return unfold(in[0], dim, size, step); };
    };
    return std::vector<OpSample>{{"overlapping", {s.normal({7})}, call(0, 3, 2)},
                                 {"middle", {s.normal({2, 4, 2})}, call(1, 2, 1)},
                                 {"with gaps", {s.normal({2, 6})}, call(-1, 1, 4)},
                                 {"one window", {s.normal({3, 2})}, call(0, 3, 1)},
                                 {"of nothing", {s.normal({3})}, call(0, 0, 2)}};
  };
  return {{"slice", true, slices},
          {"narrow", true,
           [](Sampler& s) {
             return std::vector<OpSample>{
                 {"from the end", {s.normal({2, 4})}, [](const Inputs& in) { return narrow(in[0], 1, -3, 2); }},
                 {"nothing", {s.normal({2, 4})}, [](const Inputs& in) { return narrow(in[0], 0, 2, 0); }}};
           }},
          {"select", true,
           [](Sampler& s) {
             return std::vector<OpSample>{
                 {"negative", {s.normal({3, 4})}, [](const Inputs& in) { return select(in[0], 1, -2); }},
                 {"of a vector", {s.normal({3})}, [](const Inputs& in) { return select(in[0], 0, 1); }}};
           }},
          {"unfold", true, windows}};
}

}  // namespace ff
