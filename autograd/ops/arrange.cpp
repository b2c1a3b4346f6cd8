// The same entries in another order, or several times.

#include "ff/autograd/ops/arrange.h"

#include <algorithm>

#include "ff/autograd/function.h"
#include "ff/autograd/ops/kernels.h"
#include "ff/autograd/ops/op_table.h"
#include "ff/autograd/ops/ops.h"
#include "ff/core/check.h"

namespace ff {
namespace {

struct Flip : Function<Flip> {
  static constexpr const char* name = "flip";
  Dims turned;
  Tensor forward(Context&, const Tensor& x, const Dims& dims) {
    turned = dims;
    Strides strides = x.strides();
    std::int64_t last = 0;
    std::vector<bool> seen(static_cast<std::size_t>(x.rank()));
    for (int dim : dims) {
      const int at = normalize_dim(name, dim, x.rank());
      if (x.rank() == 0) continue;
      check(!seen[static_cast<std::size_t>(at)], name, "dimension {} is named twice", dim);
      seen[static_cast<std::size_t>(at)] = true;
      last += (x.shape()[at] - 1) * strides[at];
      strides[at] = -strides[at];
    }
    // Negative strides do not leave this function: copy() reads them, other kernels need not.
    return x.numel() > 0 ? x.as_strided(x.shape(), strides, last).copy() : x.copy();
  }
  Gradients backward(Context&, const Tensor& dy) const { return {flip(dy, turned)}; }
};

// x as (outer, n, inner) with copies of each of n beside it (or, around it, of all n): (outer, n, times, inner) or
// (outer, times, n, inner), in one copy.
Tensor copies(const Tensor& x, int dim, std::int64_t times, bool around) {
  Shape shape = x.shape();
  std::int64_t outer = 1, inner = 1;
  for (int i = 0; i < dim; ++i) outer *= shape[i];
  for (int i = dim + 1; i < x.rank(); ++i) inner *= shape[i];
  const std::int64_t n = shape[dim];
  check(!__builtin_mul_overflow(n, times, &shape[dim]), "repeat", "{} times shape {} is too large", times,
        x.shape().str());
  const Tensor rows = around ? reshape(x, {outer, 1, n * inner}) : reshape(x, {outer * n, 1, inner});
  return reshape(expand(rows, {-1, times, -1}), shape);
}

}  // namespace

Tensor flip(const Tensor& x, const Dims& dims, Where site) { return Flip::apply(site, x, dims); }

Tensor roll(const Tensor& x, const std::vector<std::int64_t>& shifts, const Dims& dims, Where site) {
  const CallSite here(site);
  if (dims.empty() && shifts.size() == 1) return reshape(roll(reshape(x, {-1}), shifts, {0}), x.shape());
  check(shifts.size() == dims.size(), "roll", "{} shifts for {} dimensions", shifts.size(), dims.size());
  Tensor y = x;
  for (std::size_t i = 0; i < dims.size(); ++i) {
    const int at = normalize_dim("roll", dims[i], x.rank());
    check(x.rank() > 0, "roll", "a scalar has no dimension {}", dims[i]);
    const std::int64_t n = x.shape()[at];
    if (n == 0) continue;
    const std::int64_t shift = (shifts[i] % n + n) % n;
    y = concatenate({narrow(y, at, n - shift, shift), narrow(y, at, 0, n - shift)}, at);
  }
  return y.is(x) ? clone(x) : y;
}

Tensor repeat(const Tensor& x, const Shape& times, Where site) {
  const CallSite here(site);
  check(times.rank() >= x.rank(), "repeat", "{} does not say how often to repeat each dimension of {}", times.str(),
        x.shape().str());
  Shape shape = x.shape();
  while (shape.rank() < times.rank()) shape.insert(0, 1);
  Tensor y = reshape(x, shape);
  for (int i = 0; i < times.rank(); ++i) {
    check(times[i] >= 0, "repeat", "a negative number of times: {}", times.str());
    if (times[i] != 1) y = copies(y, i, times[i], true);
  }
  return y.storage() == x.storage() ? clone(y) : y;
}

Tensor repeat_interleave(const Tensor& x, std::int64_t times, std::optional<int> dim, Where site) {
  const CallSite here(site);
  if (!dim) return repeat_interleave(reshape(x, {-1}), times, 0);
  const int at = normalize_dim("repeat_interleave", *dim, x.rank());
  check(x.rank() > 0, "repeat_interleave", "a scalar has no dimension {}", *dim);
  check(times >= 0, "repeat_interleave", "a negative number of times: {}", times);
  const Tensor y = copies(x, at, times, false);
  return y.storage() == x.storage() ? clone(y) : y;
}

Tensor repeat_interleave(const Tensor& x, const Tensor& times, std::optional<int> dim, Where site) {
  const CallSite here(site);
  if (!dim) return repeat_interleave(reshape(x, {-1}), times, 0);
  check(x.rank() > 0, "repeat_interleave", "a scalar has no dimension {}", *dim);
  const std::int64_t n = x.shape()[normalize_dim("repeat_interleave", *dim, x.rank())];
  check(times.rank() == 1 && times.numel() == n, "repeat_interleave", "times of shape {} for dimension {} of shape {}",
        times.shape().str(), *dim, x.shape().str());
  const Tensor counts = kernels::checked_index("repeat_interleave", times, INT64_MAX);
  const std::int64_t* count = counts.data<std::int64_t>();
  std::int64_t total = 0;
  for (std::int64_t i = 0; i < n; ++i)
    check(!__builtin_add_overflow(total, count[i], &total), "repeat_interleave", "too many times: {}", count[i]);
  const Tensor index = Tensor::empty({total}, i64);
  std::int64_t* next = index.data<std::int64_t>();
  for (std::int64_t i = 0; i < n; ++i) next = std::fill_n(next, count[i], i);
  return index_select(x, *dim, index);
}

std::vector<OpRecord> arrange_ops() {
  using Inputs = std::vector<Tensor>;
  auto sample = [](const char* label, const Tensor& x, Tensor (*op)(const Tensor&)) {
    return OpSample{label, {x}, [op](const Inputs& in) { return op(in[0]); }};
  };
  return {
      {"flip", true,
       [=](Sampler& s) {
         return std::vector<OpSample>{sample("outer and inner", s.normal({2, 2, 3}),
                                             [](const Tensor& x) {
                                               return flip(x, {0, -1});
                                             }),
                                      sample("vector", s.normal({4}), [](const Tensor& x) { return flip(x, {0}); }),
                                      sample("scalar", s.normal({}), [](const Tensor& x) { return flip(x, {}); }),
                                      sample("empty", s.normal({2, 0}), [](const Tensor& x) { return flip(x, {0}); })};
       }},
      {"roll", true,
       [=](Sampler& s) {
         return std::vector<OpSample>{
             sample("two dimensions", s.normal({3, 4}),
                    [](const Tensor& x) {
                      return roll(x, {1, -2}, {0, 1});
                    }),
             sample("as one row", s.normal({2, 3}), [](const Tensor& x) { return roll(x, {2}); }),
             sample("more than once around", s.normal({3, 2}), [](const Tensor& x) { return roll(x, {-7}, {0}); }),
             sample("empty", s.normal({0, 2}), [](const Tensor& x) { return roll(x, {1}, {0}); })};
       }},
      {"repeat", true,
       [=](Sampler& s) {
         return std::vector<OpSample>{sample("new dimension", s.normal({2, 3}),
                                             [](const Tensor& x) {
                                               return repeat(x, {2, 1, 2});
                                             }),
                                      sample("scalar", s.normal({}), [](const Tensor& x) { return repeat(x, {3}); }),
                                      sample("once", s.normal({2, 2}),
                                             [](const Tensor& x) {
                                               return repeat(x, {1, 1});
                                             }),
                                      sample("never", s.normal({2, 2}), [](const Tensor& x) {
                                        return repeat(x, {2, 0});
                                      })};
       }},
      {"repeat_interleave", true, [=](Sampler& s) {
         const Tensor times = Tensor::from<std::int64_t>({2, 0, 1});
         return std::vector<OpSample>{
             sample("columns", s.normal({2, 3}), [](const Tensor& x) { return repeat_interleave(x, 2, 1); }),
             sample("as one row", s.normal({2, 2}), [](const Tensor& x) { return repeat_interleave(x, 3); }),
             {"each its own", {s.normal({3, 2}), times}, [](const Inputs& in) {
                return repeat_interleave(in[0], in[1], 0);
              }}};
       }}};
}

}  // namespace ff
