// Entries in order.

#include "ff/core/cpu/sort.h"

#include "ff/autograd/function.h"
#include "ff/autograd/ops/op_table.h"
#include "ff/autograd/ops/ops.h"
#include "ff/core/check.h"

namespace ff {
namespace {

// Where the first k entries along dim stand; x of rank 1 at least.
Tensor first_indices(const Tensor& x, int dim, std::int64_t k, bool descending) {
  const NoGrad no_grad;
  const Tensor rows = transpose(x, dim, -1).dense();
  Shape shape = rows.shape();
  const std::int64_t n = shape[x.rank() - 1];
  shape[x.rank() - 1] = k;
  const Tensor index = Tensor::empty(shape, i64);
  if (n > 0) cpu::sort(x.dtype(), rows.numel() / n, n, k, descending, rows.raw(), index.data<std::int64_t>());
  return transpose(index, dim, -1).dense();
}

ValuesAndIndices first_in_order(const Tensor& x, int dim, std::int64_t k, bool descending) {
  if (x.rank() == 0) {
    const ValuesAndIndices found = first_in_order(reshape(x, {1}), 0, k, descending);
    return {reshape(found.values, {}), reshape(found.indices, {})};
  }
  const Tensor indices = first_indices(x, dim, k, descending);
  return {gather(x, dim, indices), indices};
}

std::int64_t size_along(const Tensor& x, int dim) { return x.rank() > 0 ? x.shape()[dim] : 1; }

}  // namespace

ValuesAndIndices sort(const Tensor& x, int dim, bool descending, Where site) {
  const CallSite here(site);
  const int at = normalize_dim("sort", dim, x.rank());
  return first_in_order(x, at, size_along(x, at), descending);
}

Tensor argsort(const Tensor& x, int dim, bool descending, Where site) {
  const CallSite here(site);
  const int at = normalize_dim("argsort", dim, x.rank());
  return x.rank() > 0 ? first_indices(x, at, size_along(x, at), descending) : Tensor::scalar(0, i64);
}

ValuesAndIndices topk(const Tensor& x, std::int64_t k, int dim, bool largest, Where site) {
  const CallSite here(site);
  const int at = normalize_dim("topk", dim, x.rank());
  check(k >= (x.rank() > 0 ? 0 : 1) && k <= size_along(x, at), "topk",
        "{} entries asked for along dimension {} of shape {}", k, dim, x.shape().str());
  return first_in_order(x, at, k, largest);
}

std::vector<OpRecord> sort_ops() {
  using Inputs = std::vector<Tensor>;
  auto sorted = [](Sampler& s) {
    auto call = [](int dim, bool descending) {
      return [=](const Inputs& in) { return sort(in[0], dim, descending).values; };
    };
    return std::vector<OpSample>{
        {"last", {s.distinct({2, 5})}, call(-1, false)},     {"first, descending", {s.distinct({4, 2})}, call(0, true)},
        {"middle", {s.distinct({2, 3, 2})}, call(1, false)}, {"scalar", {s.distinct({})}, call(0, false)},
        {"size 1", {s.distinct({2, 1})}, call(1, true)},     {"no rows", {s.normal({0, 3})}, call(1, false)},
        {"empty rows", {s.normal({3, 0})}, call(1, false)}};
  };
  auto positions = [](Sampler& s) {
    auto call = [](int dim, bool descending) {
      return [=](const Inputs& in) { return argsort(in[0], dim, descending); };
    };
    return std::vector<OpSample>{{"last", {s.distinct({2, 5})}, call(-1, false)},
                                 {"first, descending", {s.distinct({4, 2})}, call(0, true)},
                                 {"scalar", {s.distinct({})}, call(0, false)}};
  };
  auto best = [](Sampler& s) {
    auto call = [](std::int64_t k, int dim, bool largest) {
      return [=](const Inputs& in) { return topk(in[0], k, dim, largest).values; };
    };
    return std::vector<OpSample>{{"last", {s.distinct({2, 5})}, call(3, -1, true)},
                                 {"first, smallest", {s.distinct({4, 2})}, call(2, 0, false)},
                                 {"middle", {s.distinct({2, 3, 2})}, call(1, 1, true)},
                                 {"all", {s.distinct({4})}, call(4, 0, true)},
                                 {"scalar", {s.distinct({})}, call(1, 0, true)},
                                 {"none", {s.distinct({2, 3})}, call(0, 1, true)},
                                 {"no rows", {s.normal({0, 3})}, call(2, 1, true)}};
  };
  return {{"sort", true, sorted}, {"argsort", false, positions}, {"topk", true, best}};
}

}  // namespace ff
