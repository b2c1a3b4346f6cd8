// Convolution, pooling, normalisation, dropout.

#include <algorithm>
#include <array>
#include <limits>

#include "ff/autograd/ops/ops.h"
#include "ff/core/check.h"

#include "tests/conformance/evaluate.h"

namespace ff::conformance {

namespace {

using Sizes = std::vector<std::int64_t>;

// How a kernel moves over an image of one or two dimensions.
struct Window {
  Sizes kernel, stride, dilation, before, after;

  bool even() const { return before == after; }
  /// Whether pooling takes the padding as its option.
  bool poolable() const {
    for (std::size_t i = 0; i < kernel.size(); ++i)
      if (2 * before[i] > kernel[i]) return false;
    return even();
  }
  /// The padding as pad() takes it.
  Sizes pads() const {
    Sizes pads;
    for (std::size_t i = before.size(); i-- > 0;) pads.insert(pads.end(), {before[i], after[i]});
    return pads;
  }
};

std::array<std::int64_t, 2> pair(const Sizes& sizes) { return {sizes[0], sizes[1]}; }

// Reads the attributes strides, dilations, pads and auto_pad. x: (B, C, sizes..)
Window window(const Call& call, const Tensor& x, const Sizes& kernel) {
  const std::size_t n = kernel.size();
  check(n == 1 || n == 2, "conformance", "{} dimensions: the library has one and two", n);
  Window w{kernel, call.integers("strides", Sizes(n, 1)), call.integers("dilations", Sizes(n, 1)), {}, {}};
  const Sizes pads = call.integers("pads", Sizes(2 * n, 0));
  const std::string automatic = call.text("auto_pad", "NOTSET");
  check(automatic == "NOTSET" || automatic.starts_with("SAME_"), "conformance", "auto_pad {}", automatic);
  for (std::size_t i = 0; i < n; ++i) {
    if (automatic == "NOTSET") {
      w.before.push_back(pads[i]);
      w.after.push_back(pads[n + i]);
      continue;
    }
    // SAME: as many windows as strides begin in x; an odd one stands after it (UPPER) or before it (LOWER).
    const std::int64_t size = x.size(static_cast<int>(i) + 2), windows = (size + w.stride[i] - 1) / w.stride[i];
    const std::int64_t reach = (windows - 1) * w.stride[i] + (kernel[i] - 1) * w.dilation[i] + 1;
    const std::int64_t missing = std::max<std::int64_t>(reach - size, 0);
    w.before.push_back(automatic == "SAME_UPPER" ? missing / 2 : (missing + 1) / 2);
    w.after.push_back(missing - w.before.back());
  }
  return w;
}

// Attribute kernel_shape, or the weight's dimensions but the first two.
Sizes kernel_of(const Call& call, const Tensor& weight) {
  return call.integers("kernel_shape", Sizes(weight.shape().begin() + 2, weight.shape().end()));
}

// Computed without padding, whose part is then cut off. What an output_shape asks for beyond that is output_padding.
Outputs transposed_convolution(const Call& call) {
  const Tensor &x = call[0], &weight = call[1], &bias = call[2];
  const Sizes kernel = kernel_of(call, weight), wanted = call.integers("output_shape");
  const std::size_t n = kernel.size();
  check(n == 1 || n == 2, "conformance", "{} dimensions: the library has one and two", n);
  const Sizes stride = call.integers("strides", Sizes(n, 1)), dilation = call.integers("dilations", Sizes(n, 1));
  const std::string automatic = call.text("auto_pad", "NOTSET");
  const std::int64_t groups = call.integer("group", 1);
  Sizes extra = call.integers("output_padding", Sizes(n, 0)), pads = call.integers("pads", Sizes(2 * n, 0));
  for (std::size_t i = 0; i < n; ++i) {
    if (wanted.empty() && automatic == "NOTSET") continue;
    const std::int64_t size = x.size(static_cast<int>(i) + 2);
    const std::int64_t whole = (size - 1) * stride[i] + (kernel[i] - 1) * dilation[i] + 1 + extra[i];
    const std::int64_t cut = whole - (wanted.empty() ? size * stride[i] : wanted[i]);
    if (cut < 0) extra[i] -= cut;
    pads[i] = std::max<std::int64_t>(automatic == "SAME_UPPER" ? cut / 2 : cut - cut / 2, 0);
    pads[n + i] = std::max<std::int64_t>(cut, 0) - pads[i];
  }
  Tensor y =
      n == 1
          ? conv_transpose1d(
                x, weight, bias,
                {.stride = stride[0], .output_padding = extra[0], .groups = groups, .dilation = dilation[0]})
          : conv_transpose2d(
                x, weight, bias,
                {.stride = pair(stride), .output_padding = pair(extra), .groups = groups, .dilation = pair(dilation)});
  for (std::size_t i = 0; i < n; ++i) {
    const int dim = static_cast<int>(i) + 2;
    y = slice(y, dim, pads[i], y.size(dim) - pads[n + i]);
  }
  return y;
}

// Where the maxima are in all of x, row-major, or column-major within a plane.
Tensor place_in_tensor(const Tensor& in_plane, const Tensor& x, bool column_major) {
  const Shape& shape = x.shape();
  const double width = static_cast<double>(shape[shape.rank() - 1]);
  const double plane = static_cast<double>(x.numel() / (shape[0] * shape[1])), height = plane / width;
  const Tensor place = column_major ? remainder(in_plane, width) * height + floor_divide(in_plane, width) : in_plane;
  Shape planes = Shape::filled(shape.rank(), 1);
  planes[0] = shape[0];
  planes[1] = shape[1];
  return place + plane * reshape(arange(0, static_cast<double>(shape[0] * shape[1]), 1, {.dtype = i64}), planes);
}

Outputs largest_of_windows(const Call& call) {
  Window w = window(call, call[0], call.integers("kernel_shape"));
  const bool ceil_mode = call.integer("ceil_mode", 0) != 0, column_major = call.integer("storage_order", 0) != 0;
  const std::size_t n = w.kernel.size();
  // The library pools floating numbers, which hold integers of this size exactly.
  Tensor x = is_floating(call[0].dtype()) ? call[0] : cast(call[0], f32);
  if (!w.poolable()) {
    check(call.outputs() == 1, "MaxPool", "no indices with this padding");
    x = pad(x, w.pads(), PadMode::constant, -std::numeric_limits<double>::infinity());
    w.before = Sizes(n, 0);
  }
  const auto [y, indices] =
      n == 1 ? max_pool1d_with_indices(
                   x, w.kernel[0],
                   {.stride = w.stride[0], .padding = w.before[0], .dilation = w.dilation[0], .ceil_mode = ceil_mode})
             : max_pool2d_with_indices(x, pair(w.kernel),
                                       {.stride = pair(w.stride),
                                        .padding = pair(w.before),
                                        .dilation = pair(w.dilation),
                                        .ceil_mode = ceil_mode});
  return {cast(y, call[0].dtype()), place_in_tensor(indices, x, column_major)};
}

Outputs means_of_windows(const Call& call) {
  const Window w = window(call, call[0], call.integers("kernel_shape"));
  const bool ceil_mode = call.integer("ceil_mode", 0) != 0, count_pads = call.integer("count_include_pad", 0) != 0;
  const std::size_t n = w.kernel.size();
  const auto pool = [&](const Tensor& x, const Sizes& padding, bool count) {
    return n == 1
               ? avg_pool1d(
                     x, w.kernel[0],
                     {.stride = w.stride[0], .padding = padding[0], .ceil_mode = ceil_mode, .count_include_pad = count})
               : avg_pool2d(x, pair(w.kernel),
                            {.stride = pair(w.stride),
                             .padding = pair(padding),
                             .ceil_mode = ceil_mode,
                             .count_include_pad = count});
  };
  if (w.poolable()) return pool(call[0], w.before, count_pads);
  const Tensor all = pool(pad(call[0], w.pads()), Sizes(n, 0), true);
  return count_pads ? all : all / pool(pad(ones_like(call[0]), w.pads()), Sizes(n, 0), true);
}

// Over every dimension but the first two.
Dims image_dims(const Tensor& x) {
  Dims dims;
  for (int i = 2; i < x.rank(); ++i) dims.push_back(i);
  return dims;
}

Outputs normalized_batch(const Call& call) {
  const Tensor& x = call[0];
  const double epsilon = call.number("epsilon", 1e-5), momentum = call.number("momentum", 0.9);
  const bool training = call.integer("training_mode", 0) != 0;
  const Tensor running_mean = clone(call[3]), running_var = clone(call[4]);
  const Tensor y = batch_norm(x, running_mean, running_var, call[1], call[2], training, 1 - momentum, epsilon);
  if (!training) return y;
  // ONNX's running variance is biased, PyTorch's, and so the library's, is not.
  Dims dims = image_dims(x);
  dims.insert(dims.begin(), 0);
  return {y, running_mean, momentum * call[4] + (1 - momentum) * var(x, dims, 0)};
}

Outputs normalized_layer(const Call& call) {
  const Tensor& x = call[0];
  const int axis = normalize_dim("LayerNormalization", static_cast<int>(call.integer("axis", -1)), x.rank());
  const double epsilon = call.number("epsilon", 1e-5);
  call.ignore("stash_type");
  Dims dims;
  for (int i = axis; i < x.rank(); ++i) dims.push_back(i);
  const Shape shape(std::span(x.shape().begin() + axis, x.shape().end()));
  return {layer_norm(x, shape, call[1], call[2], epsilon), mean(x, dims, true), rsqrt(var(x, dims, 0, true) + epsilon)};
}

// Nothing is dropped unless training is asked for, whose random numbers ONNX does not define.
Outputs drop(const Call& call) {
  call.ignore("seed");
  const double ratio = call.has(1) ? call[1].item<double>() : call.number("ratio", 0.5);
  const bool training = call.has(2) && call[2].item<bool>();
  return {dropout(call[0], training ? ratio : 0), ones(call[0].shape(), {.dtype = boolean})};
}

}  // namespace

Tensor convolve(const Call& call, const Tensor& x, const Tensor& weight, const Tensor& bias) {
  const Window w = window(call, x, kernel_of(call, weight));
  const std::int64_t groups = call.integer("group", 1);
  const Tensor image = w.even() ? x : pad(x, w.pads());
  const Sizes padding = w.even() ? w.before : Sizes(w.kernel.size(), 0);
  if (w.kernel.size() == 1)
    return conv1d(image, weight, bias,
                  {.stride = w.stride[0], .padding = padding[0], .dilation = w.dilation[0], .groups = groups});
  return conv2d(image, weight, bias,
                {.stride = pair(w.stride), .padding = pair(padding), .dilation = pair(w.dilation), .groups = groups});
}

Operators network_operators() {
  return {{"AveragePool", means_of_windows},
          {"BatchNormalization", normalized_batch},
          {"Conv", [](const Call& call) { return convolve(call, call[0], call[1], call[2]); }},
          {"ConvTranspose", transposed_convolution},
          {"Dropout", drop},
          {"GlobalAveragePool",
           [](const Call& call) {
             return adaptive_avg_pool2d(call[0], {1, 1});
           }},
          {"GlobalMaxPool",
           [](const Call& call) {
             return adaptive_max_pool2d(call[0], {1, 1});
           }},
          {"InstanceNormalization",
           [](const Call& call) { return instance_norm(call[0], call[1], call[2], call.number("epsilon", 1e-5)); }},
          {"LRN",
           [](const Call& call) {
             return local_response_norm(call[0], call.integer("size", 1), call.number("alpha", 1e-4),
                                        call.number("beta", 0.75), call.number("bias", 1));
           }},
          {"LayerNormalization", normalized_layer},
          {"MaxPool", largest_of_windows}};
}

}  // namespace ff::conformance
