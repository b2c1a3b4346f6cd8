// Entries chosen by an index.

#include "ff/autograd/ops/indexing.h"

#include <algorithm>

#include "ff/autograd/function.h"
#include "ff/autograd/ops/kernels.h"
#include "ff/autograd/ops/middle.h"
#include "ff/autograd/ops/op_table.h"
#include "ff/autograd/ops/ops.h"
#include "ff/autograd/sparse_gradient.h"
#include "ff/core/check.h"
#include "ff/core/cpu/indexing.h"

namespace ff {
namespace {

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
  Gradients backward(Context& ctx, const Tensor& dy) const { return {index_sum(dy, dim, ctx.saved(0), size)}; }
  // As index_sum() and a sum would, to the last bit: what goes to one place is summed first.
  bool add_backward(Context& ctx, const Tensor& dy, const Tensor& sum) const {
    const Tensor index = ctx.saved(0), dense = dy.dense();
    const std::span<const std::int64_t> from(index.data<std::int64_t>(), static_cast<std::size_t>(index.numel()));
    std::vector<std::int64_t> places(from.begin(), from.end()), order;
    std::sort(places.begin(), places.end());
    places.erase(std::unique(places.begin(), places.end()), places.end());
    for (const std::int64_t i : from)
      order.push_back(std::lower_bound(places.begin(), places.end(), i) - places.begin());
    const Middle m(name, sum.shape(), dim);
    const auto count = static_cast<std::int64_t>(places.size());
    const Tensor few = zeros(with_size(sum.shape(), dim, count), {.dtype = sum.dtype()});
    cpu::index_add(sum.dtype(), m.outer, count, m.inner, few.raw(), index.numel(), order.data(), dense.raw());
    cpu::index_add(sum.dtype(), m.outer, m.n, m.inner, sum.raw(), count, places.data(), few.raw());
    if (dim == 0) {
      std::vector<Run> rows;
      for (const std::int64_t i : places) rows.push_back({i, i + 1});
      autograd::touch_rows(sum, std::move(rows));
    }
    return true;
  }
};

struct IndexSum : Function<IndexSum> {
  static constexpr const char* name = "index_sum";
  int dim = 0;
  Tensor forward(Context& ctx, const Tensor& x, int along, const Tensor& index, std::int64_t size) {
    const Middle m(name, x.shape(), along);
    check(x.dtype() != boolean && x.dtype() != u8, name, "{} cannot be summed: cast it first", ff::name(x.dtype()));
    check(size >= 0, name, "a negative size: {}", size);
    const Tensor chosen = kernels::checked_index(name, index, size), dense = x.dense();
    check(index.rank() <= 1 && chosen.numel() == m.n, name, "an index of shape {} for dimension {} of shape {}",
          index.shape().str(), along, x.shape().str());
    dim = m.dim;
    ctx.save({chosen});
    Tensor y = zeros(with_size(x.shape(), dim, size), {.dtype = x.dtype()});
    cpu::index_add(x.dtype(), m.outer, size, m.inner, y.raw(), m.n, chosen.data<std::int64_t>(), dense.raw());
    return y;
  }
  Gradients backward(Context& ctx, const Tensor& dy) const { return {index_select(dy, dim, ctx.saved(0))}; }
};

struct Gather : Function<Gather> {
  static constexpr const char* name = "gather";
  int dim = 0;
  Shape from;
  DType dtype = f32;
  Tensor forward(Context& ctx, const Tensor& x, int along, const Tensor& index) {
    const Middle m(name, x.shape(), along);
    dim = m.dim, from = x.shape(), dtype = x.dtype();
    const Tensor chosen = kernels::checked_index(name, index, m.n);
    check(index.rank() == x.rank(), name, "an index of shape {} for a tensor of shape {}", index.shape().str(),
          from.str());
    Tensor used = x;  // what index reaches beside dim
    for (int i = 0; i < x.rank(); ++i) {
      check(i == dim || index.shape()[i] <= from[i], name, "an index of shape {} does not fit {} beside dimension {}",
            index.shape().str(), from.str(), along);
      if (i != dim) used = kernels::part(used, i, 0, index.shape()[i]);
    }
    const Tensor dense = used.dense();
    const Middle r(name, dense.shape(), dim);
    ctx.save({chosen});
    Tensor y = Tensor::empty(chosen.shape(), x.dtype());
    cpu::gather(x.dtype(), r.outer, r.n, r.inner, dense.raw(), chosen.shape()[dim], chosen.data<std::int64_t>(),
                y.raw());
    return y;
  }
  Gradients backward(Context& ctx, const Tensor& dy) const {
    return {scatter_add(zeros(from, {.dtype = dtype}), dim, ctx.saved(0), dy)};
  }
};

// rows (n, D), of which those chosen by padding get no gradient; index (n,) says by what each was chosen.
struct WithoutPadding : Function<WithoutPadding> {
  static constexpr const char* name = "embedding";
  std::int64_t padding = 0;
  Tensor forward(Context& ctx, const Tensor& rows, const Tensor& index, std::int64_t row) {
    padding = row;
    ctx.save({index});
    return rows.as_strided(rows.shape(), rows.strides());
  }
  Gradients backward(Context& ctx, const Tensor& dy) const {
    const Tensor dropped = unsqueeze(eq(ctx.saved(0), static_cast<double>(padding)), 1);
    return {where(dropped, Tensor::scalar(0, dy.dtype()), dy), Tensor()};
  }
};

}  // namespace

Tensor index_select(const Tensor& x, int dim, const Tensor& index, Where site) {
  return IndexSelect::apply(site, x, dim, index);
}
Tensor index_sum(const Tensor& x, int dim, const Tensor& index, std::int64_t size, Where site) {
  return IndexSum::apply(site, x, dim, index, size);
}
Tensor gather(const Tensor& x, int dim, const Tensor& index, Where site) { return Gather::apply(site, x, dim, index); }

Tensor take_along_dim(const Tensor& x, const Tensor& index, std::optional<int> dim, Where site) {
  const CallSite here(site);
  if (!dim) return gather(reshape(x, {-1}), 0, reshape(index, {-1}));
  const int at = normalize_dim("take_along_dim", *dim, x.rank());
  check(x.rank() == index.rank() && x.rank() > 0, "take_along_dim", "an index of shape {} for a tensor of shape {}",
        index.shape().str(), x.shape().str());
  const Shape common = broadcast_shapes("take_along_dim", with_size(x.shape(), at, 1), with_size(index.shape(), at, 1));
  return gather(broadcast_to(x, with_size(common, at, x.shape()[at])), at,
                broadcast_to(index, with_size(common, at, index.shape()[at])));
}

Tensor take(const Tensor& x, const Tensor& index, Where site) {
  const CallSite here(site);
  kernels::checked_index("take", index, x.numel());
  return reshape(index_select(reshape(x, {-1}), 0, reshape(index, {-1})), index.shape());
}

Tensor embedding(const Tensor& index, const Tensor& weight, std::optional<std::int64_t> padding_idx, Where site) {
  const CallSite here(site);
  check(weight.rank() == 2, "embedding", "a weight of shape (V, D) is needed: {}", weight.shape().str());
  const std::int64_t count = weight.shape()[0];
  const Tensor flat = reshape(index, {-1});
  Tensor rows = index_select(weight, 0, flat);
  if (padding_idx) {
    check(*padding_idx >= -count && *padding_idx < count, "embedding", "padding_idx out of range: {} of {} rows",
          *padding_idx, count);
    rows = WithoutPadding::apply(rows, flat, *padding_idx < 0 ? *padding_idx + count : *padding_idx);
  }
  Shape shape = index.shape();
  shape.push_back(weight.shape()[1]);
  return reshape(rows, shape);
}

Tensor one_hot(const Tensor& index, std::int64_t classes, Where site) {
  const CallSite here(site);
  check(classes >= -1, "one_hot", "a negative number of classes: {}", classes);
  const Tensor chosen = kernels::checked_index("one_hot", index, classes < 0 ? INT64_MAX : classes);
  const std::int64_t n = chosen.numel(), *at = chosen.data<std::int64_t>();
  check(classes >= 0 || n > 0, "one_hot", "the number of classes is not told by an index of shape {}",
        index.shape().str());
  if (classes < 0) classes = *std::max_element(at, at + n) + 1;
  Shape shape = index.shape();
  shape.push_back(classes);
  Tensor y = zeros(shape, {.dtype = i64});
  for (std::int64_t i = 0; i < n; ++i) y.data<std::int64_t>()[i * classes + at[i]] = 1;
  return y;
}

std::vector<OpRecord> indexing_ops() {
  using Inputs = std::vector<Tensor>;
  auto indices = [](std::initializer_list<std::int64_t> values, const Shape& shape) {
    return Tensor::from(std::vector<std::int64_t>(values), shape);
  };
  auto call = [](Tensor (*op)(const Tensor&, const Tensor&)) {
    return [op](const Inputs& in) { return op(in[0], in[1]); };
  };
  return {{"index_select", true,
           [=](Sampler& s) {
             return std::vector<OpSample>{
                 {"repeated", {s.normal({3, 4}), indices({2, 0, 2}, {3})}, call([](const Tensor& x, const Tensor& i) {
                    return index_select(x, 0, i);
                  })},
                 {"last", {s.normal({2, 3}), indices({1}, {1})}, call([](const Tensor& x, const Tensor& i) {
                    return index_select(x, -1, i);
                  })},
                 {"none", {s.normal({2, 3}), indices({}, {0})}, call([](const Tensor& x, const Tensor& i) {
                    return index_select(x, 0, i);
                  })}};
           }},
          {"index_sum", true,
           [=](Sampler& s) {
             return std::vector<OpSample>{
                 {"repeated", {s.normal({3, 2}), indices({1, 4, 1}, {3})}, call([](const Tensor& x, const Tensor& i) {
                    return index_sum(x, 0, i, 5);
                  })},
                 {"columns", {s.normal({2, 3}), indices({0, 1, 0}, {3})}, call([](const Tensor& x, const Tensor& i) {
                    return index_sum(x, -1, i, 2);
                  })}};
           }},
          {"gather", true,
           [=](Sampler& s) {
             return std::vector<OpSample>{{"columns",
                                           {s.normal({2, 4}), indices({3, 0, 0, 1, 1, 1}, {2, 3})},
                                           call([](const Tensor& x, const Tensor& i) { return gather(x, 1, i); })},
                                          {"rows",
                                           {s.normal({3, 2}), indices({2, 0}, {1, 2})},
                                           call([](const Tensor& x, const Tensor& i) { return gather(x, 0, i); })},
                                          {"smaller index",
                                           {s.normal({3, 3}), indices({2, 0, 0, 2}, {2, 2})},
                                           call([](const Tensor& x, const Tensor& i) { return gather(x, 1, i); })},
                                          {"none",
                                           {s.normal({2, 2}), indices({}, {0, 2})},
                                           call([](const Tensor& x, const Tensor& i) { return gather(x, 0, i); })}};
           }},
          {"take_along_dim", true,
           [=](Sampler& s) {
             return std::vector<OpSample>{
                 {"one index for all rows",
                  {s.normal({3, 4}), indices({3, 0}, {1, 2})},
                  call([](const Tensor& x, const Tensor& i) { return take_along_dim(x, i, 1); })},
                 {"one row for all indices",
                  {s.normal({1, 3}), indices({2, 0, 1, 1}, {2, 2})},
                  call([](const Tensor& x, const Tensor& i) { return take_along_dim(x, i, -1); })},
                 {"as one row", {s.normal({2, 2}), indices({3, 3, 0}, {3})}, call([](const Tensor& x, const Tensor& i) {
                    return take_along_dim(x, i);
                  })}};
           }},
          {"take", true,
           [=](Sampler& s) {
             return std::vector<OpSample>{{"matrix",
                                           {s.normal({2, 3}), indices({5, 0, 5, 2}, {2, 2})},
                                           call([](const Tensor& x, const Tensor& i) { return take(x, i); })},
                                          {"scalars",
                                           {s.normal({}), indices({0}, {})},
                                           call([](const Tensor& x, const Tensor& i) { return take(x, i); })}};
           }},
          {"embedding", true,
           [=](Sampler& s) {
             return std::vector<OpSample>{
                 {"matrix of indices",
                  {indices({1, 0, 1, 2}, {2, 2}), s.normal({3, 2})},
                  call([](const Tensor& i, const Tensor& w) { return embedding(i, w); })},
                 {"one index", {indices({1}, {}), s.normal({2, 3})}, call([](const Tensor& i, const Tensor& w) {
                    return embedding(i, w);
                  })},
                 // Finite differences see the padding's row: it is left out of the result.
                 {"padding", {indices({1, 0, 1, 2}, {4}), s.normal({3, 2})}, call([](const Tensor& i, const Tensor& w) {
                    const Tensor rows = embedding(i, w, 1);
                    return concatenate({slice(rows, 0, 1, 2), slice(rows, 0, 3)});
                  })},
                 {"none", {indices({}, {0, 2}), s.normal({3, 2})}, call([](const Tensor& i, const Tensor& w) {
                    return embedding(i, w, -1);
                  })}};
           }},
          {"one_hot", false, [=](Sampler&) {
             return std::vector<OpSample>{
                 {"classes told", {indices({2, 0}, {2})}, [](const Inputs& in) { return one_hot(in[0], 4); }},
                 {"classes counted", {indices({1, 0, 2, 1}, {2, 2})}, [](const Inputs& in) { return one_hot(in[0]); }}};
           }}};
}

}  // namespace ff
