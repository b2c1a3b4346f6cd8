#pragma once

#include <array>
#include <vector>

#include "ff/autograd/ops/interpolate.h"
#include "ff/autograd/ops/pooling.h"
#include "ff/autograd/ops/shape.h"
#include "ff/nn/module.h"

namespace ff::nn {

/// See ff::max_pool1d.
class MaxPool1d : public Module {
 public:
  explicit MaxPool1d(std::int64_t kernel, const ff::MaxPool1dOptions& options = {})
      : kernel_(kernel), options_(options) {}
  Tensor forward(const Tensor& x) override { return max_pool1d(x, kernel_, options_); }

 private:
  std::int64_t kernel_;
  ff::MaxPool1dOptions options_;
};

/// See ff::max_pool2d.
class MaxPool2d : public Module {
 public:
  explicit MaxPool2d(std::array<std::int64_t, 2> kernel, const ff::MaxPool2dOptions& options = {})
      : kernel_(kernel), options_(options) {}
  Tensor forward(const Tensor& x) override { return max_pool2d(x, kernel_, options_); }

 private:
  std::array<std::int64_t, 2> kernel_;
  ff::MaxPool2dOptions options_;
};

/// See ff::avg_pool1d.
class AvgPool1d : public Module {
 public:
  explicit AvgPool1d(std::int64_t kernel, const ff::AvgPool1dOptions& options = {})
      : kernel_(kernel), options_(options) {}
  Tensor forward(const Tensor& x) override { return avg_pool1d(x, kernel_, options_); }

 private:
  std::int64_t kernel_;
  ff::AvgPool1dOptions options_;
};

/// See ff::avg_pool2d.
class AvgPool2d : public Module {
 public:
  explicit AvgPool2d(std::array<std::int64_t, 2> kernel, const ff::AvgPool2dOptions& options = {})
      : kernel_(kernel), options_(options) {}
  Tensor forward(const Tensor& x) override { return avg_pool2d(x, kernel_, options_); }

 private:
  std::array<std::int64_t, 2> kernel_;
  ff::AvgPool2dOptions options_;
};

/// See ff::adaptive_avg_pool1d.
class AdaptiveAvgPool1d : public Module {
 public:
  explicit AdaptiveAvgPool1d(std::int64_t output) : output_(output) {}
  Tensor forward(const Tensor& x) override { return adaptive_avg_pool1d(x, output_); }

 private:
  std::int64_t output_;
};

/// See ff::adaptive_avg_pool2d.
class AdaptiveAvgPool2d : public Module {
 public:
  explicit AdaptiveAvgPool2d(std::array<std::int64_t, 2> output) : output_(output) {}
  Tensor forward(const Tensor& x) override { return adaptive_avg_pool2d(x, output_); }

 private:
  std::array<std::int64_t, 2> output_;
};

/// See ff::adaptive_max_pool1d.
class AdaptiveMaxPool1d : public Module {
 public:
  explicit AdaptiveMaxPool1d(std::int64_t output) : output_(output) {}
  Tensor forward(const Tensor& x) override { return adaptive_max_pool1d(x, output_); }

 private:
  std::int64_t output_;
};

/// See ff::adaptive_max_pool2d.
class AdaptiveMaxPool2d : public Module {
 public:
  explicit AdaptiveMaxPool2d(std::array<std::int64_t, 2> output) : output_(output) {}
  Tensor forward(const Tensor& x) override { return adaptive_max_pool2d(x, output_); }

 private:
  std::array<std::int64_t, 2> output_;
};

/// See ff::interpolate.
class Upsample : public Module {
 public:
  explicit Upsample(const InterpolateOptions& options) : options_(options) {}
  Tensor forward(const Tensor& x) override { return interpolate(x, options_); }

 private:
  InterpolateOptions options_;
};

/// Dimensions begin to end (inclusive) made one: an image a row.
class Flatten : public Module {
 public:
  explicit Flatten(int begin = 1, int end = -1) : begin_(begin), end_(end) {}
  Tensor forward(const Tensor& x) override { return flatten(x, begin_, end_); }

 private:
  int begin_, end_;
};

}  // namespace ff::nn
