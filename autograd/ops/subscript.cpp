// x(0, Slice(1, 4), ellipsis, new_axis, mask): parts of a tensor as Python writes them.

#include "ff/autograd/ops/subscript.h"

#include <array>

#include "ff/autograd/ops/kernels.h"
#include "ff/autograd/ops/op_table.h"
#include "ff/autograd/ops/ops.h"
#include "ff/core/check.h"

namespace ff {
namespace {

constexpr const char* op = "index";

// index as dense i64, counted from the beginning of dimension dim of a shape.
Tensor counted(const Tensor& index, const Shape& shape, int dim) {
  check(index.dtype() == i64 || index.dtype() == i32, op, "indices must be i64, i32 or boolean: {}",
        name(index.dtype()));
  const std::int64_t n = shape[dim];
  Tensor y = index.copy(i64);
  for (std::int64_t i = 0, *at = y.data<std::int64_t>(); i < y.numel(); ++i) {
    if (at[i] < -n || at[i] >= n)
      fail(op, "index out of range: {} of dimension {} of shape {}", at[i], dim, shape.str());
    if (at[i] < 0) at[i] += n;
  }
  return y;
}

// How many dimensions of a tensor an index is for.
int dimensions(const Index& index) {
  switch (index.kind()) {
    case Index::Kind::integer:
    case Index::Kind::slice:
      return 1;
    case Index::Kind::tensor:
      return index.tensor().dtype() == boolean ? index.tensor().rank() : 1;
    default:
      return 0;
  }
}

Tensor sliced(const Tensor& x, int dim, const Slice& slice) {
  if (!slice.begin && !slice.end && slice.step == 1) return x;
  const bool forward = slice.step > 0;
  return ff::slice(x, dim, slice.begin.value_or(forward ? 0 : INT64_MAX),
                   slice.end.value_or(forward ? INT64_MAX : INT64_MIN), slice.step);
}

// x with the dimensions for which chosen has indices (undefined: none) replaced by the indices' common shape.
Tensor choose(Tensor x, const std::vector<Tensor>& chosen) {
  Dims dims, first;
  Shape common;
  for (std::size_t i = 0; i < chosen.size(); ++i) {
    if (!chosen[i].defined()) continue;
    first.push_back(static_cast<int>(dims.size()));
    dims.push_back(static_cast<int>(i));
    common = broadcast_shapes(op, common, chosen[i].shape());
  }
  const int count = static_cast<int>(dims.size());
  const bool adjacent = dims.back() - dims.front() + 1 == count;
  const int place = adjacent ? dims.front() : 0;
  if (!adjacent) x = movedim(x, dims, first);
  // The indexed dimensions as one, and the entries' numbers in it.
  Shape merged = x.shape(), result = x.shape();
  Tensor entries = zeros(common, {.dtype = i64});
  for (int i = 0; i < count; ++i) {
    const std::int64_t size = x.shape()[place + i];
    entries = entries * Tensor::scalar(static_cast<double>(size), i64) +
              chosen[static_cast<std::size_t>(dims[static_cast<std::size_t>(i)])];
    if (i > 0) merged[place] *= size;
    if (i > 0) merged.erase(place + 1);
    result.erase(place);
  }
  for (int i = 0; i < common.rank(); ++i) result.insert(place + i, common[i]);
  return reshape(index_select(reshape(x, merged), place, reshape(entries, {entries.numel()})), result);
}

}  // namespace

Tensor index(const Tensor& x, const std::vector<Index>& indices, Where site) {
  const CallSite here(site);
  int named = 0, ellipses = 0;
  for (const Index& i : indices) {
    named += dimensions(i);
    ellipses += i.kind() == Index::Kind::rest;
  }
  check(named <= x.rank(), op, "too many indices: for {} dimensions, of shape {}", named, x.shape().str());
  check(ellipses <= 1, op, "more than one ellipsis, of shape {}", x.shape().str());
  Tensor y = x;
  std::vector<Tensor> chosen;  // indices for the dimensions of y so far; undefined: none
  int from = 0;                // of x: the next dimension
  for (const Index& i : indices) {
    const int dim = static_cast<int>(chosen.size());
    switch (i.kind()) {
      case Index::Kind::none:
        fail(op, "an index was left out, of shape {}", x.shape().str());
      case Index::Kind::integer: {
        const std::int64_t n = x.shape()[from];
        check(i.integer() >= -n && i.integer() < n, op, "index out of range: {} of dimension {} of shape {}",
              i.integer(), from, x.shape().str());
        y = select(y, dim, i.integer());
        break;
      }
      case Index::Kind::slice:
        check(i.slice().step != 0, op, "a step of 0 along dimension {} of shape {}", from, x.shape().str());
        y = sliced(y, dim, i.slice());
        chosen.emplace_back();
        break;
      case Index::Kind::rest:
        chosen.resize(chosen.size() + static_cast<std::size_t>(x.rank() - named));
        from += x.rank() - named;
        break;
      case Index::Kind::new_dimension:
        y = unsqueeze(y, dim);
        chosen.emplace_back();
        break;
      case Index::Kind::tensor: {
        const Tensor& t = i.tensor();
        if (t.dtype() != boolean) {
          chosen.push_back(counted(t, x.shape(), from));
          break;
        }
        const Shape masked(std::span(x.shape().begin() + from, static_cast<std::size_t>(t.rank())));
        check(t.rank() > 0 && t.shape() == masked, op, "a mask of shape {} at dimension {} of shape {}",
              t.shape().str(), from, x.shape().str());
        const Tensor where_true = nonzero(t);
        for (int d = 0; d < t.rank(); ++d) chosen.push_back(select(where_true, 1, d));
        break;
      }
    }
    from += dimensions(i);
  }
  for (const Tensor& t : chosen)
    if (t.defined()) return choose(y, chosen);
  return y;
}

Tensor Tensor::operator()(const Index& first, const Index& second, const Index& third, const Index& fourth,
                          const Index& fifth, const Index& sixth, const Index& seventh, const Index& eighth,
                          Where site) const {
  std::vector<Index> given{first, second, third, fourth, fifth, sixth, seventh, eighth};
  while (!given.empty() && given.back().kind() == Index::Kind::none) given.pop_back();
  return index(*this, given, site);
}

std::vector<OpRecord> subscript_ops() {
  using Inputs = std::vector<Tensor>;
  auto sample = [](const char* label, const Tensor& x, Tensor (*f)(const Tensor&)) {
    return OpSample{label, {x}, [f](const Inputs& in) { return f(in[0]); }};
  };
  auto chosen = [](const char* label, const Inputs& inputs, Tensor (*f)(const Tensor&, const Tensor&)) {
    return OpSample{label, inputs, [f](const Inputs& in) { return f(in[0], in[1]); }};
  };
  auto indices = [](std::initializer_list<std::int64_t> values, const Shape& shape) {
    return Tensor::from(std::vector<std::int64_t>(values), shape);
  };
  return {
      {"index", true, [=](Sampler& s) {
         auto mask = [&](const Shape& shape) { return gt(s.distinct(shape), 0); };
         return std::vector<OpSample>{
             sample("integers", s.normal({2, 3, 2}), [](const Tensor& x) { return x(1, -1); }),
             sample("slices", s.normal({4, 3}), [](const Tensor& x) { return x(Slice(1, {}, 2), Slice({}, -1)); }),
             sample("backwards", s.normal({4, 2}), [](const Tensor& x) { return x(Slice({}, {}, -1)); }),
             sample("ellipsis and new dimensions", s.normal({2, 2, 3}),
                    [](const Tensor& x) { return x(new_axis, 0, ellipsis, Slice(0, 2), new_axis); }),
             sample("nothing", s.normal({2, 2}), [](const Tensor& x) { return x(ellipsis); }),
             sample("scalar", s.normal({}), [](const Tensor& x) { return x(new_axis); }),
             chosen("rows", {s.normal({3, 2}), indices({2, -3, 2}, {3})},
                    [](const Tensor& x, const Tensor& i) { return x(i); }),
             chosen("pairs", {s.normal({3, 3}), indices({2, 0, 1, 2}, {2, 2})},
                    [](const Tensor& x, const Tensor& i) { return x(i, i(0)); }),
             chosen("apart", {s.normal({2, 3, 2}), indices({1, 0, 1}, {3})},
                    [](const Tensor& x, const Tensor& i) { return x(i, Slice(0, 2), i); }),
             chosen("after a slice", {s.normal({2, 3}), indices({0, 2, 0, 1}, {2, 2})},
                    [](const Tensor& x, const Tensor& i) { return x(Slice(1, 2), i); }),
             chosen("mask", {s.normal({3, 4}), mask({3, 4})}, [](const Tensor& x, const Tensor& m) { return x(m); }),
             chosen("mask of columns", {s.normal({2, 4}), mask({4})},
                    [](const Tensor& x, const Tensor& m) { return x(ellipsis, m); }),
             chosen("none", {s.normal({3, 2}), indices({}, {0})},
                    [](const Tensor& x, const Tensor& i) { return x(i); })};
       }}};
}

}  // namespace ff
