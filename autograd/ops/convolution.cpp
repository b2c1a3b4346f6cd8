// Convolutions and transposed convolutions, one-dimensional ones as two-dimensional ones of height 1.

#include "ff/core/cpu/convolution.h"

#include "ff/autograd/function.h"
#include "ff/autograd/ops/kernels.h"
#include "ff/autograd/ops/op_table.h"
#include "ff/autograd/ops/ops.h"
#include "ff/autograd/ops/spatial.h"
#include "ff/core/check.h"

namespace ff {
namespace {

// The form sum y conv(x, weight) is linear in each of x, weight and y: each of the three Functions here is its
// derivative by one of them, and their derivatives are the others.
Tensor transposed(const Tensor& y, const Tensor& weight, const cpu::Convolution& sizes);
Tensor weight_gradient(const Tensor& x, const Tensor& y, const cpu::Convolution& sizes);

// x (B, C, H, W), weight (O, C / groups, h, w), bias (O) or undefined; (B, O, H', W').
struct Convolution : Function<Convolution> {
  static constexpr const char* name = "convolution";
  cpu::Convolution sizes{};
  bool biased = false;
  Tensor forward(Context& ctx, const Tensor& x, const Tensor& weight, const Tensor& bias, const cpu::Convolution& s) {
    sizes = s;
    biased = bias.defined();
    ctx.save({ctx.needs_grad(1) ? x : Tensor(), ctx.needs_grad(0) ? weight : Tensor()});
    const Tensor images = x.dense(), kernels = weight.dense(), shift = biased ? bias.dense() : Tensor();
    Tensor y = Tensor::empty({s.count, s.outputs, s.window.out_height(), s.window.out_width()}, x.dtype());
    cpu::convolution(x.dtype(), s, images.raw(), kernels.raw(), biased ? shift.raw() : nullptr, y.raw());
    return y;
  }
  Gradients backward(Context& ctx, const Tensor& dy) const {
    Gradients gradients{ctx.needs_grad(0) ? transposed(dy, ctx.saved(1), sizes) : Tensor(),
                        ctx.needs_grad(1) ? weight_gradient(ctx.saved(0), dy, sizes) : Tensor()};
    if (biased) gradients.push_back(ctx.needs_grad(2) ? sum(dy, {0, 2, 3}) : Tensor());
    return gradients;
  }
};

Tensor convolve(const Tensor& x, const Tensor& weight, const cpu::Convolution& sizes) {
  return Convolution::apply(x, weight, Tensor(), sizes);
}

// y (B, O, H', W') to (B, C, H, W).
struct TransposedConvolution : Function<TransposedConvolution> {
  static constexpr const char* name = "transposed_convolution";
  cpu::Convolution sizes{};
  Tensor forward(Context& ctx, const Tensor& y, const Tensor& weight, const cpu::Convolution& s) {
    sizes = s;
    ctx.save({ctx.needs_grad(1) ? y : Tensor(), ctx.needs_grad(0) ? weight : Tensor()});
    const Tensor results = y.dense(), kernels = weight.dense();
    Tensor x = Tensor::empty({s.count, s.window.channels, s.window.height, s.window.width}, y.dtype());
    cpu::convolution_input(y.dtype(), s, results.raw(), kernels.raw(), x.raw());
    return x;
  }
  Gradients backward(Context& ctx, const Tensor& dx) const {
    return {ctx.needs_grad(0) ? convolve(dx, ctx.saved(1), sizes) : Tensor(),
            ctx.needs_grad(1) ? weight_gradient(dx, ctx.saved(0), sizes) : Tensor()};
  }
};

Tensor transposed(const Tensor& y, const Tensor& weight, const cpu::Convolution& sizes) {
  return TransposedConvolution::apply(y, weight, sizes);
}

// x (B, C, H, W), y (B, O, H', W') to (O, C / groups, h, w).
struct ConvolutionWeight : Function<ConvolutionWeight> {
  static constexpr const char* name = "convolution_weight";
  cpu::Convolution sizes{};
  Tensor forward(Context& ctx, const Tensor& x, const Tensor& y, const cpu::Convolution& s) {
    sizes = s;
    ctx.save({ctx.needs_grad(1) ? x : Tensor(), ctx.needs_grad(0) ? y : Tensor()});
    const Tensor images = x.dense(), results = y.dense();
    const cpu::Window& w = s.window;
    Tensor weight = Tensor::empty({s.outputs, w.channels / s.groups, w.kernel_h, w.kernel_w}, x.dtype());
    cpu::convolution_weight(x.dtype(), s, images.raw(), results.raw(), weight.raw());
    return weight;
  }
  Gradients backward(Context& ctx, const Tensor& dweight) const {
    return {ctx.needs_grad(0) ? transposed(ctx.saved(1), dweight, sizes) : Tensor(),
            ctx.needs_grad(1) ? convolve(ctx.saved(0), dweight, sizes) : Tensor()};
  }
};

Tensor weight_gradient(const Tensor& x, const Tensor& y, const cpu::Convolution& sizes) {
  return ConvolutionWeight::apply(x, y, sizes);
}

// Whether the windows tile the image, as in a patch embedding: then unfolding is a rearrangement.
bool tiles(const cpu::Window& w) {
  return w.stride_h == w.kernel_h && w.stride_w == w.kernel_w && w.pad_h == 0 && w.pad_w == 0 && w.dilation_h == 1 &&
         w.dilation_w == 1 && w.height % w.kernel_h == 0 && w.width % w.kernel_w == 0;
}

// Such a convolution: one product for all images.
Tensor convolve_tiles(const Tensor& x, const Tensor& weight, const Tensor& bias, const cpu::Window& w) {
  const Tensor cut = reshape(x, {x.size(0), w.channels, w.out_height(), w.kernel_h, w.out_width(), w.kernel_w});
  const Tensor windows = reshape(permute(cut, {0, 2, 4, 1, 3, 5}),
                                 {x.size(0), w.out_height() * w.out_width(), w.channels * w.kernel_h * w.kernel_w});
  const Tensor rows = linear(windows, flatten(weight, 1), bias);  // (B, H' W', O)
  return permute(reshape(rows, {x.size(0), w.out_height(), w.out_width(), weight.size(0)}), {0, 3, 1, 2});
}

// Checks what does not depend on the direction: x (.., C, sizes..), weight of n sizes, bias of `outputs`.
void check_arguments(const char* op, int n, const Tensor& x, const Tensor& weight, const Tensor& bias,
                     std::int64_t outputs, const Conv2dOptions& o) {
  check(weight.dtype() == x.dtype() && (!bias.defined() || bias.dtype() == x.dtype()), op,
        "tensors of one dtype are needed: x {}, weight {}, bias {}", name(x.dtype()), name(weight.dtype()),
        bias.defined() ? name(bias.dtype()) : "none");
  check(!bias.defined() || bias.shape() == Shape{outputs}, op, "a bias of shape {} for {} output channels",
        bias.defined() ? bias.shape().str() : "", outputs);
  for (int i = -n; i < 0; ++i)
    check(x.size(i) > 0 && weight.size(i) > 0 && weight.size(i) <= INT32_MAX, op,
          "an image or a window without extent: x {}, weight {}", x.shape().str(), weight.shape().str());
  spatial::check_values(op, "stride", o.stride, 1);
  spatial::check_values(op, "dilation", o.dilation, 1);
  spatial::check_values(op, "padding", o.padding, 0);
}

void check_weight(const char* op, int n, const Tensor& x, const Tensor& weight, std::int64_t groups,
                  const char* wanted) {
  spatial::check_image(op, n, x);
  check(weight.rank() == n + 2 && weight.size(0) > 0 && weight.size(1) > 0, op, "weight must be {}: its shape is {}",
        wanted, weight.shape().str());
  check(groups >= 1 && weight.size(0) % groups == 0 && x.size(-n - 1) % groups == 0, op,
        "groups must divide the channels: {} groups, x {}, weight {}", groups, x.shape().str(), weight.shape().str());
}

Tensor convolution(const char* op, int n, const Tensor& x, const Tensor& weight, const Tensor& bias,
                   const Conv2dOptions& o) {
  check_weight(op, n, x, weight, o.groups, n == 1 ? "(O, C / groups, l)" : "(O, C / groups, h, w)");
  check(x.size(-n - 1) == weight.size(1) * o.groups, op,
        "x has {} channels, weight takes {}: x {}, weight {}, groups {}", x.size(-n - 1), weight.size(1) * o.groups,
        x.shape().str(), weight.shape().str(), o.groups);
  check_arguments(op, n, x, weight, bias, weight.size(0), o);
  const Tensor images = spatial::to_images(x, n), kernels = n == 1 ? unsqueeze(weight, 2) : weight;
  const cpu::Window w{images.size(1), images.size(2), images.size(3), kernels.size(2), kernels.size(3), o.stride[0],
                      o.stride[1],    o.padding[0],   o.padding[1],   o.dilation[0],   o.dilation[1]};
  check(w.height + 2 * w.pad_h >= w.dilation_h * (w.kernel_h - 1) + 1 &&
            w.width + 2 * w.pad_w >= w.dilation_w * (w.kernel_w - 1) + 1,
        op, "a window of {} does not fit an image of {}", weight.shape().str(), x.shape().str());
  spatial::check_result(op, {images.size(0), weight.size(0), w.out_height(), w.out_width()});
  const Tensor y =
      o.groups == 1 && tiles(w)
          ? convolve_tiles(images, kernels, bias, w)
          : Convolution::apply(images, kernels, bias, cpu::Convolution{w, images.size(0), weight.size(0), o.groups});
  return spatial::from_images(y, x, n);
}

// x with rows and columns of zeros after the last ones.
Tensor extended(const Tensor& x, std::int64_t rows, std::int64_t columns) {
  const TensorOptions options{.dtype = x.dtype()};
  Tensor y = x;
  if (rows > 0) y = concatenate({y, zeros({y.size(0), y.size(1), rows, y.size(3)}, options)}, 2);
  if (columns > 0) y = concatenate({y, zeros({y.size(0), y.size(1), y.size(2), columns}, options)}, 3);
  return y;
}

Tensor transposed_convolution(const char* op, int n, const Tensor& x, const Tensor& weight, const Tensor& bias,
                              const ConvTranspose2dOptions& o) {
  check_weight(op, n, x, weight, o.groups, n == 1 ? "(C, O / groups, l)" : "(C, O / groups, h, w)");
  check(x.size(-n - 1) == weight.size(0), op, "x has {} channels, weight takes {}: x {}, weight {}", x.size(-n - 1),
        weight.size(0), x.shape().str(), weight.shape().str());
  const std::int64_t outputs = weight.size(1) * o.groups;
  check_arguments(op, n, x, weight, bias, outputs, {o.stride, o.padding, o.dilation, o.groups});
  const Tensor kernels = n == 1 ? unsqueeze(weight, 2) : weight;
  Tensor images = spatial::to_images(x, n);
  std::array<std::int64_t, 2> size{}, extra{};
  for (int i = 0; i < 2; ++i) {
    const auto at = static_cast<std::size_t>(i);
    check(o.output_padding[at] >= 0 && o.output_padding[at] < std::max(o.stride[at], o.dilation[at]), op,
          "output_padding must be at least 0 and less than stride or dilation: {} beside {} and {}",
          o.output_padding[at], o.stride[at], o.dilation[at]);
    check(images.size(2 + i) <= INT32_MAX, op, "an image of {} is too large", x.shape().str());
    size[at] = (images.size(2 + i) - 1) * o.stride[at] - 2 * o.padding[at] +
               o.dilation[at] * (kernels.size(2 + i) - 1) + o.output_padding[at] + 1;
    check(size[at] > 0, op, "the result would have size {}: x {}, weight {}, padding {}", size[at], x.shape().str(),
          weight.shape().str(), o.padding[at]);
    // An output padding of a stride or more makes room for windows that x does not have.
    extra[at] = o.output_padding[at] / o.stride[at];
  }
  spatial::check_result(op, {images.size(0), outputs, size[0], size[1]});
  images = extended(images, extra[0], extra[1]);
  const cpu::Window w{outputs,     size[0],      size[1],      kernels.size(2), kernels.size(3), o.stride[0],
                      o.stride[1], o.padding[0], o.padding[1], o.dilation[0],   o.dilation[1]};
  Tensor y = transposed(images, kernels, {w, images.size(0), weight.size(0), o.groups});
  if (bias.defined()) y = y + reshape(bias, {outputs, 1, 1});
  return spatial::from_images(y, x, n);
}

Tensor fold(const Tensor& columns, const cpu::Window& window);

// x (B, C, H, W) to (B, C h w, H' W').
struct Im2col : Function<Im2col> {
  static constexpr const char* name = "im2col";
  cpu::Window window{};
  Tensor forward(Context&, const Tensor& x, const cpu::Window& w) {
    window = w;
    const Tensor dense = x.dense();
    Tensor y =
        Tensor::empty({x.size(0), w.channels * w.kernel_h * w.kernel_w, w.out_height() * w.out_width()}, x.dtype());
    cpu::im2col(x.dtype(), x.size(0), w, dense.raw(), y.raw());
    return y;
  }
  Gradients backward(Context&, const Tensor& dy) const { return {fold(dy, window)}; }
};

// The adjoint of Im2col.
struct Col2im : Function<Col2im> {
  static constexpr const char* name = "col2im";
  cpu::Window window{};
  Tensor forward(Context&, const Tensor& columns, const cpu::Window& w) {
    window = w;
    const Tensor dense = columns.dense();
    Tensor y = Tensor::empty({columns.size(0), w.channels, w.height, w.width}, columns.dtype());
    cpu::col2im(columns.dtype(), columns.size(0), w, dense.raw(), y.raw());
    return y;
  }
  Gradients backward(Context&, const Tensor& dy) const { return {Im2col::apply(dy, window)}; }
};

Tensor fold(const Tensor& columns, const cpu::Window& window) { return Col2im::apply(columns, window); }

cpu::Window checked_window(const char* op, std::int64_t channels, std::array<std::int64_t, 2> size,
                           std::array<std::int64_t, 2> kernel, const Im2colOptions& o) {
  spatial::check_values(op, "the image's size", size, 1);
  spatial::check_values(op, "kernel", kernel, 1);
  spatial::check_values(op, "stride", o.stride, 1);
  spatial::check_values(op, "dilation", o.dilation, 1);
  spatial::check_values(op, "padding", o.padding, 0);
  const cpu::Window w{channels,    size[0],      size[1],      kernel[0],     kernel[1],    o.stride[0],
                      o.stride[1], o.padding[0], o.padding[1], o.dilation[0], o.dilation[1]};
  check(w.height + 2 * w.pad_h >= w.dilation_h * (w.kernel_h - 1) + 1 &&
            w.width + 2 * w.pad_w >= w.dilation_w * (w.kernel_w - 1) + 1,
        op, "a window of {} x {} does not fit an image of {} x {}", kernel[0], kernel[1], size[0], size[1]);
  return w;
}

}  // namespace

Tensor conv1d(const Tensor& x, const Tensor& weight, const Tensor& bias, const Conv1dOptions& o, Where site) {
  const CallSite here(site);
  return convolution("conv1d", 1, x, weight, bias, {{1, o.stride}, {0, o.padding}, {1, o.dilation}, o.groups});
}

Tensor conv2d(const Tensor& x, const Tensor& weight, const Tensor& bias, const Conv2dOptions& options, Where site) {
  const CallSite here(site);
  return convolution("conv2d", 2, x, weight, bias, options);
}

Tensor conv_transpose1d(const Tensor& x, const Tensor& weight, const Tensor& bias, const ConvTranspose1dOptions& o,
                        Where site) {
  const CallSite here(site);
  return transposed_convolution("conv_transpose1d", 1, x, weight, bias,
                                {{1, o.stride}, {0, o.padding}, {0, o.output_padding}, o.groups, {1, o.dilation}});
}

Tensor conv_transpose2d(const Tensor& x, const Tensor& weight, const Tensor& bias,
                        const ConvTranspose2dOptions& options, Where site) {
  const CallSite here(site);
  return transposed_convolution("conv_transpose2d", 2, x, weight, bias, options);
}

Tensor im2col(const Tensor& x, std::array<std::int64_t, 2> kernel, const Im2colOptions& options, Where site) {
  const CallSite here(site);
  const char* op = Im2col::name;
  kernels::check_floating(op, x);
  check(x.rank() == 4, op, "x must be (B, C, H, W): its shape is {}", x.shape().str());
  const cpu::Window w = checked_window(op, x.size(1), {x.size(2), x.size(3)}, kernel, options);
  spatial::check_result(op, {x.size(0), x.size(1), kernel[0], kernel[1], w.out_height(), w.out_width()});
  return Im2col::apply(x, w);
}

Tensor col2im(const Tensor& columns, std::array<std::int64_t, 2> size, std::array<std::int64_t, 2> kernel,
              const Im2colOptions& options, Where site) {
  const CallSite here(site);
  const char* op = Col2im::name;
  kernels::check_floating(op, columns);
  cpu::Window w = checked_window(op, 1, size, kernel, options);
  const std::int64_t places = kernel[0] * kernel[1];
  check(columns.rank() == 3 && columns.size(1) % places == 0 &&
            static_cast<double>(columns.size(2)) ==
                static_cast<double>(w.out_height()) * static_cast<double>(w.out_width()),
        op, "columns of shape {} are not (B, C {}, {} x {})", columns.shape().str(), places, w.out_height(),
        w.out_width());
  w.channels = columns.size(1) / places;
  spatial::check_result(op, {columns.size(0), w.channels, size[0], size[1]});
  return Col2im::apply(columns, w);
}

std::vector<OpRecord> convolution_ops() {
  using Inputs = std::vector<Tensor>;
  // A sample generator of one of the four convolutions.
  auto samples = [](auto op, auto make) {
    return [=](Sampler& s) {
      auto call = [op](const auto& options) {
        return [=](const Inputs& in) { return op(in[0], in[1], in.size() > 2 ? in[2] : Tensor(), options, {}); };
      };
      return make(s, call);
    };
  };
  using Samples = std::vector<OpSample>;
  return {
      {"conv1d", true,
       samples(conv1d,
               [](Sampler& s, auto call) {
                 using O = Conv1dOptions;
                 return Samples{{"biased", {s.normal({2, 2, 5}), s.normal({3, 2, 2}), s.normal({3})}, call(O{})},
                                {"every option",
                                 {s.normal({1, 4, 6}), s.normal({2, 2, 3}), s.normal({2})},
                                 call(O{.stride = 2, .padding = 2, .dilation = 2, .groups = 2})},
                                {"no batch", {s.normal({2, 4}), s.normal({1, 2, 3})}, call(O{.padding = 1})}};
               })},
      {"conv2d", true,
       samples(conv2d,
               [](Sampler& s, auto call) {
                 using O = Conv2dOptions;
                 return Samples{
                     {"patches",
                      {s.normal({2, 2, 4, 4}), s.normal({3, 2, 2, 2}), s.normal({3})},
                      call(O{.stride = {2, 2}})},
                     {"padded",
                      {s.normal({1, 2, 3, 4}), s.normal({2, 2, 3, 3}), s.normal({2})},
                      call(O{.padding = {1, 1}})},
                     {"strided, dilated, no bias",
                      {s.normal({1, 1, 6, 5}), s.normal({2, 1, 2, 2})},
                      call(O{.stride = {2, 1}, .dilation = {2, 3}})},
                     {"groups",
                      {s.normal({2, 4, 3, 3}), s.normal({2, 2, 2, 2}), s.normal({2})},
                      call(O{.padding = {1, 0}, .groups = 2})},
                     {"depthwise",
                      {s.normal({1, 3, 3, 4}), s.normal({6, 1, 3, 3})},
                      call(O{.stride = {1, 2}, .padding = {1, 1}, .groups = 3})},
                     {"pointwise", {s.normal({2, 3, 2, 2}), s.normal({2, 3, 1, 1})}, call(O{})},
                     {"pointwise groups", {s.normal({2, 4, 2, 2}), s.normal({4, 2, 1, 1})}, call(O{.groups = 2})},
                     {"no batch", {s.normal({1, 3, 3}), s.normal({2, 1, 2, 2}), s.normal({2})}, call(O{})},
                     {"no images", {s.normal({0, 1, 3, 3}), s.normal({2, 1, 2, 2})}, call(O{})}};
               })},
      {"conv_transpose1d", true,
       samples(conv_transpose1d,
               [](Sampler& s, auto call) {
                 using O = ConvTranspose1dOptions;
                 return Samples{{"biased", {s.normal({2, 2, 3}), s.normal({2, 3, 2}), s.normal({3})}, call(O{})},
                                {"every option",
                                 {s.normal({1, 4, 3}), s.normal({4, 1, 3}), s.normal({2})},
                                 call(O{.stride = 3, .padding = 1, .output_padding = 2, .groups = 2, .dilation = 2})},
                                {"no batch", {s.normal({2, 3}), s.normal({2, 1, 2})}, call(O{.stride = 2})}};
               })},
      {"conv_transpose2d", true,
       samples(conv_transpose2d,
               [](Sampler& s, auto call) {
                 using O = ConvTranspose2dOptions;
                 return Samples{{"biased", {s.normal({2, 2, 2, 3}), s.normal({2, 3, 2, 2}), s.normal({3})}, call(O{})},
                                {"strided, padded",
                                 {s.normal({1, 2, 3, 2}), s.normal({2, 2, 3, 2}), s.normal({2})},
                                 call(O{.stride = {2, 3}, .padding = {1, 0}, .output_padding = {1, 2}})},
                                {"output padding beyond a stride",
                                 {s.normal({1, 1, 2, 2}), s.normal({1, 2, 2, 2})},
                                 call(O{.padding = {1, 1}, .output_padding = {2, 1}, .dilation = {3, 2}})},
                                {"groups",
                                 {s.normal({1, 4, 2, 2}), s.normal({4, 1, 2, 2}), s.normal({2})},
                                 call(O{.stride = {2, 1}, .groups = 2})},
                                {"no batch", {s.normal({1, 2, 2}), s.normal({1, 1, 2, 2})}, call(O{})},
                                {"no images", {s.normal({0, 1, 2, 2}), s.normal({1, 2, 2, 2})}, call(O{})}};
               })},
      {"im2col", true,
       [](Sampler& s) {
         return Samples{{"plain",
                         {s.normal({2, 1, 3, 3})},
                         [](const Inputs& in) {
                           return im2col(in[0], {2, 2});
                         }},
                        {"every option", {s.normal({1, 2, 3, 4})}, [](const Inputs& in) {
                           return im2col(in[0], {2, 3}, {.dilation = {2, 1}, .padding = {1, 0}, .stride = {1, 2}});
                         }}};
       }},
      {"col2im", true, [](Sampler& s) {
         return Samples{
             {"plain",
              {s.normal({2, 4, 4})},
              [](const Inputs& in) {
                return col2im(in[0], {3, 3}, {2, 2});
              }},
             {"every option", {s.normal({1, 12, 3})}, [](const Inputs& in) {
                return col2im(in[0], {3, 4}, {2, 3}, {.dilation = {2, 1}, .padding = {1, 0}, .stride = {1, 2}});
              }}};
       }}};
}

}  // namespace ff
