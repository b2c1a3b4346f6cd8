// Random tensors.

#include "ff/autograd/ops/random.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include "ff/autograd/function.h"
#include "ff/autograd/ops/kernels.h"
#include "ff/autograd/ops/op_table.h"
#include "ff/autograd/ops/ops.h"
#include "ff/core/check.h"
#include "ff/core/parallel.h"
#include "ff/core/random.h"

namespace ff {
namespace {

// A tensor filled by fill(T*, n, key) from a stretch of `words` numbers an element.
template <class F>
Tensor generate(const char* op, const Shape& shape, DType dtype, int words, F fill) {
  check(is_floating(dtype), op, "a floating dtype is needed: {}", name(dtype));
  Tensor x = Tensor::empty(shape, dtype);
  const RandomKey key = default_generator().next(static_cast<std::uint64_t>(words * x.numel()));
  dispatch_floating(dtype, [&](auto tag) { fill(x.data<decltype(tag)>(), x.numel(), key); });
  return x;
}

Tensor uniform(const char* op, const Shape& shape, DType dtype) {
  return generate(op, shape, dtype, 2, [](auto* x, std::int64_t n, RandomKey key) { fill_uniform(x, n, key); });
}
Tensor gaussian(const char* op, const Shape& shape, DType dtype) {
  return generate(op, shape, dtype, 4, [](auto* x, std::int64_t n, RandomKey key) { fill_normal(x, n, key); });
}

Tensor finish(const Tensor& x, const TensorOptions& options) {
  if (options.requires_grad) x.requires_grad_();
  return x;
}

struct Bernoulli : Function<Bernoulli> {
  static constexpr const char* name = "bernoulli";
  static Tensor forward(Context&, const Tensor& p) {
    kernels::check_floating(name, p);
    const std::vector<double> values = p.to_vector<double>();
    for (double value : values) check(value >= 0 && value <= 1, name, "a probability outside [0, 1]: {}", value);
    return cast(lt(uniform(name, p.shape(), f64), kernels::to(p, f64)), p.dtype());
  }
  static Gradients backward(Context&, const Tensor&) {
    fail(name, "is not differentiable: no gradient goes through it");
  }
};

// A row of weights made comparable: those that are not 0, over the largest, none so small that it vanishes.
struct Weights {
  std::vector<std::int64_t> index;
  std::vector<double> weight;

  Weights(const double* row, std::int64_t n) {
    const double largest = n > 0 ? *std::max_element(row, row + n) : 0;
    for (std::int64_t i = 0; i < n; ++i) {
      if (row[i] == 0) continue;
      index.push_back(i);
      weight.push_back(std::max(row[i] / largest, std::numeric_limits<double>::min()));
    }
  }
};

// out[j] for numbers u[j] in [0, 1): where u[j] times the sum lies among the partial sums.
void draw_with_replacement(const Weights& w, std::int64_t count, const double* u, std::int64_t* out) {
  std::vector<double> sums(w.weight.size());
  std::partial_sum(w.weight.begin(), w.weight.end(), sums.begin());
  for (std::int64_t j = 0; j < count; ++j) {
    const auto at = std::upper_bound(sums.begin(), sums.end() - 1, u[j] * sums.back()) - sums.begin();
    out[j] = w.index[static_cast<std::size_t>(at)];
  }
}

// The `count` entries that come first if each waits for an exponential time of its weight as rate, which is to draw one
// after the other from those left (Efraimidis and Spirakis 2006). u: one number in [0, 1) an entry of the row.
void draw_without_replacement(const Weights& w, std::int64_t count, const double* u, std::int64_t* out) {
  std::vector<std::pair<double, std::int64_t>> times;
  for (std::size_t i = 0; i < w.index.size(); ++i)
    times.emplace_back(-std::log1p(-u[w.index[i]]) / w.weight[i], w.index[i]);
  std::partial_sort(times.begin(), times.begin() + count, times.end());
  for (std::int64_t j = 0; j < count; ++j) out[j] = times[static_cast<std::size_t>(j)].second;
}

}  // namespace

Tensor rand(const Shape& shape, const TensorOptions& options, Where site) {
  const CallSite here(site);
  return finish(uniform("rand", shape, options.dtype), options);
}

Tensor randn(const Shape& shape, const TensorOptions& options, Where site) {
  const CallSite here(site);
  return finish(gaussian("randn", shape, options.dtype), options);
}

Tensor rand_like(const Tensor& x, Where site) {
  const CallSite here(site);
  return uniform("rand_like", x.shape(), x.dtype());
}
Tensor randn_like(const Tensor& x, Where site) {
  const CallSite here(site);
  return gaussian("randn_like", x.shape(), x.dtype());
}

Tensor normal(double mean, double std, const Shape& shape, const TensorOptions& options, Where site) {
  const CallSite here(site);
  check(std >= 0, "normal", "a standard deviation of at least 0 is needed: {}", std);
  return finish(gaussian("normal", shape, options.dtype) * std + mean, options);
}

Tensor randint(std::int64_t low, std::int64_t high, const Shape& shape, DType dtype, Where site) {
  const CallSite here(site);
  check(low < high, "randint", "an empty range: [{}, {})", low, high);
  Tensor x = Tensor::empty(shape, i64);
  const RandomKey key = default_generator().next(static_cast<std::uint64_t>(2 * x.numel()));
  const auto range = static_cast<std::uint64_t>(high) - static_cast<std::uint64_t>(low);
  for (std::int64_t i = 0; i < x.numel(); ++i) {
    const auto words = philox(key.seed, key.offset + static_cast<std::uint64_t>(i) / 2);
    const std::size_t first = static_cast<std::size_t>(i % 2) * 2;
    const std::uint64_t bits = (std::uint64_t{words[first]} << 32) | words[first + 1];
    x.data<std::int64_t>()[i] = static_cast<std::int64_t>(static_cast<std::uint64_t>(low) + bits % range);
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

Tensor bernoulli(const Tensor& p, Where site) { return Bernoulli::apply(site, p); }

Tensor bernoulli(const Shape& shape, double p, const TensorOptions& options, Where site) {
  const CallSite here(site);
  check(p >= 0 && p <= 1, "bernoulli", "a probability outside [0, 1]: {}", p);
  return finish(cast(lt(uniform("bernoulli", shape, f64), p), options.dtype), options);
}

Tensor multinomial(const Tensor& weights, std::int64_t count, bool replacement, Where site) {
  const CallSite here(site);
  constexpr const char* op = "multinomial";
  check(weights.rank() == 1 || weights.rank() == 2, op, "weights of shape (n,) or (m, n) are needed: {}",
        weights.shape().str());
  kernels::check_floating(op, weights);
  check(count >= 0, op, "a negative count: {}", count);
  const std::int64_t n = weights.size(-1), rows = weights.rank() == 2 ? weights.size(0) : 1;
  const Tensor dense = kernels::to(weights.detach(), f64).dense();
  const double* w = dense.data<double>();
  for (std::int64_t r = 0; r < rows; ++r) {
    std::int64_t positive = 0;
    for (const double* v = w + r * n; v < w + (r + 1) * n; ++v) {
      check(*v >= 0 && std::isfinite(*v), op, "a weight that is not finite or negative: {} in row {}", *v, r);
      positive += *v > 0;
    }
    check(positive >= (replacement ? std::min<std::int64_t>(count, 1) : count), op,
          "{} to be drawn of {} weights that are not 0, in row {} of shape {}", count, positive, r,
          weights.shape().str());
  }
  const std::int64_t each = replacement ? count : n;  // random numbers a row takes
  const Tensor u = uniform(op, {rows, each}, f64);
  Tensor y = Tensor::empty({rows, count}, i64);
  const double* numbers = u.data<double>();
  std::int64_t* out = y.data<std::int64_t>();
  if (count > 0) {
    parallel_for(rows, 1, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t r = begin; r < end; ++r) {
        const auto draw = replacement ? draw_with_replacement : draw_without_replacement;
        draw(Weights(w + r * n, n), count, numbers + r * each, out + r * count);
      }
    });
  }
  return weights.rank() == 2 ? y : reshape(y, {count});
}

std::vector<OpRecord> random_ops() {
  // The same numbers each time, the default generator left where it was.
  auto seeded = [](Tensor (*op)(const Tensor&)) {
    return [op](const std::vector<Tensor>& in) {
      const RandomKey before = default_generator().state();
      manual_seed(7);
      const Tensor y = op(in[0]);
      default_generator().set_state(before);
      return y;
    };
  };
  return {{"bernoulli", false,
           [=](Sampler& s) {
             const auto call = seeded([](const Tensor& p) { return bernoulli(p); });
             return std::vector<OpSample>{{"matrix", {s.uniform({3, 4}, 0, 1)}, call},
                                          {"scalar", {s.uniform({}, 0, 1)}, call},
                                          {"empty", {s.uniform({0, 2}, 0, 1)}, call}};
           }},
          {"multinomial", false, [=](Sampler& s) {
             return std::vector<OpSample>{
                 {"with replacement", {s.uniform({2, 3}, 0, 1)}, seeded([](const Tensor& w) {
                    return multinomial(w, 5, true);
                  })},
                 {"without", {s.uniform({2, 4}, 0, 1)}, seeded([](const Tensor& w) { return multinomial(w, 3); })},
                 {"one row", {s.uniform({4}, 0, 1)}, seeded([](const Tensor& w) { return multinomial(w, 4); })}};
           }}};
}

}  // namespace ff
