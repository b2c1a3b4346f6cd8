// Maxima and means of windows.

#include "ff/core/cpu/pooling.h"

#include <algorithm>
#include <vector>

#include "ff/autograd/function.h"
#include "ff/autograd/ops/kernels.h"
#include "ff/autograd/ops/op_table.h"
#include "ff/autograd/ops/ops.h"
#include "ff/autograd/ops/spatial.h"
#include "ff/core/check.h"
#include "ff/core/parallel.h"

namespace ff {
namespace {

// What the outputs along one dimension see; see cpu::PoolAxis.
struct Axis {
  std::int64_t size = 1, step = 1;
  std::vector<cpu::PoolRange> ranges;
  cpu::PoolAxis kernel() const { return {size, step, ranges}; }
  std::int64_t outputs() const { return static_cast<std::int64_t>(ranges.size()); }
};

struct Axes {
  Axis rows, columns;
};

Shape pooled_shape(const Tensor& x, const Axes& a) {
  return {x.size(0), x.size(1), a.rows.outputs(), a.columns.outputs()};
}

// x (B, C, H, W). Where the maxima are comes out by `index`.
struct MaxPool : Function<MaxPool> {
  static constexpr const char* name = "max_pool";
  Shape shape;
  Tensor forward(Context& ctx, const Tensor& x, const Axes& a, Tensor* index) {
    shape = x.shape();
    const Tensor dense = x.dense();
    Tensor y = Tensor::empty(pooled_shape(x, a), x.dtype());
    *index = Tensor::empty(y.shape(), i64);
    cpu::max_pool(x.dtype(), x.size(0) * x.size(1), a.rows.kernel(), a.columns.kernel(), dense.raw(), y.raw(),
                  index->data<std::int64_t>());
    ctx.save({*index});
    return y;
  }
  Gradients backward(Context& ctx, const Tensor& dy) const {
    const Shape flat{dy.size(0), dy.size(1), dy.size(2) * dy.size(3)};
    const Tensor image = zeros({dy.size(0), dy.size(1), shape[2] * shape[3]}, {.dtype = dy.dtype()});
    return {reshape(scatter_add(image, 2, reshape(ctx.saved(0), flat), reshape(dy, flat)), shape)};
  }
};

Tensor adjoint(const Tensor& y, const Axes& axes);

// x (B, C, H, W).
struct AvgPool : Function<AvgPool> {
  static constexpr const char* name = "avg_pool";
  Axes axes;
  Tensor forward(Context&, const Tensor& x, const Axes& a) {
    axes = a;
    const Tensor dense = x.dense();
    Tensor y = Tensor::empty(pooled_shape(x, a), x.dtype());
    cpu::avg_pool(x.dtype(), x.size(0) * x.size(1), a.rows.kernel(), a.columns.kernel(), dense.raw(), y.raw());
    return y;
  }
  Gradients backward(Context&, const Tensor& dy) const { return {adjoint(dy, axes)}; }
};

struct AvgPoolAdjoint : Function<AvgPoolAdjoint> {
  static constexpr const char* name = "avg_pool_adjoint";
  Axes axes;
  Tensor forward(Context&, const Tensor& y, const Axes& a) {
    axes = a;
    const Tensor dense = y.dense();
    Tensor x = Tensor::empty({y.size(0), y.size(1), a.rows.size, a.columns.size}, y.dtype());
    cpu::avg_pool_adjoint(y.dtype(), y.size(0) * y.size(1), a.rows.kernel(), a.columns.kernel(), dense.raw(), x.raw());
    return x;
  }
  Gradients backward(Context&, const Tensor& dx) const { return {AvgPool::apply(dx, axes)}; }
};

Tensor adjoint(const Tensor& y, const Axes& axes) { return AvgPoolAdjoint::apply(y, axes); }

// One dimension of sliding windows.
struct Sliding {
  std::int64_t kernel, stride, padding, dilation;
  bool ceil_mode, count_include_pad;
};

Axis sliding_axis(const char* op, std::int64_t size, const Sliding& s) {
  const std::int64_t extent = s.dilation * (s.kernel - 1) + 1;
  check(size > 0, op, "an image without extent");
  check(s.padding <= extent / 2, op, "padding must be at most half of a window: {} of {}", s.padding, extent);
  const std::int64_t room = size + 2 * s.padding - extent;
  // Rounded down also where there is less room than none.
  std::int64_t outputs =
      room < 0 && !(s.ceil_mode && room + s.stride > 0) ? 0 : (room + (s.ceil_mode ? s.stride - 1 : 0)) / s.stride + 1;
  if (s.ceil_mode && (outputs - 1) * s.stride >= size + s.padding) --outputs;
  check(outputs > 0, op, "a window of {} does not fit {} entries with a padding of {}", extent, size, s.padding);
  Axis axis{size, s.dilation, {}};
  for (std::int64_t i = 0; i < outputs; ++i) {
    const std::int64_t start = i * s.stride - s.padding;
    const std::int64_t skipped = start < 0 ? (-start + s.dilation - 1) / s.dilation : 0;  // entries before x
    const std::int64_t begin = start + skipped * s.dilation, end = std::min(start + extent, size);
    check(begin < end, op, "window {} lies wholly in the padding: kernel {}, dilation {}, padding {}, {} entries", i,
          s.kernel, s.dilation, s.padding, size);
    const std::int64_t padded = std::min(start + extent, size + s.padding) - start;
    axis.ranges.push_back({begin, end, static_cast<double>(s.count_include_pad ? padded : end - begin)});
  }
  return axis;
}

struct Pooling {
  std::array<std::int64_t, 2> kernel, stride, padding, dilation;
  bool ceil_mode, count_include_pad;
};

// Of x (.., H, W).
Axes sliding_axes(const char* op, const Tensor& x, const Pooling& p) {
  spatial::check_values(op, "kernel", p.kernel, 1);
  spatial::check_values(op, "stride", p.stride, 1);
  spatial::check_values(op, "padding", p.padding, 0);
  spatial::check_values(op, "dilation", p.dilation, 1);
  auto axis = [&](int i) {
    const auto at = static_cast<std::size_t>(i);
    return sliding_axis(op, x.size(2 + i),
                        {p.kernel[at], p.stride[at], p.padding[at], p.dilation[at], p.ceil_mode, p.count_include_pad});
  };
  return {axis(0), axis(1)};
}

Axis adaptive_axis(const char* op, std::int64_t size, std::int64_t outputs) {
  check(size > 0 && size <= INT32_MAX, op, "an image of {} entries along a dimension", size);
  Axis axis{size, 1, {}};
  for (std::int64_t i = 0; i < outputs; ++i) {
    const std::int64_t begin = i * size / outputs, end = num_chunks((i + 1) * size, outputs);
    axis.ranges.push_back({begin, end, static_cast<double>(end - begin)});
  }
  return axis;
}

Axes adaptive_axes(const char* op, const Tensor& x, std::array<std::int64_t, 2> outputs) {
  spatial::check_values(op, "the output's size", outputs, 0);
  spatial::check_result(op, {x.size(0), x.size(1), outputs[0], outputs[1]});
  return {adaptive_axis(op, x.size(2), outputs[0]), adaptive_axis(op, x.size(3), outputs[1])};
}

// Of x with n sizes, by axes that make(images) gives.
template <class Make>
std::pair<Tensor, Tensor> max_pooled(const char* op, int n, const Tensor& x, Make make) {
  spatial::check_image(op, n, x);
  const Tensor images = spatial::to_images(x, n);
  Tensor index;
  const Tensor y = MaxPool::apply(images, make(images), &index);
  return {spatial::from_images(y, x, n), spatial::from_images(index, x, n)};
}

template <class Make>
Tensor avg_pooled(const char* op, int n, const Tensor& x, Make make) {
  spatial::check_image(op, n, x);
  const Tensor images = spatial::to_images(x, n);
  return spatial::from_images(AvgPool::apply(images, make(images)), x, n);
}

std::pair<Tensor, Tensor> max_pooled(const char* op, int n, const Tensor& x, const Pooling& p) {
  return max_pooled(op, n, x, [&](const Tensor& images) { return sliding_axes(op, images, p); });
}

Pooling pooling(std::int64_t kernel, const MaxPool1dOptions& o) {
  return {{1, kernel}, {1, o.stride.value_or(kernel)}, {0, o.padding}, {1, o.dilation}, o.ceil_mode, false};
}
Pooling pooling(std::array<std::int64_t, 2> kernel, const MaxPool2dOptions& o) {
  return {kernel, o.stride.value_or(kernel), o.padding, o.dilation, o.ceil_mode, false};
}

}  // namespace

Tensor max_pool1d(const Tensor& x, std::int64_t kernel, const MaxPool1dOptions& options, Where site) {
  const CallSite here(site);
  return max_pooled("max_pool1d", 1, x, pooling(kernel, options)).first;
}

Tensor max_pool2d(const Tensor& x, std::array<std::int64_t, 2> kernel, const MaxPool2dOptions& options, Where site) {
  const CallSite here(site);
  return max_pooled("max_pool2d", 2, x, pooling(kernel, options)).first;
}

std::pair<Tensor, Tensor> max_pool1d_with_indices(const Tensor& x, std::int64_t kernel, const MaxPool1dOptions& options,
                                                  Where site) {
  const CallSite here(site);
  return max_pooled("max_pool1d", 1, x, pooling(kernel, options));
}

std::pair<Tensor, Tensor> max_pool2d_with_indices(const Tensor& x, std::array<std::int64_t, 2> kernel,
                                                  const MaxPool2dOptions& options, Where site) {
  const CallSite here(site);
  return max_pooled("max_pool2d", 2, x, pooling(kernel, options));
}

Tensor avg_pool1d(const Tensor& x, std::int64_t kernel, const AvgPool1dOptions& o, Where site) {
  const CallSite here(site);
  const char* op = "avg_pool1d";
  return avg_pooled(op, 1, x, [&](const Tensor& images) {
    return sliding_axes(
        op, images,
        {{1, kernel}, {1, o.stride.value_or(kernel)}, {0, o.padding}, {1, 1}, o.ceil_mode, o.count_include_pad});
  });
}

Tensor avg_pool2d(const Tensor& x, std::array<std::int64_t, 2> kernel, const AvgPool2dOptions& o, Where site) {
  const CallSite here(site);
  const char* op = "avg_pool2d";
  check(o.divisor_override != 0, op, "divisor_override must not be 0");
  return avg_pooled(op, 2, x, [&](const Tensor& images) {
    Axes axes = sliding_axes(op, images,
                             {kernel, o.stride.value_or(kernel), o.padding, {1, 1}, o.ceil_mode, o.count_include_pad});
    if (!o.divisor_override) return axes;
    for (cpu::PoolRange& r : axes.rows.ranges) r.divisor = static_cast<double>(*o.divisor_override);
    for (cpu::PoolRange& r : axes.columns.ranges) r.divisor = 1;
    return axes;
  });
}

Tensor adaptive_avg_pool1d(const Tensor& x, std::int64_t output, Where site) {
  const CallSite here(site);
  const char* op = "adaptive_avg_pool1d";
  return avg_pooled(op, 1, x, [&](const Tensor& images) { return adaptive_axes(op, images, {1, output}); });
}

Tensor adaptive_avg_pool2d(const Tensor& x, std::array<std::int64_t, 2> output, Where site) {
  const CallSite here(site);
  const char* op = "adaptive_avg_pool2d";
  return avg_pooled(op, 2, x, [&](const Tensor& images) { return adaptive_axes(op, images, output); });
}

Tensor adaptive_max_pool1d(const Tensor& x, std::int64_t output, Where site) {
  const CallSite here(site);
  const char* op = "adaptive_max_pool1d";
  return max_pooled(op, 1, x, [&](const Tensor& images) { return adaptive_axes(op, images, {1, output}); }).first;
}

Tensor adaptive_max_pool2d(const Tensor& x, std::array<std::int64_t, 2> output, Where site) {
  const CallSite here(site);
  const char* op = "adaptive_max_pool2d";
  return max_pooled(op, 2, x, [&](const Tensor& images) { return adaptive_axes(op, images, output); }).first;
}

Tensor local_response_norm(const Tensor& x, std::int64_t size, double alpha, double beta, double k, Where site) {
  const CallSite here(site);
  const char* op = "local_response_norm";
  kernels::check_floating(op, x);
  check(x.rank() >= 2, op, "x must be (B, C, ..): its shape is {}", x.shape().str());
  check(size >= 1, op, "size must be at least 1: {}", size);
  // Channels are the rows of a pooling.
  const std::int64_t channels = x.size(1), pixels = x.numel() / std::max<std::int64_t>(x.size(0) * channels, 1);
  Axes axes{{channels, 1, {}}, {pixels, 1, {}}};
  for (std::int64_t c = 0; c < channels; ++c) {
    const std::int64_t before = std::min(size / 2, c), after = std::min((size - 1) / 2, channels - 1 - c);
    axes.rows.ranges.push_back({c - before, c + after + 1, static_cast<double>(size)});
  }
  for (std::int64_t i = 0; i < pixels; ++i) axes.columns.ranges.push_back({i, i + 1});
  const Tensor squares = reshape(square(x), {x.size(0), 1, channels, pixels});
  return x / pow(reshape(AvgPool::apply(squares, axes), x.shape()) * alpha + k, beta);
}

std::vector<OpRecord> pooling_ops() {
  using Inputs = std::vector<Tensor>;
  using Samples = std::vector<OpSample>;
  auto of = [](const char* label, const Tensor& x, auto call) {
    return OpSample{label, {x}, [call](const Inputs& in) { return call(in[0]); }};
  };
  return {
      {"max_pool1d", true,
       [=](Sampler& s) {
         return Samples{of("plain", s.distinct({2, 2, 5}), [](const Tensor& x) { return max_pool1d(x, 2); }),
                        of("every option", s.distinct({1, 1, 8}), [](const Tensor& x) {
                          return max_pool1d(x, 3, {.stride = 2, .padding = 1, .dilation = 2, .ceil_mode = true});
                        })};
       }},
      {"max_pool2d", true,
       [=](Sampler& s) {
         return Samples{of("plain", s.distinct({1, 2, 4, 4}),
                           [](const Tensor& x) {
                             return max_pool2d(x, {2, 2});
                           }),
                        of("overlapping, padded", s.distinct({1, 1, 4, 5}),
                           [](const Tensor& x) {
                             return max_pool2d(x, {3, 2}, {.stride = {{1, 2}}, .padding = {1, 0}});
                           }),
                        of("dilated, ceil mode", s.distinct({1, 1, 5, 4}),
                           [](const Tensor& x) {
                             return max_pool2d(x, {2, 2}, {.stride = {{2, 3}}, .dilation = {2, 1}, .ceil_mode = true});
                           }),
                        of("no batch", s.distinct({1, 2, 2}),
                           [](const Tensor& x) {
                             return max_pool2d(x, {2, 1});
                           }),
                        of("no images", s.distinct({0, 1, 2, 2}), [](const Tensor& x) {
                          return max_pool2d(x, {2, 2});
                        })};
       }},
      {"avg_pool1d", true,
       [=](Sampler& s) {
         return Samples{
             of("plain", s.normal({2, 1, 5}), [](const Tensor& x) { return avg_pool1d(x, 2); }),
             of("padding counted", s.normal({1, 1, 5}),
                [](const Tensor& x) { return avg_pool1d(x, 3, {.stride = 2, .padding = 1, .ceil_mode = true}); }),
             of("padding not counted", s.normal({1, 1, 5}), [](const Tensor& x) {
               return avg_pool1d(x, 3, {.stride = 3, .padding = 1, .ceil_mode = true, .count_include_pad = false});
             })};
       }},
      {"avg_pool2d", true,
       [=](Sampler& s) {
         return Samples{
             of("plain", s.normal({1, 2, 4, 4}),
                [](const Tensor& x) {
                  return avg_pool2d(x, {2, 2});
                }),
             of("padded, ceil mode", s.normal({1, 1, 4, 5}),
                [](const Tensor& x) {
                  return avg_pool2d(x, {3, 2}, {.stride = {{2, 2}}, .padding = {1, 1}, .ceil_mode = true});
                }),
             of("padding not counted", s.normal({1, 1, 3, 4}),
                [](const Tensor& x) {
                  return avg_pool2d(x, {2, 3}, {.stride = {{1, 2}}, .padding = {1, 1}, .count_include_pad = false});
                }),
             of("divisor override", s.normal({1, 1, 3, 3}),
                [](const Tensor& x) {
                  return avg_pool2d(x, {2, 2}, {.stride = {{1, 1}}, .divisor_override = 3});
                }),
             of("no batch", s.normal({1, 2, 2}),
                [](const Tensor& x) {
                  return avg_pool2d(x, {2, 1});
                }),
             of("no images", s.normal({0, 1, 2, 2}), [](const Tensor& x) {
               return avg_pool2d(x, {2, 2});
             })};
       }},
      {"adaptive_avg_pool1d", true,
       [=](Sampler& s) {
         return Samples{
             of("overlapping", s.normal({2, 1, 5}), [](const Tensor& x) { return adaptive_avg_pool1d(x, 3); })};
       }},
      {"adaptive_avg_pool2d", true,
       [=](Sampler& s) {
         return Samples{of("one", s.normal({2, 2, 2, 3}),
                           [](const Tensor& x) {
                             return adaptive_avg_pool2d(x, {1, 1});
                           }),
                        of("overlapping, larger", s.normal({1, 1, 5, 2}), [](const Tensor& x) {
                          return adaptive_avg_pool2d(x, {2, 3});
                        })};
       }},
      {"adaptive_max_pool1d", true,
       [=](Sampler& s) {
         return Samples{
             of("overlapping", s.distinct({2, 1, 5}), [](const Tensor& x) { return adaptive_max_pool1d(x, 3); })};
       }},
      {"adaptive_max_pool2d", true,
       [=](Sampler& s) {
         return Samples{of("overlapping, larger", s.distinct({1, 2, 5, 2}), [](const Tensor& x) {
           return adaptive_max_pool2d(x, {2, 3});
         })};
       }},
      {"local_response_norm", true, [=](Sampler& s) {
         return Samples{
             of("odd", s.normal({1, 4, 2, 2}), [](const Tensor& x) { return local_response_norm(x, 3, 0.3, 0.6, 2); }),
             of("even, larger", s.normal({2, 3, 2}),
                [](const Tensor& x) { return local_response_norm(x, 4, 1, 0.75, 1); })};
       }}};
}

}  // namespace ff
