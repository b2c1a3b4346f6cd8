#include "ff/nn/init.h"

#include <cmath>
#include <numbers>
#include <vector>

#include "ff/core/check.h"
#include "ff/core/parallel.h"
#include "ff/core/random.h"

namespace ff::nn::init {
namespace {

constexpr std::int64_t grain = 1 << 14;

// Has fill(T* values, n) write the elements of a floating tensor, whatever its layout.
template <class F>
void write(const char* op, const Tensor& tensor, F fill) {
  check(is_floating(tensor.dtype()), op, "a floating tensor is needed; the dtype is {}", name(tensor.dtype()));
  const Tensor values = tensor.is_contiguous() ? tensor : Tensor::empty(tensor.shape(), tensor.dtype());
  dispatch_floating(tensor.dtype(), [&](auto tag) { fill(static_cast<decltype(tag)*>(values.raw()), values.numel()); });
  if (values.is(tensor))
    tensor.bump_version();
  else
    tensor.assign(values);
}

// x = scale x + shift
template <class T>
void affine(T* x, std::int64_t n, double scale, double shift) {
  parallel_for(n, grain, [=](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) x[i] = static_cast<T>(scale * static_cast<double>(x[i]) + shift);
  });
}

// A normal number takes no more than two words of the generator.
RandomKey next_key(std::int64_t n) { return default_generator().next(2 * static_cast<std::uint64_t>(n)); }

template <class T>
void draw_normal(T* x, std::int64_t n, double mean, double std) {
  fill_normal(x, n, next_key(n));
  affine(x, n, std, mean);
}

// Probability that a normal number is below x.
double normal_cdf(double x, double mean, double std) { return std::erfc((mean - x) / (std * std::numbers::sqrt2)) / 2; }

std::int64_t kernel_size(const char* op, const Tensor& weight) {
  check(weight.rank() >= 2, op, "a weight of at least two dimensions is needed; the shape is {}", weight.shape().str());
  std::int64_t n = 1;
  for (int i = 2; i < weight.rank(); ++i) n *= weight.shape()[i];
  return n;
}

}  // namespace

std::int64_t fan_in(const Tensor& weight) { return kernel_size("fan_in", weight) * weight.shape()[1]; }
std::int64_t fan_out(const Tensor& weight) { return kernel_size("fan_out", weight) * weight.shape()[0]; }

void constant_(const Tensor& tensor, double value) { tensor.fill(value); }
void zeros_(const Tensor& tensor) { tensor.fill(0); }
void ones_(const Tensor& tensor) { tensor.fill(1); }

void uniform_(const Tensor& tensor, double low, double high) {
  check(low <= high, "uniform_", "low {} is above high {}", low, high);
  write("uniform_", tensor, [=]<class T>(T* x, std::int64_t n) {
    fill_uniform(x, n, next_key(n));
    affine(x, n, high - low, low);
  });
}

void normal_(const Tensor& tensor, double mean, double std) {
  check(std >= 0, "normal_", "the standard deviation is {}", std);
  write("normal_", tensor, [=]<class T>(T* x, std::int64_t n) { draw_normal(x, n, mean, std); });
}

void trunc_normal_(const Tensor& tensor, double mean, double std, double low, double high) {
  check(std > 0 && low < high, "trunc_normal_", "std {}, interval [{}, {}]", std, low, high);
  const double inside = normal_cdf(high, mean, std) - normal_cdf(low, mean, std);
  check(inside >= 0.01, "trunc_normal_", "[{}, {}] holds only {:.2g} of the normal distribution of mean {} and std {}",
        low, high, inside, mean, std);
  write("trunc_normal_", tensor, [=]<class T>(T* x, std::int64_t n) {
    draw_normal(x, n, mean, std);
    auto outside = [=](T value) { return !(value >= static_cast<T>(low) && value <= static_cast<T>(high)); };
    std::vector<std::int64_t> rejected;
    for (std::int64_t i = 0; i < n; ++i)
      if (outside(x[i])) rejected.push_back(i);
    std::vector<T> fresh;
    while (!rejected.empty()) {
      fresh.resize(rejected.size());
      draw_normal(fresh.data(), std::ssize(fresh), mean, std);
      std::vector<std::int64_t> left;
      for (std::size_t i = 0; i < fresh.size(); ++i) {
        x[rejected[i]] = fresh[i];
        if (outside(fresh[i])) left.push_back(rejected[i]);
      }
      rejected = std::move(left);
    }
  });
}

void xavier_uniform_(const Tensor& tensor, double gain) {
  const std::int64_t fans = fan_in(tensor) + fan_out(tensor);
  if (fans == 0) return;
  const double bound = gain * std::sqrt(6 / static_cast<double>(fans));
  uniform_(tensor, -bound, bound);
}

void kaiming_uniform_(const Tensor& tensor, double a) {
  const std::int64_t fan = fan_in(tensor);
  if (fan == 0) return;
  const double bound = std::sqrt(6 / ((1 + a * a) * static_cast<double>(fan)));
  uniform_(tensor, -bound, bound);
}

}  // namespace ff::nn::init
