#include "ff/autograd/checkpoint.h"

#include <doctest/doctest.h>

#include "ff/autograd/engine.h"
#include "ff/autograd/grad_mode.h"
#include "ff/autograd/gradcheck.h"
#include "ff/autograd/ops/ops.h"
#include "ff/core/allocator.h"
#include "ff/core/error.h"

#include "tests/support/compare.h"
#include "tests/support/errors.h"

using namespace ff;
using test::error_of;

namespace {

// A function with a parameter it captures, random numbers, a saved output, and an op that saves none of its inputs.
Tensor body(const Tensor& x, const Tensor& w) {
  const Tensor h = dropout(tanh(matmul(x, w)), 0.3);
  return softmax(h * h + exp(neg(h)), -1) * 3;
}

std::vector<Tensor> gradients_of(bool with_checkpoint, const Tensor& x0, const Tensor& w0) {
  manual_seed(5);
  const Tensor x = x0.copy().requires_grad_(), w = w0.copy().requires_grad_();
  const Tensor in = x * 2;
  const Tensor y = with_checkpoint ? checkpoint([&](const Tensor& t) { return body(t, w); }, in) : body(in, w);
  const Tensor after = rand({3}, {.dtype = f64});  // the generator goes on alike
  sum(square(y) * after).backward();
  return {x.grad(), w.grad(), y.detach(), rand({2}, {.dtype = f64})};
}

}  // namespace

TEST_CASE("checkpoint: the same values, gradients and random numbers to the last bit") {
  manual_seed(1);
  const Tensor x = randn({4, 3}, {.dtype = f64}), w = randn({3, 3}, {.dtype = f64});
  const auto plain = gradients_of(false, x, w), saved = gradients_of(true, x, w);
  for (std::size_t i = 0; i < plain.size(); ++i)
    CHECK(test::same_bits(plain[i].to_vector<double>(), saved[i].to_vector<double>()));
}

TEST_CASE("checkpoint: gradients of the gradient, nested, through captured tensors") {
  manual_seed(2);
  const Tensor w = randn({3, 2}, {.dtype = f64});
  auto f = [](const std::vector<Tensor>& in) {
    return checkpoint(
        [](const std::vector<Tensor>& a) {
          const Tensor inner = checkpoint([&](const Tensor& t) { return exp(t * a[1]) * t; }, tanh(a[0]));
          return inner * sigmoid(a[0]);
        },
        in);
  };
  const std::vector<Tensor> inputs{randn({2, 3}, {.dtype = f64}), randn({3}, {.dtype = f64})};
  CHECK(gradcheck(f, inputs).error < 1e-8);
  CHECK(gradgradcheck(f, inputs).error < 1e-7);
  // A captured tensor is part of the graph, for grad() too.
  const Tensor v = w.copy().requires_grad_();
  const Tensor y = sum(checkpoint([&](const Tensor& t) { return square(matmul(t, v)); }, inputs[0]));
  const Tensor expected = matmul(transpose(inputs[0], 0, 1), matmul(inputs[0], w)) * 2;
  const auto d = test::largest_difference(grad({y}, {v})[0].to_vector<double>(), expected.to_vector<double>());
  CHECK_MESSAGE(d.relative < 1e-14, d.str());
}

TEST_CASE("checkpoint: a chain of them holds the memory of its inputs only") {
  const std::int64_t n = 1 << 18;
  auto peak = [&](bool with_checkpoint) {
    Tensor x = ones({n}, {.requires_grad = true});
    empty_cache();
    Tensor y = x;
    auto step = [](const Tensor& t) {
      Tensor u = t;
      for (int i = 0; i < 10; ++i) u = sin(u);
      return u;
    };
    for (int i = 0; i < 10; ++i) y = with_checkpoint ? checkpoint(step, y) : step(y);
    return memory_stats().in_use;
  };
  const auto plain = peak(false), saved = peak(true);
  CHECK(plain >= 100 * n * 4);
  CHECK(saved <= 15 * n * 4);
}

TEST_CASE("checkpoint: what changes in between is noticed") {
  const Tensor x = Tensor::from({1.0, 2.0}).requires_grad_();
  Tensor in = x * 1;
  const Tensor y = sum(checkpoint([](const Tensor& t) { return exp(sin(t)); }, in));
  in.fill(3);
  CHECK(error_of([&] { y.backward(); }).find("[checkpoint] input 0 of shape (2,) was changed in place") == 0);
  int calls = 0;
  const Tensor z =
      sum(checkpoint([&](const Tensor& t) { return calls++ == 0 ? exp(sin(t)) : exp(sin(sin(cos(t)))); }, x * 1));
  CHECK(error_of([&] { z.backward(); }).find("[checkpoint] the function computed something else") == 0);
  const NoGrad no_grad;
  CHECK(!checkpoint([](const Tensor& t) { return exp(t); }, x).requires_grad());
}
