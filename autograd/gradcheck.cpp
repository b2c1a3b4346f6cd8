#include "ff/autograd/gradcheck.h"

#include <algorithm>
#include <cmath>

#include "ff/autograd/engine.h"
#include "ff/autograd/grad_mode.h"
#include "ff/autograd/ops/ops.h"
#include "ff/core/check.h"

namespace ff {
namespace {

// Fresh leaves with the elements and the layout of inputs: a strided input stays one.
std::vector<Tensor> leaves_of(const std::vector<Tensor>& inputs) {
  std::vector<Tensor> leaves;
  for (const Tensor& input : inputs) {
    leaves.push_back(input.detach());
    if (is_floating(input.dtype())) leaves.back().requires_grad_();
  }
  return leaves;
}

Tensor random_cotangent(const Tensor& like, std::uint64_t seed) {
  Tensor c = Tensor::empty(like.shape(), like.dtype());
  const RandomKey key{seed, 0};
  dispatch_floating(like.dtype(), [&](auto tag) { fill_normal(c.data<decltype(tag)>(), c.numel(), key); });
  return c;
}

// sum(c f(inputs)) with entry i (in row-major order) of inputs[which] moved by delta, in f64.
double moved(const TensorFunction& f, std::vector<Tensor> inputs, std::size_t which, std::int64_t i, double delta,
             const Tensor& c) {
  // The copy keeps the layout: elements are put back into memory of the same strides.
  const Tensor& original = inputs[which];
  Tensor dense = original.copy();
  dispatch_floating(dense.dtype(),
                    [&](auto tag) { dense.data<decltype(tag)>()[i] += static_cast<decltype(tag)>(delta); });
  inputs[which] = dense;
  const NoGrad no_grad;
  return sum(f(inputs) * c).item<double>();
}

}  // namespace

GradcheckResult gradcheck(const TensorFunction& f, const std::vector<Tensor>& inputs, double step, std::uint64_t seed) {
  const std::vector<Tensor> leaves = leaves_of(inputs);
  const Tensor y = f(leaves), c = random_cotangent(y, seed);
  std::vector<Tensor> wanted;
  std::vector<std::size_t> index;
  for (std::size_t i = 0; i < leaves.size(); ++i)
    if (leaves[i].requires_grad()) wanted.push_back(leaves[i]), index.push_back(i);
  const std::vector<Tensor> analytic = grad({y}, wanted, {c});

  GradcheckResult result;
  for (std::size_t g = 0; g < wanted.size(); ++g) {
    const std::vector<double> got = analytic[g].to_vector<double>();
    std::vector<double> want(got.size());
    double scale = 1;
    for (std::size_t i = 0; i < got.size(); ++i) {
      const auto at = static_cast<std::int64_t>(i);
      auto difference = [&](double h) {
        return (moved(f, leaves, index[g], at, h, c) - moved(f, leaves, index[g], at, -h, c)) / (2 * h);
      };
      want[i] = (4 * difference(step) - difference(2 * step)) / 3;  // Richardson: error O(step^4)
      scale = std::max(scale, std::abs(want[i]));
    }
    for (std::size_t i = 0; i < got.size(); ++i) {
      const double error = std::abs(got[i] - want[i]) / scale;
      if (error <= result.error) continue;  // a NaN goes on
      result.error = std::isnan(error) ? INFINITY : error;
      result.where = fmt::format("input {} of shape {}, entry {}: analytic {}, numeric {}", index[g],
                                 wanted[g].shape().str(), i, got[i], want[i]);
    }
  }
  return result;
}

GradcheckResult gradgradcheck(const TensorFunction& f, const std::vector<Tensor>& inputs, double step,
                              std::uint64_t seed) {
  const Tensor c = random_cotangent(f(leaves_of(inputs)), seed + 1);
  std::vector<Tensor> all = inputs;
  all.push_back(c);
  // The gradients of one call, joined to one tensor; weights of a random cotangent tell them apart.
  auto gradient = [&](const std::vector<Tensor>& in) {
    GradMode enabled(true);
    std::vector<Tensor> arguments(in.begin(), in.end() - 1), wanted;
    for (Tensor& x : arguments) {
      if (!is_floating(x.dtype())) continue;
      if (!x.requires_grad()) x = x.detach().requires_grad_();
      wanted.push_back(x);
    }
    const Tensor y = f(arguments);
    std::vector<Tensor> flat;
    for (const Tensor& g : grad({y}, wanted, {in.back()}, {.create_graph = true})) flat.push_back(reshape(g, {-1}));
    return concatenate(flat);
  };
  // A gradient that does not depend on an input, such as that of a sum, has derivative zero: tie every input in weakly.
  auto tied = [&](const std::vector<Tensor>& in) {
    Tensor y = gradient(in);
    for (const Tensor& x : in)
      if (is_floating(x.dtype()) && x.requires_grad()) y = y + sum(x) * 0;
    return y;
  };
  return gradcheck(tied, all, step, seed);
}

}  // namespace ff
