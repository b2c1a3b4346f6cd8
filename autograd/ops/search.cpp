// Where entries are: those that are not 0, and where others would stand among sorted ones.

#include "ff/autograd/ops/search.h"

#include "ff/autograd/grad_mode.h"
#include "ff/autograd/ops/kernels.h"
#include "ff/autograd/ops/op_table.h"
#include "ff/autograd/ops/ops.h"
#include "ff/core/check.h"
#include "ff/core/cpu/search.h"

namespace ff {
namespace {

// Row-major positions of what is not 0, as (n,).
Tensor positions(const Tensor& x) {
  const Tensor truth = kernels::to(x, boolean).dense();
  const auto found = cpu::positions_of_true(truth.numel(), static_cast<const std::uint8_t*>(truth.raw()));
  return Tensor::from(found, {static_cast<std::int64_t>(found.size())});
}

}  // namespace

Tensor nonzero(const Tensor& x, Where site) {
  const CallSite here(site);
  const Tensor flat = positions(x);
  Tensor y = Tensor::empty({flat.numel(), x.rank()}, i64);
  const std::int64_t* at = flat.data<std::int64_t>();
  std::int64_t* index = y.data<std::int64_t>();
  for (std::int64_t i = 0; i < flat.numel(); ++i) {
    std::int64_t left = at[i];
    for (int dim = x.rank() - 1; dim >= 0; left /= x.shape()[dim], --dim)
      index[i * x.rank() + dim] = left % x.shape()[dim];
  }
  return y;
}

Tensor masked_select(const Tensor& x, const Tensor& mask, Where site) {
  const CallSite here(site);
  check(mask.dtype() == boolean, "masked_select", "a boolean mask is needed, its dtype is {}", name(mask.dtype()));
  const Shape shape = broadcast_shapes("masked_select", x.shape(), mask.shape());
  const Tensor chosen = positions(broadcast_to(mask, shape));
  return index_select(reshape(broadcast_to(x, shape), {-1}), 0, chosen);
}

Tensor searchsorted(const Tensor& sorted, const Tensor& values, bool right, Where site) {
  const CallSite here(site);
  check(sorted.rank() >= 1, "searchsorted", "a scalar is no sorted row");
  const std::int64_t n = sorted.size(-1);
  const bool shared = sorted.rank() == 1;
  Shape rows = values.shape(), expected = sorted.shape();
  if (!shared) {
    check(values.rank() == sorted.rank(), "searchsorted", "values of shape {} for sorted rows of shape {}",
          values.shape().str(), sorted.shape().str());
    rows.erase(rows.rank() - 1), expected.erase(expected.rank() - 1);
    check(rows == expected, "searchsorted", "values of shape {} for sorted rows of shape {}", values.shape().str(),
          sorted.shape().str());
  }
  const DType dtype = kernels::result_dtype(sorted, values);
  const Tensor from = kernels::to(sorted, dtype).dense(), wanted = kernels::to(values, dtype).dense();
  Tensor y = Tensor::empty(values.shape(), i64);
  const std::int64_t count = values.rank() > 0 ? values.size(-1) : 1;
  cpu::searchsorted(dtype, right, shared, count > 0 ? values.numel() / count : 0, n, count, from.raw(), wanted.raw(),
                    y.data<std::int64_t>());
  return y;
}

Tensor bucketize(const Tensor& x, const Tensor& boundaries, bool right, Where site) {
  const CallSite here(site);
  check(boundaries.rank() == 1, "bucketize", "boundaries of one dimension are needed: {}", boundaries.shape().str());
  return searchsorted(boundaries, x, right);
}

std::vector<OpRecord> search_ops() {
  using Inputs = std::vector<Tensor>;
  const Tensor row = Tensor::from({-1.0, 0.0, 0.5, 2.0});
  return {{"nonzero", false,
           [](Sampler& s) {
             auto call = [](const Inputs& in) { return nonzero(relu(in[0])); };
             return std::vector<OpSample>{{"matrix", {s.normal({3, 4})}, call},
                                          {"scalar", {s.normal({})}, call},
                                          {"empty", {s.normal({0, 2})}, call}};
           }},
          {"masked_select", true,
           [](Sampler& s) {
             auto call = [](const Inputs& in) { return masked_select(in[0], in[1]); };
             auto mask = [&](const Shape& shape) { return gt(s.distinct(shape), 0); };
             return std::vector<OpSample>{{"matrix", {s.normal({3, 4}), mask({3, 4})}, call},
                                          {"row mask", {s.normal({3, 2}), mask({2})}, call},
                                          {"scalar, column mask", {s.normal({}), mask({4, 1})}, call},
                                          {"none", {s.normal({2}), zeros({2}, {.dtype = boolean})}, call},
                                          {"empty", {s.normal({0, 2}), mask({2})}, call}};
           }},
          {"searchsorted", false,
           [=](Sampler& s) {
             auto call = [](bool right) { return [=](const Inputs& in) { return searchsorted(in[0], in[1], right); }; };
             return std::vector<OpSample>{{"one row", {row, s.normal({2, 3})}, call(false)},
                                          {"ties, right", {row, row.copy()}, call(true)},
                                          {"each its own", {stack({row, row * 2}), s.normal({2, 3})}, call(false)},
                                          {"scalar", {row, s.normal({})}, call(false)},
                                          {"empty", {row, s.normal({0, 2})}, call(false)}};
           }},
          {"bucketize", false, [=](Sampler& s) {
             return std::vector<OpSample>{
                 {"matrix", {s.normal({2, 3}), row}, [](const Inputs& in) { return bucketize(in[0], in[1]); }},
                 {"ties, right", {row, row.copy()}, [](const Inputs& in) { return bucketize(in[0], in[1], true); }}};
           }}};
}

}  // namespace ff
