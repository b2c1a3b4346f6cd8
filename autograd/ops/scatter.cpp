// Entries replaced or added at an index.

#include "ff/autograd/ops/scatter.h"

#include <numeric>

#include "ff/autograd/function.h"
#include "ff/autograd/ops/kernels.h"
#include "ff/autograd/ops/middle.h"
#include "ff/autograd/ops/op_table.h"
#include "ff/autograd/ops/ops.h"
#include "ff/core/check.h"
#include "ff/core/cpu/indexing.h"

namespace ff {
namespace {

void check_same_dtype(const char* op, const Tensor& x, const Tensor& source) {
  check(x.dtype() == source.dtype(), op, "the dtypes differ: {} put into {}", name(source.dtype()), name(x.dtype()));
}

void check_summable(const char* op, const Tensor& x) {
  check(x.dtype() != boolean && x.dtype() != u8, op, "{} cannot be summed: cast it first", name(x.dtype()));
}

// The first entries of x along each dimension (but one, if told), as many as shape has: a view unknown to autograd.
Tensor corner(Tensor x, const Shape& shape, int but = -1) {
  for (int i = 0; i < x.rank(); ++i)
    if (i != but) x = kernels::part(x, i, 0, shape[i]);
  return x;
}

// x, zeros behind it, to a shape at least as large. Differentiable.
Tensor extended(const Tensor& x, const Shape& shape) {
  std::vector<std::int64_t> pads;
  for (int i = x.rank() - 1; i >= 0; --i) pads.insert(pads.end(), {0, shape[i] - x.shape()[i]});
  return x.shape() == shape ? x : pad(x, pads);
}

// A copy of x that kernel has put values, of index's shape, into along dim.
Tensor scattered(decltype(cpu::scatter)* kernel, const Tensor& x, int dim, const Tensor& index, const Tensor& values) {
  const Tensor y = x.copy(), dense = values.dense();
  const Tensor reached = corner(y, index.shape(), dim), to = reached.dense();
  const Middle m("scatter", to.shape(), dim);
  kernel(x.dtype(), m.outer, m.n, m.inner, to.raw(), index.shape()[dim], index.data<std::int64_t>(), dense.raw());
  if (to.storage() != y.storage()) reached.assign(to);
  return y;
}

// The index of scatter() and scatter_add(), checked; dim is normalized.
Tensor checked(const char* op, const Tensor& x, int& dim, const Tensor& index, const Tensor& source) {
  const Middle m(op, x.shape(), dim);
  check_same_dtype(op, x, source);
  check(index.rank() == x.rank() && source.rank() == x.rank(), op,
        "an index of shape {} and a source of shape {} for a tensor of shape {}", index.shape().str(),
        source.shape().str(), x.shape().str());
  dim = m.dim;
  for (int i = 0; i < x.rank(); ++i)
    check(index.shape()[i] <= source.shape()[i] && (i == dim || index.shape()[i] <= x.shape()[i]), op,
          "an index of shape {} is larger than the source of shape {} or, beside dimension {}, the tensor of shape {}",
          index.shape().str(), source.shape().str(), dim, x.shape().str());
  return kernels::checked_index(op, index, m.n);
}

// Which entries of an index are the last to name their place, and so are what stays there.
Tensor stays(const Tensor& index, const Shape& shape, int dim) {
  Tensor number = Tensor::empty(index.shape(), i64);
  std::iota(number.data<std::int64_t>(), number.data<std::int64_t>() + number.numel(), 0);
  return eq(gather(scatter(zeros(shape, {.dtype = i64}), dim, index, number), dim, index), number);
}

struct Scatter : Function<Scatter> {
  static constexpr const char* name = "scatter";
  int dim = 0;
  Shape to, from;
  Tensor forward(Context& ctx, const Tensor& x, int along, const Tensor& index, const Tensor& source) {
    dim = along, to = x.shape(), from = source.shape();
    const Tensor chosen = checked(name, x, dim, index, source);
    ctx.save({chosen});
    return scattered(cpu::scatter, x, dim, chosen, corner(source, chosen.shape()));
  }
  Gradients backward(Context& ctx, const Tensor& dy) const {
    const Tensor index = ctx.saved(0);
    Gradients dx(3);
    if (ctx.needs_grad(0)) dx[0] = scatter(dy, dim, index, 0.0);
    if (ctx.needs_grad(2))
      dx[2] = extended(where(stays(index, to, dim), gather(dy, dim, index), Tensor::scalar(0, dy.dtype())), from);
    return dx;
  }
};

struct ScatterAdd : Function<ScatterAdd> {
  static constexpr const char* name = "scatter_add";
  int dim = 0;
  Shape from;
  Tensor forward(Context& ctx, const Tensor& x, int along, const Tensor& index, const Tensor& source) {
    dim = along, from = source.shape();
    check_summable(name, x);
    const Tensor chosen = checked(name, x, dim, index, source);
    ctx.save({chosen});
    return scattered(cpu::scatter_add, x, dim, chosen, corner(source, chosen.shape()));
  }
  Gradients backward(Context& ctx, const Tensor& dy) const {
    return {dy, Tensor(), ctx.needs_grad(2) ? extended(gather(dy, dim, ctx.saved(0)), from) : Tensor()};
  }
};

// The index of index_add() and index_copy(), checked: 1-D, one for each entry of source along dim.
Tensor checked_rows(const char* op, const Tensor& x, int dim, const Tensor& index, const Tensor& source) {
  const Middle m(op, x.shape(), dim);
  check_same_dtype(op, x, source);
  check(index.rank() <= 1, op, "a 1-D index is needed, its shape is {}", index.shape().str());
  check(source.rank() == x.rank() && source.shape() == with_size(x.shape(), m.dim, index.numel()), op,
        "a source of shape {} for {} entries along dimension {} of shape {}", source.shape().str(), index.numel(), dim,
        x.shape().str());
  return kernels::checked_index(op, index, m.n);
}

struct IndexAdd : Function<IndexAdd> {
  static constexpr const char* name = "index_add";
  int dim = 0;
  Tensor forward(Context& ctx, const Tensor& x, int along, const Tensor& index, const Tensor& source) {
    check_summable(name, x);
    const Middle m(name, x.shape(), along);
    const Tensor chosen = checked_rows(name, x, along, index, source), dense = source.dense();
    dim = m.dim;
    ctx.save({chosen});
    const Tensor y = x.copy();
    cpu::index_add(x.dtype(), m.outer, m.n, m.inner, y.raw(), chosen.numel(), chosen.data<std::int64_t>(), dense.raw());
    return y;
  }
  Gradients backward(Context& ctx, const Tensor& dy) const {
    return {dy, Tensor(), ctx.needs_grad(2) ? index_select(dy, dim, ctx.saved(0)) : Tensor()};
  }
};

// index (n,) as an index of a shape that has n entries along dim.
Tensor along(const Tensor& index, const Shape& shape, int dim) {
  return broadcast_to(reshape(index, with_size(Shape::filled(shape.rank(), 1), dim, index.numel())), shape);
}

}  // namespace

Tensor scatter(const Tensor& x, int dim, const Tensor& index, const Tensor& source, Where site) {
  return Scatter::apply(site, x, dim, index, source);
}

Tensor scatter(const Tensor& x, int dim, const Tensor& index, double value, Where site) {
  const CallSite here(site);
  return Scatter::apply(x, dim, index, broadcast_to(Tensor::scalar(value, x.dtype()), index.shape()));
}

Tensor scatter_add(const Tensor& x, int dim, const Tensor& index, const Tensor& source, Where site) {
  return ScatterAdd::apply(site, x, dim, index, source);
}

Tensor index_add(const Tensor& x, int dim, const Tensor& index, const Tensor& source, double alpha, Where site) {
  const CallSite here(site);
  return IndexAdd::apply(x, dim, index, alpha == 1 ? source : source * alpha);
}

Tensor index_copy(const Tensor& x, int dim, const Tensor& index, const Tensor& source, Where site) {
  const CallSite here(site);
  const Tensor rows = checked_rows("index_copy", x, dim, index, source);
  return scatter(x, dim, along(rows, source.shape(), normalize_dim("index_copy", dim, x.rank())), source);
}

Tensor index_fill(const Tensor& x, int dim, const Tensor& index, double value, Where site) {
  const CallSite here(site);
  const Middle m("index_fill", x.shape(), dim);
  check(index.rank() <= 1, "index_fill", "a 1-D index is needed, its shape is {}", index.shape().str());
  const Tensor rows = kernels::checked_index("index_fill", index, m.n);
  return scatter(x, dim, along(rows, with_size(x.shape(), m.dim, rows.numel()), m.dim), value);
}

std::vector<OpRecord> scatter_ops() {
  using Inputs = std::vector<Tensor>;
  using Put = Tensor (*)(const Tensor&, int, const Tensor&, const Tensor&, Where);
  auto indices = [](std::initializer_list<std::int64_t> values, const Shape& shape) {
    return Tensor::from(std::vector<std::int64_t>(values), shape);
  };
  auto elements = [=](Put op) {
    return [=](Sampler& s) {
      auto call = [op](int dim) { return [=](const Inputs& in) { return op(in[0], dim, in[1], in[2], {}); }; };
      return std::vector<OpSample>{
          {"columns, repeated", {s.normal({2, 4}), indices({3, 0, 0, 1, 1, 1}, {2, 3}), s.normal({2, 3})}, call(1)},
          {"rows", {s.normal({3, 2}), indices({2, 0}, {1, 2}), s.normal({1, 2})}, call(0)},
          {"smaller index", {s.normal({3, 3}), indices({2, 0}, {2, 1}), s.normal({2, 2})}, call(-1)},
          {"none", {s.normal({2, 2}), indices({}, {0, 2}), s.normal({1, 2})}, call(0)}};
    };
  };
  auto rows = [=](std::function<Tensor(const Tensor&, int, const Tensor&, const Tensor&)> op) {
    return [=](Sampler& s) {
      auto call = [op](int dim) { return [=](const Inputs& in) { return op(in[0], dim, in[1], in[2]); }; };
      return std::vector<OpSample>{
          {"rows, repeated", {s.normal({4, 2}), indices({1, 3, 1}, {3}), s.normal({3, 2})}, call(0)},
          {"middle", {s.normal({2, 3, 2}), indices({2, 0}, {2}), s.normal({2, 2, 2})}, call(1)},
          {"none", {s.normal({2, 3}), indices({}, {0}), s.normal({2, 0})}, call(-1)}};
    };
  };
  auto scatters = [=](Sampler& s) {
    std::vector<OpSample> samples = elements(scatter)(s);
    samples.push_back({"number", {s.normal({2, 3}), indices({2, 0}, {2, 1})}, [](const Inputs& in) {
                         return scatter(in[0], 1, in[1], -2);
                       }});
    return samples;
  };
  return {{"scatter", true, scatters},
          {"scatter_add", true, elements(scatter_add)},
          {"index_add", true, rows([](const Tensor& x, int dim, const Tensor& index, const Tensor& source) {
             return index_add(x, dim, index, source, -1.5);
           })},
          {"index_copy", true, rows([](const Tensor& x, int dim, const Tensor& index, const Tensor& source) {
             return index_copy(x, dim, index, source);
           })},
          {"index_fill", true, [=](Sampler& s) {
             return std::vector<OpSample>{{"columns",
                                           {s.normal({2, 3}), indices({2, 0, 2}, {3})},
                                           [](const Inputs& in) { return index_fill(in[0], 1, in[1], 3); }}};
           }}};
}

}  // namespace ff
