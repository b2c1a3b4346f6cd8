// Tensors of given numbers.

#include "ff/autograd/ops/creation.h"

#include <algorithm>
#include <cmath>

#include "ff/core/check.h"
#include "ff/core/parallel.h"

namespace ff {
namespace {

Tensor finish(Tensor x, const TensorOptions& options) {
  if (options.requires_grad) x.requires_grad_();
  return x;
}

// value(i) at each place i, computed in f64.
template <class F>
Tensor generate(const Shape& shape, const TensorOptions& options, F value) {
  constexpr std::int64_t grain = 16 * 1024;
  Tensor x = Tensor::empty(shape, f64);
  double* out = x.data<double>();
  parallel_for(x.numel(), grain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) out[i] = value(i);
  });
  return finish(options.dtype == f64 ? x : x.copy(options.dtype), options);
}

// The i-th of count evenly spaced values from begin to end.
double spaced(double begin, double end, std::int64_t count, std::int64_t i) {
  if (i == count - 1 && count > 1) return end;
  return begin + (end - begin) * static_cast<double>(i) / static_cast<double>(std::max<std::int64_t>(count - 1, 1));
}

}  // namespace

Tensor empty(const Shape& shape, const TensorOptions& options, Where site) {
  const CallSite here(site);
  return finish(Tensor::empty(shape, options.dtype), options);
}

Tensor full(const Shape& shape, double value, const TensorOptions& options, Where site) {
  const CallSite here(site);
  Tensor x = Tensor::empty(shape, options.dtype);
  x.fill(value);
  return finish(x, options);
}

Tensor zeros(const Shape& shape, const TensorOptions& options, Where site) { return full(shape, 0, options, site); }
Tensor ones(const Shape& shape, const TensorOptions& options, Where site) { return full(shape, 1, options, site); }
Tensor empty_like(const Tensor& x, Where site) { return empty(x.shape(), {.dtype = x.dtype()}, site); }
Tensor zeros_like(const Tensor& x, Where site) { return full_like(x, 0, site); }
Tensor ones_like(const Tensor& x, Where site) { return full_like(x, 1, site); }
Tensor full_like(const Tensor& x, double value, Where site) {
  return full(x.shape(), value, {.dtype = x.dtype()}, site);
}

Tensor arange(double begin, double end, double step, const TensorOptions& options, Where site) {
  const CallSite here(site);
  check(step != 0 && std::isfinite(begin) && std::isfinite(end) && std::isfinite(step), "arange",
        "finite bounds and a step other than 0 are needed: {}, {}, {}", begin, end, step);
  const double count = std::max(0.0, std::ceil((end - begin) / step));
  check(count < 0x1p52, "arange", "too many numbers: from {} to {} by {}", begin, end, step);
  return generate({static_cast<std::int64_t>(count)}, options,
                  [=](std::int64_t i) { return begin + static_cast<double>(i) * step; });
}

Tensor linspace(double begin, double end, std::int64_t count, const TensorOptions& options, Where site) {
  const CallSite here(site);
  check(count >= 0, "linspace", "a negative count: {}", count);
  return generate({count}, options, [=](std::int64_t i) { return spaced(begin, end, count, i); });
}

Tensor logspace(double begin, double end, std::int64_t count, double base, const TensorOptions& options, Where site) {
  const CallSite here(site);
  check(count >= 0, "logspace", "a negative count: {}", count);
  return generate({count}, options, [=](std::int64_t i) { return std::pow(base, spaced(begin, end, count, i)); });
}

Tensor eye(std::int64_t n, const TensorOptions& options, Where site) {
  const CallSite here(site);
  check(n >= 0, "eye", "a negative size: {}", n);
  return generate({n, n}, options, [=](std::int64_t i) { return i / n == i % n ? 1.0 : 0.0; });
}

}  // namespace ff
