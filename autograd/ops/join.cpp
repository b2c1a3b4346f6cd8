// Several tensors made one, and one several.

#include <numeric>

#include "ff/autograd/function.h"
#include "ff/autograd/ops/kernels.h"
#include "ff/autograd/ops/op_table.h"
#include "ff/autograd/ops/ops.h"
#include "ff/core/check.h"

namespace ff {
namespace {

struct Concatenate : Function<Concatenate> {
  static constexpr const char* name = "concatenate";
  int dim = 0;
  std::vector<std::int64_t> sizes;
  Tensor forward(Context&, const std::vector<Tensor>& tensors, int along) {
    check(!tensors.empty(), name, "nothing to concatenate");
    const Tensor& first = tensors[0];
    check(first.rank() > 0, name, "scalars have no dimension to be concatenated along: use stack");
    dim = normalize_dim(name, along, first.rank());
    Shape shape = first.shape();
    DType dtype = first.dtype();
    shape[dim] = 0;
    for (const Tensor& t : tensors) {
      Shape others = t.shape();
      check(t.rank() == first.rank(), name, "shapes {} and {} differ in rank", first.shape().str(), t.shape().str());
      others[dim] = shape[dim];
      check(others == shape, name, "shapes {} and {} differ beside dimension {}", first.shape().str(), t.shape().str(),
            along);
      sizes.push_back(t.shape()[dim]);
      shape[dim] += t.shape()[dim];
      dtype = promote(dtype, t.dtype());
    }
    Tensor y = Tensor::empty(shape, dtype);
    std::int64_t begin = 0;
    for (const Tensor& t : tensors) {
      const Tensor target = kernels::part(y, dim, begin, t.shape()[dim]);
      cpu::copy(t.dtype(), dtype, t.shape(), t.raw(), t.strides(), target.raw(), target.strides());
      begin += t.shape()[dim];
    }
    return y;
  }
  Gradients backward(Context&, const Tensor& dy) const { return split(dy, sizes, dim); }
};

struct Split : Function<Split> {
  static constexpr const char* name = "split";
  int dim = 0;
  std::vector<Shape> shapes;
  DType dtype = f32;
  std::vector<Tensor> forward(Context&, const Tensor& x, const std::vector<std::int64_t>& sizes, int along) {
    check(x.rank() > 0, name, "a scalar has nothing to split");
    dim = normalize_dim(name, along, x.rank());
    dtype = x.dtype();
    check(std::accumulate(sizes.begin(), sizes.end(), std::int64_t{0}) == x.shape()[dim], name,
          "pieces of {} do not make dimension {} of shape {}", Shape(sizes).str(), along, x.shape().str());
    std::vector<Tensor> pieces;
    std::int64_t begin = 0;
    for (std::int64_t size : sizes) {
      check(size >= 0, name, "a negative size: {}", size);
      pieces.push_back(kernels::part(x, dim, begin, size));
      shapes.push_back(pieces.back().shape());
      begin += size;
    }
    return pieces;
  }
  Gradients backward(Context&, const Gradients& dys) const {
    std::vector<Tensor> all = dys;
    for (std::size_t i = 0; i < all.size(); ++i)
      if (!all[i].defined()) all[i] = zeros(shapes[i], {.dtype = dtype});
    return {concatenate(all, dim)};
  }
};

}  // namespace

Tensor concatenate(const std::vector<Tensor>& tensors, int dim, Where site) {
  return Concatenate::apply(site, tensors, dim);
}

Tensor stack(const std::vector<Tensor>& tensors, int dim, Where site) {
  const CallSite here(site);
  check(!tensors.empty(), "stack", "nothing to stack");
  const int at = normalize_dim("stack", dim, tensors[0].rank() + 1);
  std::vector<Tensor> slices;
  for (const Tensor& t : tensors) {
    check(t.shape() == tensors[0].shape(), "stack", "shapes {} and {} differ", tensors[0].shape().str(),
          t.shape().str());
    slices.push_back(unsqueeze(t, at));
  }
  return concatenate(slices, at);
}

std::vector<Tensor> split(const Tensor& x, const std::vector<std::int64_t>& sizes, int dim, Where site) {
  const CallSite here(site);
  return Split::apply(x, sizes, dim);
}

std::vector<Tensor> split(const Tensor& x, std::int64_t size, int dim, Where site) {
  const CallSite here(site);
  check(x.rank() > 0, "split", "a scalar has nothing to split");
  const std::int64_t n = x.shape()[normalize_dim("split", dim, x.rank())];
  check(size > 0 || (size == 0 && n == 0), "split", "pieces of size {} of dimension {} of shape {}", size, dim,
        x.shape().str());
  std::vector<std::int64_t> sizes;
  for (std::int64_t left = n; left > 0; left -= sizes.back()) sizes.push_back(std::min(size, left));
  if (sizes.empty()) sizes.push_back(0);
  return split(x, sizes, dim);
}

std::vector<Tensor> chunk(const Tensor& x, std::int64_t count, int dim, Where site) {
  const CallSite here(site);
  check(x.rank() > 0, "chunk", "a scalar has nothing to cut");
  check(count > 0, "chunk", "at least one piece is needed: {}", count);
  const std::int64_t n = x.shape()[normalize_dim("chunk", dim, x.rank())];
  if (n == 0) return split(x, std::vector<std::int64_t>(static_cast<std::size_t>(count), 0), dim);
  return split(x, (n - 1) / count + 1, dim);
}

std::vector<Tensor> unbind(const Tensor& x, int dim, Where site) {
  const CallSite here(site);
  check(x.rank() > 0, "unbind", "a scalar has nothing to unbind");
  const int at = normalize_dim("unbind", dim, x.rank());
  std::vector<Tensor> slices = split(x, std::vector<std::int64_t>(static_cast<std::size_t>(x.shape()[at]), 1), at);
  for (Tensor& slice : slices) slice = squeeze(slice, at);
  return slices;
}

std::vector<OpRecord> join_ops() {
  using Inputs = std::vector<Tensor>;
  return {{"concatenate", true,
           [](Sampler& s) {
             return std::vector<OpSample>{{"rows",
                                           {s.normal({2, 3}), s.normal({1, 3}), s.normal({0, 3})},
                                           [](const Inputs& in) { return concatenate(in, 0); }},
                                          {"columns", {s.normal({2, 3}), s.normal({2, 2})}, [](const Inputs& in) {
                                             return concatenate(in, -1);
                                           }}};
           }},
          {"stack", true,
           [](Sampler& s) {
             return std::vector<OpSample>{
                 {"scalars", {s.normal({}), s.normal({})}, [](const Inputs& in) { return stack(in); }},
                 {"last", {s.normal({2, 3}), s.normal({2, 3})}, [](const Inputs& in) { return stack(in, -1); }}};
           }},
          {"split", true,
           [](Sampler& s) {
             return std::vector<OpSample>{{"two of three",
                                           {s.normal({2, 6})},
                                           [](const Inputs& in) {
                                             const auto parts = split(in[0], {1, 2, 3}, 1);
                                             return concatenate({parts[2], parts[0] * parts[0]}, 1);
                                           }},
                                          {"of one size", {s.normal({5, 2})}, [](const Inputs& in) {
                                             const auto parts = split(in[0], 2, 0);
                                             return parts[0] * parts[2] + parts[1];
                                           }}};
           }},
          {"chunk", true,
           [](Sampler& s) {
             return std::vector<OpSample>{{"uneven", {s.normal({2, 5})}, [](const Inputs& in) {
                                             const auto parts = chunk(in[0], 3, -1);
                                             return parts[0] * parts[1] + parts[2];
                                           }}};
           }},
          {"unbind", true, [](Sampler& s) {
             return std::vector<OpSample>{{"first", {s.normal({3, 2})}, [](const Inputs& in) {
                                             const auto rows = unbind(in[0], 0);
                                             return rows[0] * rows[2];
                                           }}};
           }}};
}

}  // namespace ff
