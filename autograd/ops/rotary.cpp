// Rotary position embedding (Su et al. 2021).

#include "ff/autograd/ops/rotary.h"

#include <cmath>

#include "ff/autograd/function.h"
#include "ff/autograd/ops/kernels.h"
#include "ff/autograd/ops/op_table.h"
#include "ff/core/check.h"
#include "ff/core/cpu/rotary.h"

namespace ff {
namespace {

Tensor rotated(const Tensor& x, cpu::Rotation rotation);

// The adjoint of a rotation is the rotation back.
struct Rotary : Function<Rotary> {
  static constexpr const char* name = "rotary_embedding";
  cpu::Rotation rotation{};
  Tensor forward(Context&, const Tensor& x, const cpu::Rotation& r) {
    rotation = r;
    const Tensor dense = x.dense();
    Tensor y = Tensor::empty(x.shape(), x.dtype());
    const std::int64_t n = x.size(-2), features = x.size(-1);
    if (x.numel() > 0) cpu::rotate_pairs(x.dtype(), x.numel() / (n * features), n, features, r, dense.raw(), y.raw());
    return y;
  }
  Gradients backward(Context&, const Tensor& dy) const {
    cpu::Rotation back = rotation;
    back.back = !back.back;
    return {rotated(dy, back)};
  }
};

Tensor rotated(const Tensor& x, cpu::Rotation rotation) { return Rotary::apply(x, rotation); }

}  // namespace

Tensor rotary_embedding(const Tensor& x, const RotaryOptions& o, Where site) {
  const CallSite here(site);
  const char* op = Rotary::name;
  kernels::check_floating(op, x);
  check(x.rank() >= 2 && x.size(-1) % 2 == 0, op, "x must be (.., N, D) with D even: its shape is {}", x.shape().str());
  check(o.base > 0 && std::isfinite(o.base), op, "base must be larger than 0 and finite: {}", o.base);
  return rotated(x, {o.base, o.offset, o.interleaved, false});
}

std::vector<OpRecord> rotary_ops() {
  return {{"rotary_embedding", true, [](Sampler& s) {
             auto sample = [&](const char* label, const Shape& shape, const RotaryOptions& o) {
               return OpSample{
                   label, {s.normal(shape)}, [o](const std::vector<Tensor>& in) { return rotary_embedding(in[0], o); }};
             };
             return std::vector<OpSample>{
                 sample("halves", {1, 2, 3, 4}, {}), sample("interleaved", {2, 3, 4}, {.interleaved = true}),
                 sample("offset, base", {2, 6}, {.base = 50, .offset = 7}), sample("no positions", {2, 0, 4}, {})};
           }}};
}

}  // namespace ff
