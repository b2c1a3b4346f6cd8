#include "ff/autograd/ops/convolution.h"

#include <functional>

#include <doctest/doctest.h>

#include "ff/autograd/engine.h"
#include "ff/autograd/ops/ops.h"
#include "ff/core/error.h"

#include "tests/support/compare.h"
#include "tests/support/errors.h"
#include "tests/support/strided_arrays.h"

using namespace ff;

namespace {

struct Case {
  std::int64_t batch, channels, height, width, outputs, kernel_h, kernel_w;
  Conv2dOptions options;
};

const Case cases[] = {
    {2, 3, 5, 6, 4, 3, 3, {}},
    {1, 1, 1, 1, 1, 1, 1, {}},
    {2, 4, 7, 5, 6, 3, 2, {{2, 1}, {1, 2}, {2, 1}, 2}},
    {3, 6, 9, 8, 6, 3, 3, {{1, 2}, {1, 1}, {1, 1}, 6}},   // depthwise
    {1, 2, 3, 3, 8, 5, 5, {{1, 1}, {4, 4}, {1, 1}, 2}},   // a window larger than the image
    {2, 5, 4, 4, 7, 1, 1, {}},                            // pointwise
    {1, 3, 2, 3, 2, 1, 1, {{3, 2}, {5, 4}, {1, 1}, 1}},   // windows wholly outside
    {2, 40, 30, 29, 33, 3, 3, {{1, 1}, {1, 1}, {1, 1}}},  // several bands
};

// Calls f(place in x, place in weight, place in y) for each product that the convolution sums.
void for_each_product(const Case& c, std::int64_t out_h, std::int64_t out_w,
                      const std::function<void(std::size_t, std::size_t, std::size_t)>& f) {
  const auto& [stride, padding, dilation, groups] = c.options;
  const std::int64_t in = c.channels / groups, out = c.outputs / groups;
  for (std::int64_t b = 0; b < c.batch; ++b)
    for (std::int64_t o = 0; o < c.outputs; ++o)
      for (std::int64_t oh = 0; oh < out_h; ++oh)
        for (std::int64_t ow = 0; ow < out_w; ++ow)
          for (std::int64_t i = 0; i < in; ++i)
            for (std::int64_t kh = 0; kh < c.kernel_h; ++kh)
              for (std::int64_t kw = 0; kw < c.kernel_w; ++kw) {
                const std::int64_t h = oh * stride[0] - padding[0] + kh * dilation[0],
                                   w = ow * stride[1] - padding[1] + kw * dilation[1];
                if (h < 0 || h >= c.height || w < 0 || w >= c.width) continue;
                f(static_cast<std::size_t>(((b * c.channels + o / out * in + i) * c.height + h) * c.width + w),
                  static_cast<std::size_t>(((o * in + i) * c.kernel_h + kh) * c.kernel_w + kw),
                  static_cast<std::size_t>(((b * c.outputs + o) * out_h + oh) * out_w + ow));
              }
}

void check_close(const Tensor& got, const std::vector<double>& want, double tolerance) {
  const auto d = test::largest_difference(got.to_vector<double>(), want, got.shape());
  CHECK_MESSAGE(d.relative <= tolerance, d.str());
}

void check_case(const Case& c, DType dtype, double tolerance) {
  const Tensor x = randn({c.batch, c.channels, c.height, c.width}, {.dtype = dtype}),
               weight = randn({c.outputs, c.channels / c.options.groups, c.kernel_h, c.kernel_w}, {.dtype = dtype}),
               bias = randn({c.outputs}, {.dtype = dtype});
  for (const Tensor& t : {x, weight, bias}) t.requires_grad_();
  const Tensor y = conv2d(x, weight, bias, c.options);
  const Tensor dy = randn(y.shape(), {.dtype = dtype});
  const std::vector<Tensor> gradients = grad({y}, {x, weight, bias}, {dy});
  const auto xs = x.to_vector<double>(), ws = weight.to_vector<double>(), dys = dy.to_vector<double>();
  std::vector<double> ys(dys.size()), dxs(xs.size()), dws(ws.size());
  const auto bs = bias.to_vector<double>();
  const auto positions = static_cast<std::size_t>(y.size(2) * y.size(3));
  for (std::size_t i = 0; i < ys.size(); ++i) ys[i] = bs[i / positions % bs.size()];
  for_each_product(c, y.size(2), y.size(3), [&](std::size_t i, std::size_t j, std::size_t k) {
    ys[k] += xs[i] * ws[j];
    dxs[i] += dys[k] * ws[j];
    dws[j] += dys[k] * xs[i];
  });
  check_close(y, ys, tolerance);
  check_close(gradients[0], dxs, tolerance);
  check_close(gradients[1], dws, tolerance);
}

}  // namespace

TEST_CASE("conv2d and its gradients are those of a plain loop") {
  manual_seed(3);
  for (const Case& c : cases) {
    CAPTURE(c.height);
    CAPTURE(c.kernel_h);
    check_case(c, f64, 1e-13);
    check_case(c, f32, 2e-6);
  }
}

TEST_CASE("conv_transpose2d is the adjoint of conv2d, for each size that conv2d takes to its own") {
  manual_seed(4);
  for (const Case& c : cases) {
    const Conv2dOptions& o = c.options;
    const Tensor x = randn({c.batch, c.channels, c.height, c.width}, {.dtype = f64, .requires_grad = true}),
                 weight = randn({c.outputs, c.channels / o.groups, c.kernel_h, c.kernel_w}, {.dtype = f64});
    const Tensor y = conv2d(x, weight, {}, o), dy = randn(y.shape(), {.dtype = f64});
    auto left = [&](int i, std::int64_t kernel) {
      const auto at = static_cast<std::size_t>(i);
      return x.size(2 + i) -
             ((y.size(2 + i) - 1) * o.stride[at] - 2 * o.padding[at] + o.dilation[at] * (kernel - 1) + 1);
    };
    const Tensor got = conv_transpose2d(dy, weight, {},
                                        {.stride = o.stride,
                                         .padding = o.padding,
                                         .output_padding = {left(0, c.kernel_h), left(1, c.kernel_w)},
                                         .groups = o.groups,
                                         .dilation = o.dilation});
    CHECK(got.shape() == x.shape());
    check_close(got, grad({y}, {x}, {dy})[0].to_vector<double>(), 1e-13);
  }
}

TEST_CASE("conv_transpose2d adds the bias, and spreads a pixel over a window") {
  const Tensor x = Tensor::from(std::vector<double>{1, 2}, {1, 1, 1, 2});
  const Tensor weight = Tensor::from(std::vector<double>{1, 2, 3, 4}, {1, 1, 2, 2});
  const Tensor y = conv_transpose2d(x, weight, Tensor::from({10.0}), {.stride = {1, 2}, .output_padding = {0, 1}});
  CHECK(y.shape() == Shape{1, 1, 2, 5});
  CHECK(y.to_vector<double>() == std::vector<double>{11, 12, 12, 14, 10, 13, 14, 16, 18, 10});
}

TEST_CASE("conv_transpose2d: an output padding of more than a stride sees windows beyond x") {
  const Tensor x = Tensor::from(std::vector<double>{1, 2}, {1, 1, 2, 1});
  const Tensor weight = Tensor::from(std::vector<double>{1, 10}, {1, 1, 2, 1});
  const ConvTranspose2dOptions o{.padding = {1, 0}, .output_padding = {2, 0}, .dilation = {3, 1}};
  // Unpadded: 1, 2, 0, 10, 20, then two rows of output padding; the first and the last row are cut off.
  CHECK(conv_transpose2d(x, weight, {}, o).to_vector<double>() == std::vector<double>{2, 0, 10, 20, 0});
}

TEST_CASE("conv1d and conv_transpose1d are the two-dimensional ones of height 1; a batch may be missing") {
  manual_seed(5);
  const Tensor x = randn({2, 4, 9}), weight = randn({6, 2, 3}), bias = randn({6});
  const Tensor y = conv1d(x, weight, bias, {.stride = 2, .padding = 1, .dilation = 2, .groups = 2});
  const Tensor want = conv2d(unsqueeze(x, 2), unsqueeze(weight, 2), bias,
                             {.stride = {1, 2}, .padding = {0, 1}, .dilation = {1, 2}, .groups = 2});
  CHECK(y.shape() == Shape{2, 6, 4});
  CHECK(y.to_vector<float>() == want.to_vector<float>());
  const Tensor one = conv1d(select(x, 0, 1), weight, bias, {.stride = 2, .padding = 1, .dilation = 2, .groups = 2});
  CHECK(one.shape() == Shape{6, 4});
  CHECK(one.to_vector<float>() == select(y, 0, 1).to_vector<float>());
  const Tensor back = conv_transpose1d(y, weight, {}, {.stride = 2, .padding = 1, .groups = 2, .dilation = 2});
  CHECK(back.shape() == Shape{2, 4, 9});
  CHECK(conv_transpose1d(one, weight, {}, {.groups = 2}).shape() == Shape{4, 6});
}

TEST_CASE("convolutions give the same bits at any thread count") {
  manual_seed(6);
  const Tensor x = randn({5, 24, 37, 31}), weight = randn({16, 6, 3, 3}), bias = randn({16});
  CHECK(test::same_at_any_thread_count([&] {
    std::vector<Tensor> in;
    for (const Tensor& t : {x, weight, bias}) in.push_back(t.detach().requires_grad_());
    const Tensor y = conv2d(in[0], in[1], in[2], {.padding = {1, 1}, .groups = 4});
    std::vector<float> all = y.to_vector<float>();
    for (const Tensor& g : grad({sum(square(y))}, in)) {
      const auto values = g.to_vector<float>();
      all.insert(all.end(), values.begin(), values.end());
    }
    return all;
  }));
}

TEST_CASE("im2col lays windows out in columns; col2im adds them up again") {
  const Tensor x = reshape(arange(1, 10, 1, {.dtype = f64}), {1, 1, 3, 3});
  const Tensor columns = im2col(x, {2, 2});
  CHECK(columns.shape() == Shape{1, 4, 4});
  CHECK(columns.to_vector<double>() == std::vector<double>{1, 2, 4, 5, 2, 3, 5, 6, 4, 5, 7, 8, 5, 6, 8, 9});
  CHECK(col2im(columns, {3, 3}, {2, 2}).to_vector<double>() ==
        std::vector<double>{1, 4, 3, 8, 20, 12, 7, 16, 9});  // each as often as windows hold it
}

TEST_CASE("convolutions: what is wrong is named") {
  const Tensor x = zeros({1, 4, 5, 5}), w = zeros({6, 4, 3, 3});
  auto of = [&](const Tensor& image, const Tensor& weight, const Conv2dOptions& o, const Tensor& bias = {}) {
    return test::error_of([&] { conv2d(image, weight, bias, o); });
  };
  CHECK(
      test::contains(of(zeros({5, 5}), w, {}), {"[conv2d] x must be (B, C, H, W) or (C, H, W): its shape is (5, 5)"}));
  CHECK(test::contains(of(x, zeros({6, 4, 3}), {}), {"weight must be (O, C / groups, h, w): its shape is (6, 4, 3)"}));
  CHECK(test::contains(of(x, zeros({6, 3, 3, 3}), {}), {"x has 4 channels, weight takes 3"}));
  CHECK(test::contains(of(x, w, {.groups = 4}), {"groups must divide the channels: 4 groups"}));
  CHECK(test::contains(of(x, w, {.groups = 0}), {"groups must divide the channels: 0 groups"}));
  CHECK(test::contains(of(x, w, {.stride = {0, 1}}), {"stride must be at least 1: 0"}));
  CHECK(test::contains(of(x, w, {.padding = {0, -1}}), {"padding must be at least 0: -1"}));
  CHECK(test::contains(of(x, w, {.padding = {INT64_MAX, 0}}), {"less than 2^31"}));
  CHECK(test::contains(of(x, w, {.padding = {INT32_MAX, INT32_MAX}}), {"the result would have shape"}));
  CHECK(test::contains(of(x, w, {.dilation = {3, 1}}),
                       {"a window of (6, 4, 3, 3) does not fit an image of (1, 4, 5, 5)"}));
  CHECK(test::contains(of(x, w, {}, zeros({5})), {"a bias of shape (5,) for 6 output channels"}));
  CHECK(test::contains(of(x, zeros({6, 4, 3, 3}, {.dtype = f64}), {}), {"one dtype are needed: x f32, weight f64"}));
  CHECK(test::contains(of(zeros({1, 4, 5, 5}, {.dtype = i64}), w, {}), {"a floating tensor is needed"}));
  CHECK(test::contains(test::error_of([&] {
                         conv1d(zeros({4, 2}), zeros({1, 4, 3}));
                       }),
                       {"[conv1d] a window of (1, 4, 3)"}));
  CHECK(test::contains(test::error_of([&] { conv_transpose2d(x, w); }),
                       {"[conv_transpose2d] x has 4 channels, weight takes 6"}));
  CHECK(test::contains(test::error_of([&] {
                         conv_transpose2d(x, zeros({4, 1, 3, 3}), {}, {.output_padding = {1, 0}});
                       }),
                       {"output_padding must be at least 0 and less than stride or dilation: 1 beside 1 and 1"}));
  CHECK(test::contains(test::error_of([&] {
                         conv_transpose2d(x, zeros({4, 1, 3, 3}), {}, {.padding = {9, 0}});
                       }),
                       {"the result would have size -11"}));
  CHECK(test::contains(test::error_of([&] {
                         col2im(zeros({1, 4, 5}), {3, 3}, {2, 2});
                       }),
                       {"[col2im] columns of shape (1, 4, 5) are not (B, C 4, 2 x 2)"}));
}
