// Entries chosen by an index, and their adjoints.

#include "ff/core/cpu/indexing.h"

#include "ff/autograd/function.h"
#include "ff/autograd/ops/kernels.h"
#include "ff/autograd/ops/op_table.h"
#include "ff/autograd/ops/ops.h"
#include "ff/core/check.h"

namespace ff {
namespace {

// A tensor seen as (outer, n, inner) around dimension dim.
struct Middle {
  int dim;
  std::int64_t outer = 1, n, inner = 1;
  Middle(const char* op, const Shape& shape, int along) : dim(normalize_dim(op, along, shape.rank())) {
    check(shape.rank() > 0, op, "a scalar has no entries to choose from");
    n = shape[dim];
    for (int i = 0; i < dim; ++i) outer *= shape[i];
    for (int i = dim + 1; i < shape.rank(); ++i) inner *= shape[i];
  }
};

Shape with_size(Shape shape, int dim, std::int64_t size) {
  shape[dim] = size;
  return shape;
}

void check_numeric(const char* op, const Tensor& x) {
  check(x.dtype() != boolean && x.dtype() != u8, op, "{} cannot be summed: cast it first", name(x.dtype()));
}

struct IndexSelect : Function<IndexSelect> {
  static constexpr const char* name = "index_select";
  int dim = 0;
  std::int64_t size = 0;
  Tensor forward(Context& ctx, const Tensor& x, int along, const Tensor& index) {
    check(index.rank() <= 1, name, "a 1-D index is needed, its shape is {}", index.shape().str());
    const Middle m(name, x.shape(), along);
    const Tensor chosen = kernels::checked_index(name, index, m.n), dense = x.dense();
    dim = m.dim, size = m.n;
    ctx.save({chosen});
    Tensor y = Tensor::empty(with_size(x.shape(), dim, chosen.numel()), x.dtype());
    cpu::index_select(x.dtype(), m.outer, m.n, m.inner, dense.raw(), chosen.numel(), chosen.data<std::int64_t>(),
                      y.raw());
    return y;
  }
  Gradients backward(Context& ctx, const Tensor& dy) const { return {index_add(dy, dim, ctx.saved(0), size)}; }
};

struct IndexAdd : Function<IndexAdd> {
  static constexpr const char* name = "index_add";
  int dim = 0;
  Tensor forward(Context& ctx, const Tensor& x, int along, const Tensor& index, std::int64_t size) {
    const Middle m(name, x.shape(), along);
    check_numeric(name, x);
    const Tensor chosen = kernels::checked_index(name, index, size), dense = x.dense();
    check(chosen.numel() == m.n, name, "{} indices for dimension {} of shape {}", chosen.numel(), along,
          x.shape().str());
    dim = m.dim;
    ctx.save({chosen});
    Tensor y = zeros(with_size(x.shape(), dim, size), {.dtype = x.dtype()});
    cpu::index_add(x.dtype(), m.outer, size, m.inner, y.raw(), m.n, chosen.data<std::int64_t>(), dense.raw());
    return y;
  }
  Gradients backward(Context& ctx, const Tensor& dy) const { return {index_select(dy, dim, ctx.saved(0))}; }
};

// index must have x's shape but along dim.
void check_fits(const char* op, const Tensor& x, const Tensor& index, int dim, int along) {
  check(index.rank() == x.rank() && with_size(index.shape(), dim, 1) == with_size(x.shape(), dim, 1), op,
        "an index of shape {} does not fit {} beside dimension {}", index.shape().str(), x.shape().str(), along);
}

struct Gather : Function<Gather> {
  static constexpr const char* name = "gather";
  int dim = 0;
  std::int64_t size = 0;
  Tensor forward(Context& ctx, const Tensor& x, int along, const Tensor& index) {
    const Middle m(name, x.shape(), along);
    check_fits(name, x, index, m.dim, along);
    const Tensor chosen = kernels::checked_index(name, index, m.n), dense = x.dense();
    dim = m.dim, size = m.n;
    ctx.save({chosen});
    Tensor y = Tensor::empty(chosen.shape(), x.dtype());
    cpu::gather(x.dtype(), m.outer, m.n, m.inner, dense.raw(), chosen.shape()[dim], chosen.data<std::int64_t>(),
                y.raw());
    return y;
  }
  Gradients backward(Context& ctx, const Tensor& dy) const { return {scatter_add(dy, dim, ctx.saved(0), size)}; }
};

struct ScatterAdd : Function<ScatterAdd> {
  static constexpr const char* name = "scatter_add";
  int dim = 0;
  Tensor forward(Context& ctx, const Tensor& x, int along, const Tensor& index, std::int64_t size) {
    const Middle m(name, x.shape(), along);
    check_numeric(name, x);
    check(index.shape() == x.shape(), name, "an index of shape {} for values of shape {}", index.shape().str(),
          x.shape().str());
    const Tensor chosen = kernels::checked_index(name, index, size), dense = x.dense();
    dim = m.dim;
    ctx.save({chosen});
    Tensor y = zeros(with_size(x.shape(), dim, size), {.dtype = x.dtype()});
    cpu::scatter_add(x.dtype(), m.outer, size, m.inner, y.raw(), m.n, chosen.data<std::int64_t>(), dense.raw());
    return y;
  }
  Gradients backward(Context& ctx, const Tensor& dy) const { return {gather(dy, dim, ctx.saved(0))}; }
};

}  // namespace

Tensor index_select(const Tensor& x, int dim, const Tensor& index, Where site) {
  return IndexSelect::apply(site, x, dim, index);
}
Tensor index_add(const Tensor& x, int dim, const Tensor& index, std::int64_t size, Where site) {
  const CallSite here(site);
  return IndexAdd::apply(x, dim, index, size);
}
Tensor gather(const Tensor& x, int dim, const Tensor& index, Where site) { return Gather::apply(site, x, dim, index); }
Tensor scatter_add(const Tensor& x, int dim, const Tensor& index, std::int64_t size, Where site) {
  const CallSite here(site);
  return ScatterAdd::apply(x, dim, index, size);
}

Tensor embedding(const Tensor& index, const Tensor& weight, Where site) {
  const CallSite here(site);
  check(weight.rank() == 2, "embedding", "a weight of shape (V, D) is needed: {}", weight.shape().str());
  Shape shape = index.shape();
  shape.push_back(weight.shape()[1]);
  return reshape(index_select(weight, 0, reshape(index, {-1})), shape);
}

Tensor one_hot(const Tensor& index, std::int64_t classes, Where site) {
  const CallSite here(site);
  const Tensor chosen = kernels::checked_index("one_hot", index, classes);
  Shape shape = index.shape();
  shape.push_back(classes);
  Tensor y = zeros(shape, {.dtype = i64});
  for (std::int64_t i = 0; i < chosen.numel(); ++i)
    y.data<std::int64_t>()[i * classes + chosen.data<std::int64_t>()[i]] = 1;
  return y;
}

std::vector<OpRecord> indexing_ops() {
  using Inputs = std::vector<Tensor>;
  auto indices = [](std::initializer_list<std::int64_t> values, const Shape& shape) {
    return Tensor::from(std::vector<std::int64_t>(values), shape);
  };
  return {{"index_select", true,
           [=](Sampler& s) {
             return std::vector<OpSample>{{"repeated",
                                           {s.normal({3, 4}), indices({2, 0, 2}, {3})},
                                           [](const Inputs& in) { return index_select(in[0], 0, in[1]); }},
                                          {"last",
                                           {s.normal({2, 3}), indices({1}, {1})},
                                           [](const Inputs& in) { return index_select(in[0], -1, in[1]); }},
                                          {"none", {s.normal({2, 3}), indices({}, {0})}, [](const Inputs& in) {
                                             return index_select(in[0], 0, in[1]);
                                           }}};
           }},
          {"index_add", true,
           [=](Sampler& s) {
             return std::vector<OpSample>{{"repeated",
                                           {s.normal({3, 2}), indices({1, 4, 1}, {3})},
                                           [](const Inputs& in) { return index_add(in[0], 0, in[1], 5); }}};
           }},
          {"gather", true,
           [=](Sampler& s) {
             return std::vector<OpSample>{{"columns",
                                           {s.normal({2, 4}), indices({3, 0, 0, 1, 1, 1}, {2, 3})},
                                           [](const Inputs& in) { return gather(in[0], 1, in[1]); }},
                                          {"rows", {s.normal({3, 2}), indices({2, 0}, {1, 2})}, [](const Inputs& in) {
                                             return gather(in[0], 0, in[1]);
                                           }}};
           }},
          {"scatter_add", true,
           [=](Sampler& s) {
             return std::vector<OpSample>{{"columns",
                                           {s.normal({2, 3}), indices({3, 0, 0, 1, 1, 1}, {2, 3})},
                                           [](const Inputs& in) { return scatter_add(in[0], 1, in[1], 4); }}};
           }},
          {"embedding", true, [=](Sampler& s) {
             return std::vector<OpSample>{{"matrix of indices",
                                           {indices({1, 0, 1, 2}, {2, 2}), s.normal({3, 2})},
                                           [](const Inputs& in) { return embedding(in[0], in[1]); }}};
           }}};
}

}  // namespace ff
