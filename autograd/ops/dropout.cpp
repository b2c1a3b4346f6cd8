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

std::vector<OpRecord> dropout_ops() {
  return {{"dropout", true, [](Sampler& s) {
             return std::vector<OpSample>{{"a third", {s.normal({4, 5})}, [](const std::vector<Tensor>& in) {
                                             Generator same(7);
                                             return dropout(in[0], 0.3, same);
                                           }}};
           }}};
}

}  // namespace ff
