// Every check that an op's record allows, over the whole table.

#include "ff/autograd/ops/op_table.h"

#include <cmath>
#include <set>

#include <doctest/doctest.h>

#include "ff/autograd/engine.h"
#include "ff/autograd/gradcheck.h"
#include "ff/autograd/ops/ops.h"
#include "ff/core/error.h"
#include "ff/core/parallel.h"

#include "tests/support/compare.h"

using namespace ff;

namespace {

// Calls f(record, sample) for every sample of every op.
template <class F>
void for_each_sample(F f) {
  std::uint64_t seed = 1;
  for (const OpRecord& record : op_table()) {
    Sampler sampler(seed++);
    for (const OpSample& sample : record.samples(sampler)) {
      INFO(record.name << ": " << sample.label);
      f(record, sample);
    }
  }
}

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
std::vector<Tensor> map(const std::vector<Tensor>& tensors, F f) {
  std::vector<Tensor> result;
  for (const Tensor& t : tensors) result.push_back(f(t));
  return result;
}

// The result and, for a differentiable op, the gradients of all floating inputs, one after the other, in f64.
std::vector<double> results(const OpRecord& record, const OpSample& sample, const std::vector<Tensor>& given) {
  std::vector<Tensor> inputs = map(given, [](const Tensor&x) { return x.detach(); }), wanted;
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

}  // namespace

TEST_CASE("every op: gradient against finite differences") {
  double worst = 0;
  for_each_sample([&](const OpRecord& record, const OpSample& sample) {
    if (!record.differentiable) return;
    const GradcheckResult result = gradcheck(sample.call, sample.inputs);
    worst = std::max(worst, result.error);
    CHECK_MESSAGE(result.error < 1e-6, "error ", result.error, " in ", result.where);
  });
  MESSAGE("largest relative error " << worst);
}

TEST_CASE("every op: gradient of the gradient against finite differences") {
  double worst = 0;
  for_each_sample([&](const OpRecord& record, const OpSample& sample) {
    if (!record.differentiable) return;
    const GradcheckResult result = gradgradcheck(sample.call, sample.inputs);
    worst = std::max(worst, result.error);
    CHECK_MESSAGE(result.error < 1e-5, "error ", result.error, " in ", result.where);
  });
  MESSAGE("largest relative error " << worst);
}

TEST_CASE("every op: strided inputs give what dense ones give") {
  for_each_sample([](const OpRecord& record, const OpSample& sample) {
    const auto d = test::largest_difference(results(record, sample, map(sample.inputs, strided_copy)),
                                            results(record, sample, sample.inputs));
    CHECK_MESSAGE(d.absolute <= 1e-13, d.str());
  });
}

TEST_CASE("every op: f32 agrees with f64") {
  for_each_sample([](const OpRecord& record, const OpSample& sample) {
    // f64 is given the rounded inputs, so that only the computation differs.
    const auto to_f32 = [](const Tensor& x) { return x.dtype() == f64 ? x.copy(f32) : x; };
    const auto back = [&](const Tensor& x) { return x.dtype() == f64 ? x.copy(f32).copy(f64) : x; };
    const auto d = test::largest_difference(results(record, sample, map(sample.inputs, to_f32)),
                                            results(record, sample, map(sample.inputs, back)));
    CHECK_MESSAGE(d.relative <= 1e-5, d.str());
  });
}

TEST_CASE("every op: the same bits at any thread count") {
  const int before = num_threads();
  for_each_sample([](const OpRecord& record, const OpSample& sample) {
    set_num_threads(1);
    const std::vector<double> one = results(record, sample, sample.inputs);
    for (int threads : {2, 4}) {
      set_num_threads(threads);
      CHECK(test::same_bits(results(record, sample, sample.inputs), one));
    }
  });
  set_num_threads(before);
}

TEST_CASE("an op without a derivative says so, or gives no floating result") {
  for_each_sample([](const OpRecord& record, const OpSample& sample) {
    if (record.differentiable) return;
    const std::vector<Tensor> inputs = map(sample.inputs, [](const Tensor& x) { return x.copy().requires_grad_(); });
    const Tensor y = sample.call(inputs);
    if (!is_floating(y.dtype())) {
      CHECK(!y.requires_grad());
      return;
    }
    try {
      sum(y).backward();
      FAIL("a gradient went through");
    } catch (const Error& e) {
      CHECK(std::string(e.what()).find(std::string("[") + std::string(record.name) + "]") == 0);
    }
  });
}

TEST_CASE("the table names each op once, and every record has samples") {
  std::set<std::string_view> names;
  Sampler sampler(1);
  for (const OpRecord& record : op_table()) {
    CHECK_MESSAGE(names.insert(record.name).second, record.name);
    CHECK_MESSAGE(!record.samples(sampler).empty(), record.name);
  }
}
