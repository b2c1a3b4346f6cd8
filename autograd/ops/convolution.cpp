// Two-dimensional convolution, as a matrix product over unfolded images.

#include "ff/core/cpu/convolution.h"

#include "ff/autograd/function.h"
#include "ff/autograd/ops/kernels.h"
#include "ff/autograd/ops/op_table.h"
#include "ff/autograd/ops/ops.h"
#include "ff/core/check.h"

namespace ff {
namespace {

Tensor fold(const Tensor& columns, const cpu::Window& window);

// x (B, C, H, W) to (B, C h w, H' W').
struct Unfold : Function<Unfold> {
  static constexpr const char* name = "unfold";
  cpu::Window window;
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

// The adjoint of Unfold.
struct Fold : Function<Fold> {
  static constexpr const char* name = "fold";
  cpu::Window window;
  Tensor forward(Context&, const Tensor& columns, const cpu::Window& w) {
    window = w;
    const Tensor dense = columns.dense();
    Tensor y = Tensor::empty({columns.size(0), w.channels, w.height, w.width}, columns.dtype());
    cpu::col2im(columns.dtype(), columns.size(0), w, dense.raw(), y.raw());
    return y;
  }
  Gradients backward(Context&, const Tensor& dy) const { return {Unfold::apply(dy, window)}; }
};

Tensor fold(const Tensor& columns, const cpu::Window& window) { return Fold::apply(columns, window); }

// Whether the windows tile the image, as in a patch embedding: then unfolding is a rearrangement.
bool tiles(const cpu::Window& w) {
  return w.stride_h == w.kernel_h && w.stride_w == w.kernel_w && w.pad_h == 0 && w.pad_w == 0 && w.dilation_h == 1 &&
         w.dilation_w == 1 && w.height % w.kernel_h == 0 && w.width % w.kernel_w == 0;
}

// x (B, C, H, W) to one row a window, (B, H' W', C h w).
Tensor windows(const Tensor& x, const cpu::Window& w) {
  if (!tiles(w)) return transpose(Unfold::apply(x, w), 1, 2);
  const Tensor cut = reshape(x, {x.size(0), w.channels, w.out_height(), w.kernel_h, w.out_width(), w.kernel_w});
  return reshape(permute(cut, {0, 2, 4, 1, 3, 5}),
                 {x.size(0), w.out_height() * w.out_width(), w.channels * w.kernel_h * w.kernel_w});
}

}  // namespace

Tensor conv2d(const Tensor& x, const Tensor& weight, const Tensor& bias, const Conv2dOptions& options, Where site) {
  const CallSite here(site);
  const char* op = "conv2d";
  kernels::check_floating(op, x);
  check(x.rank() == 4 && weight.rank() == 4 && x.size(1) == weight.size(1), op,
        "x (B, C, H, W) and weight (O, C, h, w) are needed: {} and {}", x.shape().str(), weight.shape().str());
  const auto [stride, padding, dilation] = options;
  check(stride[0] > 0 && stride[1] > 0 && dilation[0] > 0 && dilation[1] > 0 && padding[0] >= 0 && padding[1] >= 0, op,
        "stride ({}, {}) and dilation ({}, {}) must be at least 1, padding ({}, {}) at least 0", stride[0], stride[1],
        dilation[0], dilation[1], padding[0], padding[1]);
  const cpu::Window w{x.size(1), x.size(2),  x.size(3),  weight.size(2), weight.size(3), stride[0],
                      stride[1], padding[0], padding[1], dilation[0],    dilation[1]};
  check(w.kernel_h > 0 && w.kernel_w > 0 && w.height + 2 * w.pad_h >= w.dilation_h * (w.kernel_h - 1) + 1 &&
            w.width + 2 * w.pad_w >= w.dilation_w * (w.kernel_w - 1) + 1,
        op, "a window of {} does not fit an image of {}", weight.shape().str(), x.shape().str());
  const Tensor rows = linear(windows(x, w), flatten(weight, 1), bias);  // (B, H' W', O)
  return permute(reshape(rows, {x.size(0), w.out_height(), w.out_width(), weight.size(0)}), {0, 3, 1, 2});
}

std::vector<OpRecord> convolution_ops() {
  using Inputs = std::vector<Tensor>;
  return {{"conv2d", true, [](Sampler& s) {
             auto call = [](const Conv2dOptions& options) {
               return [=](const Inputs& in) { return conv2d(in[0], in[1], in.size() > 2 ? in[2] : Tensor(), options); };
             };
             return std::vector<OpSample>{
                 {"patches", {s.normal({2, 2, 4, 4}), s.normal({3, 2, 2, 2}), s.normal({3})}, call({.stride = {2, 2}})},
                 {"padded", {s.normal({1, 2, 3, 4}), s.normal({2, 2, 3, 3}), s.normal({2})}, call({.padding = {1, 1}})},
                 {"strided, dilated, no bias",
                  {s.normal({1, 1, 6, 5}), s.normal({2, 1, 2, 2})},
                  call({.stride = {2, 1}, .dilation = {2, 3}})},
                 {"no images", {s.normal({0, 1, 3, 3}), s.normal({2, 1, 2, 2})}, call({})}};
           }}};
}

}  // namespace ff
