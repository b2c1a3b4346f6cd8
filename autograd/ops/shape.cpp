// Views and copies: the same elements otherwise arranged.

#include <algorithm>

#include "ff/autograd/function.h"
#include "ff/autograd/ops/op_table.h"
#include "ff/autograd/ops/ops.h"
#include "ff/core/check.h"

namespace ff {
namespace {

// Strides with which x's elements, in order, have the given shape, if some do: x is taken as runs of dimensions that
// lie densely in memory, innermost first, and each run is cut up anew.
std::optional<Strides> view_strides(const Tensor& x, const Shape& shape) {
  if (x.numel() == 0 || x.rank() == 0) return contiguous_strides(shape);
  Strides strides = Shape::filled(shape.rank(), 1);
  int to = shape.rank() - 1;
  std::int64_t step = x.strides()[x.rank() - 1], run = 1;
  for (int from = x.rank() - 1; from >= 0; --from) {
    run *= x.shape()[from];
    const bool goes_on = from > 0 && (x.shape()[from - 1] == 1 || x.strides()[from - 1] == run * step);
    if (goes_on) continue;
    std::int64_t cut = 1;
    for (; to >= 0 && (cut < run || shape[to] == 1); --to) {
      strides[to] = cut * step;
      cut *= shape[to];
    }
    if (cut != run) return std::nullopt;
    if (from > 0) step = x.strides()[from - 1];
    run = 1;
  }
  return strides;
}

struct Reshape : Function<Reshape> {
  static constexpr const char* name = "reshape";
  Shape from;
  Tensor forward(Context&, const Tensor& x, const Shape& shape) {
    from = x.shape();
    if (const auto strides = view_strides(x, shape)) return x.as_strided(shape, *strides);
    return x.copy().as_strided(shape, contiguous_strides(shape));
  }
  Gradients backward(Context&, const Tensor& dy) const { return {reshape(dy, from)}; }
};

struct Permute : Function<Permute> {
  static constexpr const char* name = "permute";
  Dims inverse;
  Tensor forward(Context&, const Tensor& x, const Dims& dims) {
    Shape shape, strides;
    inverse.assign(dims.size(), -1);
    check(static_cast<int>(dims.size()) == x.rank(), name, "{} dimensions named of a tensor of shape {}", dims.size(),
          x.shape().str());
    for (std::size_t i = 0; i < dims.size(); ++i) {
      const int from = normalize_dim(name, dims[i], x.rank());
      check(inverse[static_cast<std::size_t>(from)] < 0, name, "dimension {} is named twice", dims[i]);
      inverse[static_cast<std::size_t>(from)] = static_cast<int>(i);
      shape.push_back(x.shape()[from]);
      strides.push_back(x.strides()[from]);
    }
    return x.as_strided(shape, strides);
  }
  Gradients backward(Context&, const Tensor& dy) const { return {permute(dy, inverse)}; }
};

struct BroadcastTo : Function<BroadcastTo> {
  static constexpr const char* name = "broadcast_to";
  static Tensor forward(Context&, const Tensor& x, const Shape& shape) {
    check(broadcast_shapes(name, x.shape(), shape) == shape, name, "{} does not broadcast to {}", x.shape().str(),
          shape.str());
    return x.as_strided(shape, broadcast_strides(x.shape(), x.strides(), shape));
  }
  // The engine sums it over the repeated dimensions.
  static Gradients backward(Context&, const Tensor& dy) { return {dy}; }
};

Tensor slice_view(const Tensor& x, int dim, std::int64_t begin, std::int64_t count, std::int64_t step) {
  Shape shape = x.shape();
  Strides strides = x.strides();
  const std::int64_t stride = strides[dim];
  shape[dim] = count;
  strides[dim] = stride * step;
  return x.as_strided(shape, strides, begin * stride);
}

// Zeros of a shape, but for a slice along dim that is x: the adjoint of a slice.
struct Unslice : Function<Unslice> {
  static constexpr const char* name = "unslice";
  int dim = 0;
  std::int64_t begin = 0, count = 0, step = 1;
  Tensor forward(Context&, const Tensor& x, const Shape& shape, int along, std::int64_t first, std::int64_t by) {
    dim = along, begin = first, count = x.shape()[along], step = by;
    Tensor y = zeros(shape, {.dtype = x.dtype()});
    slice_view(y, dim, begin, count, step).assign(x);
    return y;
  }
  Gradients backward(Context&, const Tensor& dy) const {
    return {slice(dy, dim, begin, begin + (count - 1) * step + 1, step)};
  }
};

struct Slice : Function<Slice> {
  static constexpr const char* name = "slice";
  Shape from;
  int dim = 0;
  std::int64_t begin = 0, step = 1;
  Tensor forward(Context&, const Tensor& x, int along, std::int64_t first, std::int64_t count, std::int64_t by) {
    from = x.shape(), dim = along, begin = first, step = by;
    return slice_view(x, dim, begin, count, step);
  }
  Gradients backward(Context&, const Tensor& dy) const { return {Unslice::apply(dy, from, dim, begin, step)}; }
};

struct Clone : Function<Clone> {
  static constexpr const char* name = "clone";
  static Tensor forward(Context&, const Tensor& x) { return x.copy(); }
  static Gradients backward(Context&, const Tensor& dy) { return {dy}; }
};

}  // namespace

Tensor reshape(const Tensor& x, const Shape& shape, Where site) {
  const CallSite here(site);
  Shape full = shape;
  std::int64_t known = 1;
  int unknown = -1;
  for (int i = 0; i < shape.rank(); ++i) {
    if (shape[i] == -1 && unknown < 0)
      unknown = i;
    else
      known *= shape[i];
  }
  if (unknown >= 0) full[unknown] = known > 0 ? x.numel() / known : 0;
  check(full.numel() == x.numel() && known >= 0, "reshape", "{} does not have the elements of {}", x.shape().str(),
        shape.str());
  return full == x.shape() ? x : Reshape::apply(x, full);
}

Tensor flatten(const Tensor& x, int begin, int end, Where site) {
  const CallSite here(site);
  if (x.rank() == 0) return reshape(x, {1});
  const int first = normalize_dim("flatten", begin, x.rank()), last = normalize_dim("flatten", end, x.rank());
  check(first <= last, "flatten", "dimension {} lies behind {}", begin, end);
  Shape shape;
  for (int i = 0; i < x.rank(); ++i) {
    if (i > first && i <= last)
      shape[first] *= x.shape()[i];
    else
      shape.push_back(x.shape()[i]);
  }
  return reshape(x, shape);
}

Tensor permute(const Tensor& x, const Dims& dims, Where site) { return Permute::apply(site, x, dims); }

Tensor transpose(const Tensor& x, int a, int b, Where site) {
  const CallSite here(site);
  const int first = normalize_dim("transpose", a, x.rank()), second = normalize_dim("transpose", b, x.rank());
  if (first == second) return x;
  Dims dims;
  for (int i = 0; i < x.rank(); ++i) dims.push_back(i == first ? second : i == second ? first : i);
  return permute(x, dims);
}

Tensor unsqueeze(const Tensor& x, int dim, Where site) {
  const CallSite here(site);
  Shape shape = x.shape();
  shape.insert(normalize_dim("unsqueeze", dim, x.rank() + 1), 1);
  return reshape(x, shape);
}

Tensor squeeze(const Tensor& x, int dim, Where site) {
  const CallSite here(site);
  const int at = normalize_dim("squeeze", dim, x.rank());
  check(x.rank() > 0 && x.shape()[at] == 1, "squeeze", "dimension {} of shape {} is not 1", dim, x.shape().str());
  Shape shape = x.shape();
  shape.erase(at);
  return reshape(x, shape);
}

Tensor broadcast_to(const Tensor& x, const Shape& shape, Where site) {
  const CallSite here(site);
  return x.shape() == shape ? x : BroadcastTo::apply(x, shape);
}

Tensor slice(const Tensor& x, int dim, std::int64_t begin, std::int64_t end, std::int64_t step, Where site) {
  const CallSite here(site);
  check(x.rank() > 0, "slice", "a scalar has nothing to slice");
  const int at = normalize_dim("slice", dim, x.rank());
  check(step >= 1, "slice", "the step must be at least 1: {}", step);
  const std::int64_t n = x.shape()[at];
  auto clamp = [n](std::int64_t i) { return std::clamp<std::int64_t>(i < 0 ? i + n : i, 0, n); };
  const std::int64_t first = clamp(begin), count = std::max<std::int64_t>(0, (clamp(end) - first + step - 1) / step);
  return Slice::apply(x, at, first, count, step);
}

Tensor select(const Tensor& x, int dim, std::int64_t index, Where site) {
  const CallSite here(site);
  check(x.rank() > 0, "select", "a scalar has nothing to select from");
  const int at = normalize_dim("select", dim, x.rank());
  const std::int64_t n = x.shape()[at];
  check(index >= -n && index < n, "select", "index out of range: {} of dimension {} of shape {}", index, dim,
        x.shape().str());
  const std::int64_t i = index < 0 ? index + n : index;
  return squeeze(Slice::apply(x, at, i, std::int64_t{1}, std::int64_t{1}), at);
}

Tensor contiguous(const Tensor& x, Where site) {
  const CallSite here(site);
  return x.is_contiguous() ? x : clone(x);
}
Tensor clone(const Tensor& x, Where site) { return Clone::apply(site, x); }

std::vector<OpRecord> shape_ops() {
  using Inputs = std::vector<Tensor>;
  auto on = [](const char* label, const Shape& shape, Tensor (*op)(const Tensor&)) {
    return [=](Sampler& s) {
      return std::vector<OpSample>{{label, {s.normal(shape)}, [op](const Inputs& in) { return op(in[0]); }}};
    };
  };
  auto slices = [](Sampler& s) {
    auto call = [](int dim, std::int64_t begin, std::int64_t end, std::int64_t step) {
      return [=](const Inputs& in) { return slice(in[0], dim, begin, end, step); };
    };
    return std::vector<OpSample>{{"middle", {s.normal({3, 5})}, call(1, 1, 4, 1)},
                                 {"every second", {s.normal({3, 5})}, call(-1, 0, INT64_MAX, 2)},
                                 {"from the end", {s.normal({4, 2})}, call(0, -3, -1, 1)},
                                 {"nothing", {s.normal({3, 2})}, call(0, 2, 1, 1)}};
  };
  return {{"reshape", true,
           on("with -1", {2, 6},
              [](const Tensor& x) {
                return reshape(x, {3, -1});
              })},
          {"flatten", true, on("middle", {2, 3, 2}, [](const Tensor& x) { return flatten(x, 1); })},
          {"permute", true,
           on("three", {2, 3, 4},
              [](const Tensor& x) {
                return permute(x, {2, 0, 1});
              })},
          {"transpose", true, on("matrix", {2, 3}, [](const Tensor& x) { return transpose(x, 0, 1); })},
          {"unsqueeze", true, on("end", {2, 3}, [](const Tensor& x) { return unsqueeze(x, -1); })},
          {"squeeze", true, on("middle", {2, 1, 3}, [](const Tensor& x) { return squeeze(x, 1); })},
          {"broadcast_to", true,
           on("column", {3, 1},
              [](const Tensor& x) {
                return broadcast_to(x, {2, 3, 4});
              })},
          {"slice", true, slices},
          {"select", true, on("negative", {3, 4}, [](const Tensor& x) { return select(x, 1, -2); })},
          {"contiguous", true,
           on("of a transpose", {2, 3}, [](const Tensor& x) { return contiguous(transpose(x, 0, 1)); })},
          {"clone", true, on("matrix", {2, 3}, [](const Tensor& x) { return clone(x); })}};
}

}  // namespace ff
