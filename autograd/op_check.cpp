#include "ff/autograd/op_check.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "ff/autograd/engine.h"
#include "ff/autograd/gradcheck.h"
#include "ff/autograd/ops/ops.h"
#include "ff/core/check.h"
#include "ff/core/parallel.h"

namespace ff {
namespace {

using Tensors = std::vector<Tensor>;

// The same values with another layout: rows padded and dimensions reversed in memory, beginning one element in.
Tensor strided_copy(const Tensor& x) {
  Strides strides = x.shape();
  std::int64_t size = 2;
  for (int i = 0; i < x.rank(); ++i) {
    strides[i] = size;
    size *= x.shape()[i] + 1;
  }
  const Tensor memory = full({size + 1}, 77, {.dtype = x.dtype()});
  const Tensor view = memory.as_strided(x.shape(), strides, 1);
  view.assign(x);
  return view;
}

template <class F>
Tensors map(const Tensors& tensors, F f) {
  Tensors result;
  for (const Tensor& t : tensors) result.push_back(f(t));
  return result;
}

// The result and, for a differentiable op, the gradients of all floating inputs, one after the other, in f64.
std::vector<double> results(const OpRecord& record, const OpSample& sample, const Tensors& given) {
  Tensors inputs = map(given, [](const Tensor&x) { return x.detach(); }), wanted;
  if (record.differentiable)
    for (const Tensor& x : inputs)
      if (is_floating(x.dtype())) wanted.push_back(x.requires_grad_());
  const Tensor y = sample.call(inputs);
  std::vector<double> all = y.to_vector<double>();
  if (!record.differentiable) return all;
  Sampler cotangents(99);
  for (const Tensor& g : grad({y}, wanted, {cast(cotangents.normal(y.shape()), y.dtype())})) {
    const std::vector<double> values = g.to_vector<double>();
    all.insert(all.end(), values.begin(), values.end());
  }
  return all;
}

// The largest difference, and the largest finite value of the second.
struct Difference {
  double absolute = 0, scale = 0;
  std::size_t at = 0;
  double relative() const { return scale > 0 ? absolute / scale : absolute; }

  Difference(const std::vector<double>& got, const std::vector<double>& want) {
    if (got.size() != want.size()) absolute = INFINITY;
    for (std::size_t i = 0; i < std::min(got.size(), want.size()); ++i) {
      if (std::isfinite(want[i])) scale = std::max(scale, std::abs(want[i]));
      const bool same = got[i] == want[i] || (std::isnan(got[i]) && std::isnan(want[i]));
      const double d = same ? 0 : std::abs(got[i] - want[i]);
      if (d <= absolute) continue;  // a NaN goes on
      absolute = std::isnan(d) ? INFINITY : d, at = i;
    }
  }
};

class Checker {
 public:
  explicit Checker(const OpRecord& record) : record_(record) {}

  void check(const OpSample& sample) {
    sample_ = &sample;
    if (record_.differentiable) {
      const GradcheckResult first = gradcheck(sample.call, sample.inputs);
      note(report.gradient, first.error, OpReport::gradient_limit, "gradient", first.where);
      const GradcheckResult second = gradgradcheck(sample.call, sample.inputs);
      note(report.second, second.error, OpReport::second_limit, "second gradient", second.where);
    } else {
      check_refusal();
    }
    check_strides();
    check_single();
    check_threads();
  }

  OpReport report;

 private:
  void note(double& worst, double error, double limit, const char* what, const std::string& where) {
    worst = std::max(worst, error);
    if (!(error <= limit)) fail(fmt::format("{}: error {:.3g}, limit {:.0g}: {}", what, error, limit, where));
  }

  void fail(const std::string& what) { report.failures.push_back(fmt::format("{}: {}", sample_->label, what)); }

  void check_strides() {
    const Difference d(results(record_, *sample_, map(sample_->inputs, strided_copy)),
                       results(record_, *sample_, sample_->inputs));
    note(report.strided, d.absolute, OpReport::strided_limit, "strided", fmt::format("value {}", d.at));
  }

  void check_single() {
    // f64 is given the rounded inputs, so that only the computation differs.
    const auto to_f32 = [](const Tensor& x) { return x.dtype() == f64 ? x.copy(f32) : x; };
    const auto back = [&](const Tensor& x) { return x.dtype() == f64 ? x.copy(f32).copy(f64) : x; };
    const Difference d(results(record_, *sample_, map(sample_->inputs, to_f32)),
                       results(record_, *sample_, map(sample_->inputs, back)));
    note(report.single, d.relative(), OpReport::single_limit, "f32", fmt::format("value {}", d.at));
  }

  void check_threads() {
    const int before = num_threads();
    std::vector<std::vector<double>> all;
    for (const int threads : {1, 2, 4}) {
      set_num_threads(threads);
      all.push_back(results(record_, *sample_, sample_->inputs));
    }
    set_num_threads(before);
    for (const auto& other : all)
      if (other.size() != all[0].size() ||
          (!other.empty() && std::memcmp(other.data(), all[0].data(), other.size() * sizeof(double)) != 0))
        fail("the bits depend on the number of threads");
  }

  // An op without a derivative has a result without a gradient, or throws naming itself when one is asked for.
  void check_refusal() {
    const Tensors inputs =
        map(sample_->inputs, [](const Tensor& x) { return is_floating(x.dtype()) ? x.copy().requires_grad_() : x; });
    const Tensor y = sample_->call(inputs);
    if (!y.requires_grad()) return;
    try {
      sum(y).backward();
    } catch (const Error& error) {
      if (!std::string_view(error.what()).starts_with(fmt::format("[{}]", record_.name)))
        fail(fmt::format("going backward is refused without naming the op: {}", error.what()));
      return;
    }
    fail("said to have no derivative, but a gradient went through");
  }

  const OpRecord& record_;
  const OpSample* sample_ = nullptr;
};

}  // namespace

OpReport check_op(const OpRecord& record, std::uint64_t seed) {
  Sampler sampler(seed);
  Checker checker(record);
  for (const OpSample& sample : record.samples(sampler)) checker.check(sample);
  return std::move(checker.report);
}

}  // namespace ff
