#include <cmath>
#include <numeric>

#include "ff/autograd/ops/ops.h"
#include "ff/core/check.h"

namespace ff {
namespace {

Tensor finish(Tensor x, const TensorOptions& options) {
  if (options.requires_grad) x.requires_grad_();
  return x;
}

template <class F>
Tensor generate(const Shape& shape, const TensorOptions& options, F value) {
  Tensor x = Tensor::empty(shape, options.dtype);
  dispatch(options.dtype, [&](auto tag) {
    using T = decltype(tag);
    T* out = x.data<T>();
    for (std::int64_t i = 0; i < x.numel(); ++i) out[i] = static_cast<T>(value(i));
  });
  return finish(x, options);
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

Tensor zeros(const Shape& shape, const TensorOptions& options, Where site) {
  const CallSite here(site);
  return full(shape, 0, options);
}
Tensor ones(const Shape& shape, const TensorOptions& options, Where site) {
  const CallSite here(site);
  return full(shape, 1, options);
}
Tensor zeros_like(const Tensor& x, Where site) {
  const CallSite here(site);
  return full(x.shape(), 0, {.dtype = x.dtype()});
}
Tensor ones_like(const Tensor& x, Where site) {
  const CallSite here(site);
  return full(x.shape(), 1, {.dtype = x.dtype()});
}

Tensor arange(double begin, double end, double step, const TensorOptions& options, Where site) {
  const CallSite here(site);
  check(step != 0 && std::isfinite(begin) && std::isfinite(end) && std::isfinite(step), "arange",
        "finite bounds and a step other than 0 are needed: {}, {}, {}", begin, end, step);
  const double count = std::max(0.0, std::ceil((end - begin) / step));
  return generate({static_cast<std::int64_t>(count)}, options,
                  [=](std::int64_t i) { return begin + static_cast<double>(i) * step; });
}

Tensor linspace(double begin, double end, std::int64_t count, const TensorOptions& options, Where site) {
  const CallSite here(site);
  check(count >= 0, "linspace", "a negative count: {}", count);
  return generate({count}, options, [=](std::int64_t i) {
    if (i == count - 1 && count > 1) return end;
    return begin + (end - begin) * static_cast<double>(i) / static_cast<double>(std::max<std::int64_t>(count - 1, 1));
  });
}

Tensor eye(std::int64_t n, const TensorOptions& options, Where site) {
  const CallSite here(site);
  check(n >= 0, "eye", "a negative size: {}", n);
  return generate({n, n}, options, [=](std::int64_t i) { return i / n == i % n; });
}

Tensor rand(const Shape& shape, const TensorOptions& options, Where site) {
  const CallSite here(site);
  Tensor x = Tensor::empty(shape, options.dtype);
  check(is_floating(options.dtype), "rand", "a floating dtype is needed: {}", name(options.dtype));
  dispatch_floating(options.dtype, [&](auto tag) {
    fill_uniform(x.data<decltype(tag)>(), x.numel(),
                 default_generator().next(static_cast<std::uint64_t>(2 * x.numel())));
  });
  return finish(x, options);
}

Tensor randn(const Shape& shape, const TensorOptions& options, Where site) {
  const CallSite here(site);
  Tensor x = Tensor::empty(shape, options.dtype);
  check(is_floating(options.dtype), "randn", "a floating dtype is needed: {}", name(options.dtype));
  dispatch_floating(options.dtype, [&](auto tag) {
    fill_normal(x.data<decltype(tag)>(), x.numel(),
                default_generator().next(static_cast<std::uint64_t>(4 * x.numel())));
  });
  return finish(x, options);
}

Tensor randint(std::int64_t low, std::int64_t high, const Shape& shape, DType dtype, Where site) {
  const CallSite here(site);
  check(low < high, "randint", "an empty range: [{}, {})", low, high);
  const RandomKey key = default_generator().next(static_cast<std::uint64_t>(2 * shape.numel()));
  const auto range = static_cast<std::uint64_t>(high) - static_cast<std::uint64_t>(low);
  Tensor x = Tensor::empty(shape, i64);
  for (std::int64_t i = 0; i < x.numel(); ++i) {
    const auto words = philox(key.seed, key.offset + static_cast<std::uint64_t>(i) / 2);
    const std::size_t first = static_cast<std::size_t>(i % 2) * 2;
    const std::uint64_t bits = (std::uint64_t{words[first]} << 32) | words[first + 1];
    x.data<std::int64_t>()[i] = low + static_cast<std::int64_t>(bits % range);
  }
  return dtype == i64 ? x : x.copy(dtype);
}

Tensor randperm(std::int64_t n, Where site) {
  const CallSite here(site);
  check(n >= 0, "randperm", "a negative count: {}", n);
  Tensor x = Tensor::empty({n}, i64);
  std::int64_t* values = x.data<std::int64_t>();
  std::iota(values, values + n, 0);
  const RandomKey key = default_generator().next(static_cast<std::uint64_t>(2 * n));
  for (std::int64_t i = n - 1; i > 0; --i) {
    const auto at = static_cast<std::uint64_t>(2 * i);
    const std::uint64_t bits = (std::uint64_t{random_bits(key, at)} << 32) | random_bits(key, at + 1);
    std::swap(values[i], values[bits % static_cast<std::uint64_t>(i + 1)]);
  }
  return x;
}

}  // namespace ff
