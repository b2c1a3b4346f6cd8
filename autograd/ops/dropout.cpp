// Dropout (Srivastava et al. 2014).

#include "ff/autograd/ops/kernels.h"
#include "ff/autograd/ops/op_table.h"
#include "ff/autograd/ops/ops.h"
#include "ff/core/check.h"

namespace ff {

Tensor dropout_mask(const Shape& shape, double p, RandomKey key, DType dtype, Where site) {
  const CallSite here(site);
  check(p >= 0 && p < 1, "dropout", "the probability must lie in [0, 1): {}", p);
  Tensor keep = Tensor::empty(shape, boolean);
  fill_keep(static_cast<std::uint8_t*>(keep.raw()), keep.numel(), p, key);
  return keep.copy(dtype) * (1 / (1 - p));
}

Tensor dropout(const Tensor& x, double p, Generator& generator, Where site) {
  const CallSite here(site);
  check(p >= 0 && p < 1, "dropout", "the probability must lie in [0, 1): {}", p);
  kernels::check_floating("dropout", x);
  if (p == 0) return x;
  return x * dropout_mask(x.shape(), p, generator.next(static_cast<std::uint64_t>(x.numel())), x.dtype());
}

Tensor dropout2d(const Tensor& x, double p, Generator& generator, Where site) {
  const CallSite here(site);
  check(p >= 0 && p < 1, "dropout2d", "the probability must lie in [0, 1): {}", p);
  kernels::check_floating("dropout2d", x);
  check(x.rank() >= 3, "dropout2d", "x must be (B, C, ..): its shape is {}", x.shape().str());
  if (p == 0) return x;
  Shape channels = Shape::filled(x.rank(), 1);
  channels[0] = x.size(0), channels[1] = x.size(1);
  return x * dropout_mask(channels, p, generator.next(static_cast<std::uint64_t>(channels.numel())), x.dtype());
}

std::vector<OpRecord> dropout_ops() {
  return {{"dropout", true,
           [](Sampler& s) {
             return std::vector<OpSample>{{"a third", {s.normal({4, 5})}, [](const std::vector<Tensor>& in) {
                                             Generator same(7);
                                             return dropout(in[0], 0.3, same);
                                           }}};
           }},
          {"dropout2d", true, [](Sampler& s) {
             return std::vector<OpSample>{{"a third", {s.normal({2, 3, 2, 1})}, [](const std::vector<Tensor>& in) {
                                             Generator same(7);
                                             return dropout2d(in[0], 0.3, same);
                                           }}};
           }}};
}

}  // namespace ff
