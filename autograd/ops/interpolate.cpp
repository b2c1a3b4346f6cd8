// Images of another size.

#include <algorithm>
#include <cmath>
#include <memory>

#include "ff/autograd/function.h"
#include "ff/autograd/ops/kernels.h"
#include "ff/autograd/ops/middle.h"
#include "ff/autograd/ops/op_table.h"
#include "ff/autograd/ops/ops.h"
#include "ff/autograd/ops/spatial.h"
#include "ff/core/check.h"
#include "ff/core/cpu/resample.h"

namespace ff {
namespace {

// What each entry of a result is made of, along one dimension; see cpu::Resampling.
struct Taps {
  int dim;
  std::int64_t n, outputs, taps;
  std::vector<std::int64_t> index;
  std::vector<double> weight;
  cpu::Resampling kernel() const { return {n, outputs, taps, index.data(), weight.data()}; }
};

// Taps are shared by a node and its derivatives.
using SharedTaps = std::shared_ptr<const Taps>;

Tensor adjoint(const Tensor& y, const SharedTaps& taps);

struct Resample : Function<Resample> {
  static constexpr const char* name = "interpolate";
  SharedTaps taps;
  Tensor forward(Context&, const Tensor& x, const SharedTaps& t) {
    taps = t;
    const Tensor dense = x.dense();
    const Middle m(name, x.shape(), t->dim);
    Tensor y = Tensor::empty(with_size(x.shape(), t->dim, t->outputs), x.dtype());
    cpu::resample(x.dtype(), m.outer, m.inner, t->kernel(), dense.raw(), y.raw());
    return y;
  }
  Gradients backward(Context&, const Tensor& dy) const { return {adjoint(dy, taps)}; }
};

struct ResampleAdjoint : Function<ResampleAdjoint> {
  static constexpr const char* name = "interpolate_adjoint";
  SharedTaps taps;
  Tensor forward(Context&, const Tensor& y, const SharedTaps& t) {
    taps = t;
    const Tensor dense = y.dense();
    const Middle m(name, y.shape(), t->dim);
    Tensor x = Tensor::empty(with_size(y.shape(), t->dim, t->n), y.dtype());
    cpu::resample_adjoint(y.dtype(), m.outer, m.inner, t->kernel(), dense.raw(), x.raw());
    return x;
  }
  Gradients backward(Context&, const Tensor& dx) const { return {Resample::apply(dx, taps)}; }
};

Tensor adjoint(const Tensor& y, const SharedTaps& taps) { return ResampleAdjoint::apply(y, taps); }

// One dimension: n entries become `outputs`, neighbours of the result `step` apart in x.
struct Grid {
  int dim;
  std::int64_t n, outputs;
  double step;
};

// In the precision of PyTorch, whose rounding decides where floor(step i) falls.
template <class T>
Tensor nearest_index(const Grid& g, double ahead) {
  std::vector<std::int64_t> index;
  for (std::int64_t i = 0; i < g.outputs; ++i) {
    const T at = (static_cast<T>(i) + static_cast<T>(ahead)) * static_cast<T>(g.step);
    index.push_back(std::min(static_cast<std::int64_t>(std::floor(static_cast<float>(at))), g.n - 1));
  }
  return Tensor::from(index, {g.outputs});
}

// Keys' piecewise cubic, up to distance 1 and from 1 to 2.
constexpr double keys = -0.75;
double near_weight(double d) { return ((keys + 2) * d - (keys + 3)) * d * d + 1; }
double far_weight(double d) { return ((keys * d - 5 * keys) * d + 8 * keys) * d - 4 * keys; }

SharedTaps smooth_taps(const Grid& g, bool cubic, bool align_corners) {
  auto taps = std::make_shared<Taps>(Taps{g.dim, g.n, g.outputs, cubic ? 4 : 2, {}, {}});
  for (std::int64_t i = 0; i < g.outputs; ++i) {
    const double x = static_cast<double>(i);
    double at = align_corners ? g.step * x : g.step * (x + 0.5) - 0.5;
    if (!cubic) at = std::clamp(at, 0.0, static_cast<double>(g.n - 1));
    const std::int64_t first = static_cast<std::int64_t>(std::floor(at)) - (cubic ? 1 : 0);
    const double t = at - std::floor(at);
    for (std::int64_t tap = 0; tap < taps->taps; ++tap)
      taps->index.push_back(std::clamp<std::int64_t>(first + tap, 0, g.n - 1));
    if (cubic)
      taps->weight.insert(taps->weight.end(),
                          {far_weight(1 + t), near_weight(t), near_weight(1 - t), far_weight(2 - t)});
    else
      taps->weight.insert(taps->weight.end(), {1 - t, t});
  }
  return taps;
}

template <class T>
T one_or_for_all(const std::vector<T>& values, int i) {
  return values[values.size() == 1 ? 0 : static_cast<std::size_t>(i)];
}

Grid grid(const char* op, const Tensor& x, int dim, const InterpolateOptions& o) {
  const std::int64_t n = x.size(dim);
  const double scale = o.size.empty() ? one_or_for_all(o.scale_factor, dim - 2) : 0;
  check(n > 0 && n <= INT32_MAX, op, "{} entries along dimension {}: {}", n, dim, x.shape().str());
  check(!o.size.empty() || (scale > 0 && scale * static_cast<double>(n) < INT32_MAX), op,
        "scale_factor must be larger than 0 and not give more than 2^31 entries: {}", scale);
  const std::int64_t outputs = o.size.empty() ? static_cast<std::int64_t>(std::floor(static_cast<double>(n) * scale))
                                              : one_or_for_all(o.size, dim - 2);
  check(outputs > 0 && outputs <= INT32_MAX, op, "the result would have {} entries along dimension {}", outputs, dim);
  const double in = static_cast<double>(n), out = static_cast<double>(outputs);
  const bool given = o.size.empty() && !o.recompute_scale_factor;
  const double step = o.align_corners ? (outputs > 1 ? (in - 1) / (out - 1) : 0) : given ? 1 / scale : in / out;
  return {dim, n, outputs, step};
}

Tensor along(const Tensor& x, const Grid& g, const InterpolateOptions& o) {
  if (o.mode == Interpolation::nearest || o.mode == Interpolation::nearest_exact) {
    const double ahead = o.mode == Interpolation::nearest ? 0 : 0.5;
    return index_select(x, g.dim, x.dtype() == f64 ? nearest_index<double>(g, ahead) : nearest_index<float>(g, ahead));
  }
  return Resample::apply(x, smooth_taps(g, o.mode == Interpolation::cubic, o.align_corners));
}

}  // namespace

Tensor interpolate(const Tensor& x, const InterpolateOptions& o, Where site) {
  const CallSite here(site);
  const char* op = Resample::name;
  check(x.rank() >= 3 && x.rank() <= 5, op, "x must be (B, C, L), (B, C, H, W) or (B, C, D, H, W): its shape is {}",
        x.shape().str());
  const bool nearest = o.mode == Interpolation::nearest || o.mode == Interpolation::nearest_exact;
  if (!nearest) kernels::check_floating(op, x);
  check(!o.align_corners || (!nearest && o.mode != Interpolation::area), op,
        "align_corners goes with linear and cubic interpolation alone");
  check(o.size.empty() != o.scale_factor.empty(), op, "one of size and scale_factor is needed, not both");
  const auto given = o.size.size() + o.scale_factor.size();
  check(given == 1 || given == static_cast<std::size_t>(x.rank() - 2), op, "{} sizes for x of shape {}", given,
        x.shape().str());
  std::vector<Grid> grids;
  Shape shape = x.shape();
  for (int dim = 2; dim < x.rank(); ++dim) {
    grids.push_back(grid(op, x, dim, o));
    shape[dim] = grids.back().outputs;
  }
  spatial::check_result(op, shape);
  if (o.mode == Interpolation::area) {
    check(x.rank() <= 4, op, "area interpolation of (B, C, L) or (B, C, H, W) only: {}", x.shape().str());
    return x.rank() == 3 ? adaptive_avg_pool1d(x, shape[2]) : adaptive_avg_pool2d(x, {shape[2], shape[3]});
  }
  Tensor y = x;
  // The last dimension first, while there is less of it: the others are done in whole rows.
  for (auto g = grids.rbegin(); g != grids.rend(); ++g) y = along(y, *g, o);
  return y;
}

Tensor pixel_shuffle(const Tensor& x, std::int64_t r, Where site) {
  const CallSite here(site);
  const char* op = "pixel_shuffle";
  check(x.rank() >= 3, op, "x must be (.., C, H, W): its shape is {}", x.shape().str());
  check(r >= 1 && r <= INT32_MAX && x.size(-3) % (r * r) == 0, op,
        "upscale_factor must be at least 1 and its square divide the channels: {}, x {}", r, x.shape().str());
  const std::int64_t channels = x.size(-3) / (r * r), h = x.size(-2), w = x.size(-1);
  const Middle m(op, x.shape(), x.rank() - 3);
  Shape shape = x.shape();
  shape[x.rank() - 3] = channels, shape[x.rank() - 2] = h * r, shape[x.rank() - 1] = w * r;
  return reshape(permute(reshape(x, {m.outer, channels, r, r, h, w}), {0, 1, 4, 2, 5, 3}), shape);
}

Tensor pixel_unshuffle(const Tensor& x, std::int64_t r, Where site) {
  const CallSite here(site);
  const char* op = "pixel_unshuffle";
  check(x.rank() >= 3, op, "x must be (.., C, H, W): its shape is {}", x.shape().str());
  check(r >= 1 && r <= INT32_MAX && x.size(-2) % r == 0 && x.size(-1) % r == 0, op,
        "downscale_factor must be at least 1 and divide height and width: {}, x {}", r, x.shape().str());
  const std::int64_t channels = x.size(-3), h = x.size(-2) / r, w = x.size(-1) / r;
  const Middle m(op, x.shape(), x.rank() - 3);
  Shape shape = x.shape();
  shape[x.rank() - 3] = channels * r * r, shape[x.rank() - 2] = h, shape[x.rank() - 1] = w;
  return reshape(permute(reshape(x, {m.outer, channels, h, r, w, r}), {0, 1, 3, 5, 2, 4}), shape);
}

std::vector<OpRecord> interpolate_ops() {
  using Inputs = std::vector<Tensor>;
  using Samples = std::vector<OpSample>;
  return {{"interpolate", true,
           [](Sampler& s) {
             auto sample = [&](const char* label, const Shape& shape, const InterpolateOptions& o) {
               return OpSample{label, {s.normal(shape)}, [o](const Inputs& in) { return interpolate(in[0], o); }};
             };
             using I = Interpolation;
             return Samples{
                 sample("nearest", {1, 2, 3}, {.size = {5}}),
                 sample("nearest, scaled", {1, 1, 2, 3}, {.scale_factor = {2, 1.5}}),
                 sample("nearest exact", {1, 1, 5, 3}, {.size = {3, 4}, .mode = I::nearest_exact}),
                 sample("linear", {2, 1, 4}, {.size = {7}, .mode = I::linear}),
                 sample("bilinear", {1, 2, 3, 2}, {.size = {5, 4}, .mode = I::linear}),
                 sample("bilinear, smaller", {1, 1, 5, 4}, {.scale_factor = {0.5, 0.7}, .mode = I::linear}),
                 sample("bilinear, corners", {1, 1, 3, 4}, {.size = {5, 1}, .mode = I::linear, .align_corners = true}),
                 sample("recomputed scale", {1, 1, 5},
                        {.scale_factor = {1.3}, .mode = I::linear, .recompute_scale_factor = true}),
                 sample("bicubic", {1, 1, 3, 4}, {.size = {4, 5}, .mode = I::cubic}),
                 sample("bicubic, corners", {1, 1, 3, 3}, {.size = {4, 4}, .mode = I::cubic, .align_corners = true}),
                 sample("trilinear", {1, 1, 2, 2, 2}, {.size = {3}, .mode = I::linear}),
                 sample("area", {1, 1, 5, 3}, {.size = {2, 4}, .mode = I::area}),
                 sample("one entry", {1, 1, 1}, {.size = {3}, .mode = I::linear}),
                 sample("no images", {0, 1, 2}, {.size = {3}, .mode = I::linear})};
           }},
          {"pixel_shuffle", true,
           [](Sampler& s) {
             return Samples{
                 {"batch", {s.normal({2, 4, 1, 2})}, [](const Inputs& in) { return pixel_shuffle(in[0], 2); }},
                 {"no batch", {s.normal({8, 2, 1})}, [](const Inputs& in) { return pixel_shuffle(in[0], 2); }}};
           }},
          {"pixel_unshuffle", true, [](Sampler& s) {
             return Samples{
                 {"batch", {s.normal({2, 1, 2, 4})}, [](const Inputs& in) { return pixel_unshuffle(in[0], 2); }},
                 {"no batch", {s.normal({2, 3, 3})}, [](const Inputs& in) { return pixel_unshuffle(in[0], 3); }}};
           }}};
}

}  // namespace ff
