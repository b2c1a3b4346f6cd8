// Padding.

#include "ff/autograd/ops/pad.h"

#include <algorithm>
#include <array>

#include "ff/autograd/function.h"
#include "ff/autograd/ops/kernels.h"
#include "ff/autograd/ops/op_table.h"
#include "ff/autograd/ops/ops.h"
#include "ff/core/check.h"

namespace ff {
namespace {

// What is added before and after each dimension.
struct Margins {
  Shape before, after;
  Margins negative() const {
    Margins m = *this;
    for (int i = 0; i < before.rank(); ++i) m.before[i] = -before[i], m.after[i] = -after[i];
    return m;
  }
};

struct Pad : Function<Pad> {
  static constexpr const char* name = "pad";
  Margins margins;
  Tensor forward(Context&, const Tensor& x, const Margins& around, double value) {
    margins = around;
    Shape shape = x.shape();
    for (int i = 0; i < x.rank(); ++i) shape[i] += margins.before[i] + margins.after[i];
    Tensor y = full(shape, value, {.dtype = x.dtype()}), from = x, to = y;
    for (int i = 0; i < x.rank(); ++i) {  // what x and y have in common
      const std::int64_t cut = std::max<std::int64_t>(0, -margins.before[i]),
                         cut_after = std::max<std::int64_t>(0, -margins.after[i]);
      const std::int64_t common = x.shape()[i] - cut - cut_after;
      if (common <= 0) return y;
      from = kernels::part(from, i, cut, common);
      to = kernels::part(to, i, std::max<std::int64_t>(0, margins.before[i]), common);
    }
    to.assign(from);
    return y;
  }
  Gradients backward(Context&, const Tensor& dy) const { return {Pad::apply(dy, margins.negative(), 0.0)}; }
};

// Which of n entries stands at place i, which may lie outside of [0, n).
std::int64_t source(PadMode mode, std::int64_t i, std::int64_t n) {
  if (mode == PadMode::replicate) return std::clamp<std::int64_t>(i, 0, n - 1);
  if (mode == PadMode::circular) return (i % n + n) % n;
  return i < 0 ? -i : i >= n ? 2 * (n - 1) - i : i;
}

// One dimension, with entries of x outside.
Tensor extend(const Tensor& x, int dim, std::int64_t before, std::int64_t after, PadMode mode) {
  const std::int64_t n = x.shape()[dim], most = std::max(before, after);
  constexpr std::array names{"constant", "reflect", "replicate", "circular"};
  const std::int64_t allowed = mode == PadMode::reflect ? n - 1 : mode == PadMode::circular ? n : n > 0 ? most : 0;
  check(most <= std::max<std::int64_t>(allowed, 0), "pad",
        "({}, {}) around dimension {} of shape {}: {} has {} at most", before, after, dim, x.shape().str(),
        names[static_cast<std::size_t>(mode)], allowed);
  Tensor index = Tensor::empty({before + n + after}, i64);
  for (std::int64_t i = 0; i < index.numel(); ++i) index.data<std::int64_t>()[i] = source(mode, i - before, n);
  return index_select(x, dim, index);
}

}  // namespace

Tensor pad(const Tensor& x, const std::vector<std::int64_t>& pads, PadMode mode, double value, Where site) {
  const CallSite here(site);
  const int named = static_cast<int>(pads.size() / 2);
  check(pads.size() % 2 == 0 && named <= x.rank(), "pad", "{} numbers are not pairs for dimensions of shape {}",
        pads.size(), x.shape().str());
  Margins margins{Shape::filled(x.rank(), 0), Shape::filled(x.rank(), 0)};
  for (int i = 0; i < named; ++i) {
    const int dim = x.rank() - 1 - i;
    const std::int64_t before = pads[static_cast<std::size_t>(2 * i)],
                       after = pads[static_cast<std::size_t>(2 * i + 1)];
    constexpr std::int64_t far = std::int64_t{1} << 52;  // sums of what is less do not overflow
    check(std::max(before, after) < far && std::min(before, after) > -far && x.shape()[dim] + before + after >= 0,
          "pad", "({}, {}) around dimension {} of shape {}", before, after, dim, x.shape().str());
    margins.before[dim] = before, margins.after[dim] = after;
  }
  if (mode == PadMode::constant) return Pad::apply(x, margins, value);
  Tensor y = x;
  for (int i = 0; i < x.rank(); ++i)
    if (margins.before[i] != 0 || margins.after[i] != 0) y = extend(y, i, margins.before[i], margins.after[i], mode);
  return y.is(x) ? clone(x) : y;
}

std::vector<OpRecord> pad_ops() {
  using Inputs = std::vector<Tensor>;
  return {{"pad", true, [](Sampler& s) {
             auto call = [](const std::vector<std::int64_t>& pads, PadMode mode, double value = 0) {
               return [=](const Inputs& in) { return pad(in[0], pads, mode, value); };
             };
             return std::vector<OpSample>{
                 {"constant", {s.normal({2, 3})}, call({1, 2}, PadMode::constant, -1.5)},
                 {"constant, two dimensions", {s.normal({2, 2, 2})}, call({1, 0, 0, 1}, PadMode::constant)},
                 {"cut off", {s.normal({2, 4})}, call({-1, 1, 1, -1}, PadMode::constant, 2)},
                 {"of nothing", {s.normal({0, 2})}, call({0, 0, 2, 1}, PadMode::constant, 3)},
                 {"scalar", {s.normal({})}, call({}, PadMode::constant)},
                 {"reflect", {s.normal({2, 4})}, call({3, 2}, PadMode::reflect)},
                 {"reflect, cut off", {s.normal({4})}, call({2, -1}, PadMode::reflect)},
                 {"replicate", {s.normal({2, 3})}, call({2, 1, 3, 0}, PadMode::replicate)},
                 {"circular", {s.normal({3, 2})}, call({1, 2, 3, 1}, PadMode::circular)}};
           }}};
}

}  // namespace ff
