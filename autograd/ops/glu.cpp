// Gated linear unit.

#include "ff/autograd/ops/glu.h"

#include "ff/autograd/ops/kernels.h"
#include "ff/autograd/ops/op_table.h"
#include "ff/autograd/ops/ops.h"
#include "ff/core/check.h"

namespace ff {

Tensor glu(const Tensor& x, int dim, Where site) {
  const CallSite here(site);
  const char* op = "glu";
  kernels::check_floating(op, x);
  check(x.rank() > 0, op, "a scalar has no halves");
  const int along = normalize_dim(op, dim, x.rank());
  const std::int64_t half = x.size(along) / 2;
  check(x.size(along) % 2 == 0, op, "an even size is needed along dimension {}: {}", dim, x.shape().str());
  return slice(x, along, 0, half) * sigmoid(slice(x, along, half, 2 * half));
}

std::vector<OpRecord> glu_ops() {
  using Inputs = std::vector<Tensor>;
  return {{"glu", true, [](Sampler& s) {
             return std::vector<OpSample>{{"last", {s.normal({2, 4})}, [](const Inputs& in) { return glu(in[0]); }},
                                          {"first", {s.normal({4, 3})}, [](const Inputs& in) { return glu(in[0], 0); }},
                                          {"empty", {s.normal({2, 0})}, [](const Inputs& in) { return glu(in[0]); }}};
           }}};
}

}  // namespace ff
