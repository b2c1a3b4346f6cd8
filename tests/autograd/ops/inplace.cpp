#include "ff/autograd/ops/inplace.h"

#include <cmath>

#include <doctest/doctest.h>

#include "ff/autograd/anomaly.h"
#include "ff/autograd/engine.h"
#include "ff/autograd/grad_mode.h"
#include "ff/autograd/gradcheck.h"
#include "ff/autograd/ops/ops.h"
#include "ff/core/error.h"

#include "tests/support/compare.h"
#include "tests/support/strided_arrays.h"

using namespace ff;
using doctest::Contains;

namespace {

using Unary = Tensor (*)(const Tensor&, Where);
using InPlace = const Tensor& (*)(const Tensor&, Where);
using Values = std::vector<double>;

Values values(const Tensor& x) { return x.to_vector<double>(); }

// Three rows of 4, seen with their columns as rows: no dense layout.
Tensor transposed(DType dtype = f64) { return transpose(reshape(arange(1, 13, 1, {.dtype = dtype}), {3, 4}), 0, 1); }

}  // namespace

TEST_CASE("in place: the values of the functions, dense and strided, and the very tensor back") {
  struct Pair {
    const char* name;
    InPlace in_place;
    Unary function;
  };
  const Pair pairs[] = {{"neg_", neg_, neg},
                        {"abs_", abs_, abs},
                        {"square_", square_, square},
                        {"floor_", floor_, floor},
                        {"ceil_", ceil_, ceil},
                        {"round_", round_, round},
                        {"trunc_", trunc_, trunc},
                        {"sqrt_", sqrt_, sqrt},
                        {"rsqrt_", rsqrt_, rsqrt},
                        {"exp_", exp_, exp},
                        {"log_", log_, log},
                        {"sin_", sin_, sin},
                        {"cos_", cos_, cos},
                        {"tanh_", tanh_, tanh},
                        {"sigmoid_", sigmoid_, sigmoid},
                        {"relu_", relu_, relu},
                        {"reciprocal_", reciprocal_, reciprocal}};
  for (const Pair& p : pairs) {
    CAPTURE(std::string(p.name));
    for (DType dtype : {f32, f64}) {
      const Tensor dense = linspace(0.1, 3, 50, {.dtype = dtype}) - 0.05, strided = transposed(dtype) * 0.3;
      for (const Tensor& x : {dense, transpose(transpose(strided, 0, 1).copy(), 0, 1)}) {
        const Tensor want = p.function(x, {});
        const std::uint64_t version = x.version();
        CHECK(p.in_place(x, {}).is(x));
        CHECK(test::same_bits(values(x), values(want)));
        CHECK(x.version() > version);
      }
    }
  }
}

TEST_CASE("in place: arithmetic broadcasts to x, converts to its dtype, and x never grows") {
  const Tensor x = transposed(f32);
  const Tensor want = (x + Tensor::from({1.0, 2.0, 3.0})) * 2.0 / 3.0 - 1.0;
  sub_(div_(mul_(add_(x, Tensor::from({1.0, 2.0, 3.0})), 2), 3), 1);
  CHECK(x.dtype() == f32);
  CHECK(test::largest_difference(values(x), values(want)).absolute <= 1e-6);
  const Tensor row = ones({3});
  CHECK_THROWS_WITH_AS(add_(row, ones({2, 3})),
                       Contains("[add_] shape (2, 3) does not broadcast to that of the tensor changed in place, (3,)"),
                       Error);
  CHECK_THROWS_WITH_AS(add_(row, ones({2})), Contains("[add_] shapes do not broadcast"), Error);
  CHECK(values(row) == Values{1, 1, 1});
  const Tensor i = Tensor::from<std::int32_t>({7, -7});
  CHECK(values(remainder_(mul_(add_(i, 1), Tensor::from<std::int64_t>({3, 3})), 5)) == Values{4, 2});
  CHECK(i.dtype() == i32);
  CHECK(values(pow_(i, 2)) == Values{16, 4});
  CHECK(values(clamp_(i, 5, 10)) == Values{10, 5});
  CHECK(values(neg_(i)) == Values{-10, -5});
  CHECK_THROWS_WITH_AS(div_(i, 2), Contains("[div_] the result is f32, which a tensor of i32 cannot hold"), Error);
  CHECK_THROWS_WITH_AS(add_(i, 0.5), Contains("[add_] the result is f32"), Error);
  CHECK_THROWS_WITH_AS(exp_(i), Contains("[exp_] the result is f32, which a tensor of i32 cannot hold"), Error);
  const Tensor b = gt(ones({2}), 0);
  CHECK_THROWS_WITH_AS(add_(b, 1), Contains("[add_] the result is i64, which a tensor of boolean cannot hold"), Error);
  CHECK(values(mul_(b, gt(Tensor::from({1.0, -1.0}), 0))) == Values{1, 0});
  CHECK(values(i) == Values{-10, -5});
}

TEST_CASE("in place: fill_, zero_, copy_, masked_fill_") {
  const Tensor memory = zeros({4, 3}, {.dtype = f64}), x = transpose(memory, 0, 1);
  copy_(x, Tensor::from<std::int64_t>({1, 2, 3, 4}));
  CHECK(values(memory) == Values{1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4});
  masked_fill_(x, gt(x, 2), -1);
  CHECK(values(memory) == Values{1, 1, 1, 2, 2, 2, -1, -1, -1, -1, -1, -1});
  fill_(select(memory, 0, 1), 7);
  zero_(select(memory, 1, 0));
  CHECK(values(memory) == Values{0, 1, 1, 0, 7, 7, 0, -1, -1, 0, -1, -1});
  CHECK(values(fill_(Tensor::from<std::int32_t>({1, 2}), 2.9)) == Values{2, 2});
  CHECK_THROWS_WITH_AS(copy_(x, ones({5})), Contains("[copy_] shapes do not broadcast: (3, 4) and (5,)"), Error);
  CHECK_THROWS_WITH_AS(masked_fill_(x, ones({4}), 1), Contains("a boolean tensor is needed"), Error);
  CHECK(exp_(zeros({0, 3})).shape() == Shape{0, 3});
}

TEST_CASE("in place: an argument that lies in the same memory is read as it was before") {
  const Tensor x = arange(0, 6, 1, {.dtype = f64});
  add_(x, x);
  CHECK(values(x) == Values{0, 2, 4, 6, 8, 10});
  copy_(slice(x, 0, 1, 6), slice(x, 0, 0, 5));
  CHECK(values(x) == Values{0, 0, 2, 4, 6, 8});
  const Tensor square = reshape(x, {2, 3}), first = select(square, 0, 0);
  add_(square, first);
  CHECK(values(x) == Values{0, 0, 4, 4, 6, 10});
  sub_(square, select(square, 1, 0).as_strided({2, 1}, {3, 1}, 0));
  CHECK(values(x) == Values{0, 0, 4, 0, 2, 6});
}

TEST_CASE("in place: elements that share memory are refused") {
  const Tensor x = broadcast_to(zeros({1, 3}), {2, 3});
  CHECK_THROWS_WITH_AS(add_(x, 1), Contains("[add_] elements of the tensor share memory: shape (2, 3), strides (0, 1)"),
                       Error);
}

TEST_CASE("in place on an intermediate: gradients, first and second, against finite differences") {
  const auto f = [](const std::vector<Tensor>& in) {
    const Tensor h = in[0] * 2, before = sum(h, {1}, true);
    mul_(h, h);      // itself on both sides
    add_(h, in[1]);  // another argument
    const Tensor kept = sin(select(in[0], 1, 0));
    sigmoid_(h);
    clamp_(select(in[0], 0, 0) * 1, -9, 9);
    copy_(kept, select(in[1], 0, 0) * 3);
    div_(h, before);
    masked_fill_(h, gt(in[0], 1.5), 0.5);
    return h * exp_(in[1] * 0.5) + kept;
  };
  manual_seed(3);
  const std::vector<Tensor> inputs{rand({3, 3}, {.dtype = f64}) + 0.7, rand({3, 3}, {.dtype = f64})};
  const GradcheckResult first = gradcheck(f, inputs), second = gradgradcheck(f, inputs);
  CHECK_MESSAGE(first.error < 1e-7, first.where);
  CHECK_MESSAGE(second.error < 1e-6, second.where);
}

TEST_CASE("in place: a tensor without a gradient takes part once something that has one is added") {
  const Tensor w = Tensor::from({2.0, 3.0}).requires_grad_(), sums = zeros({2}, {.dtype = f64});
  CHECK(!sums.requires_grad());
  add_(sums, w * w);
  add_(sums, w);
  CHECK(sums.requires_grad());
  CHECK(!sums.is_leaf());
  sum(sums).backward();
  CHECK(values(w.grad()) == Values{5, 7});
  const Tensor single = zeros({2});  // f32, from f64
  copy_(single, w);
  CHECK(single.dtype() == f32);
  CHECK(values(grad({sum(single * single)}, {w})[0]) == Values{4, 6});
}

TEST_CASE("in place: fill_ ends the gradient, to zero and not to nothing") {
  const Tensor w = Tensor::from({2.0, 3.0}).requires_grad_(), h = w * 2;
  fill_(h, 5);
  CHECK(values(grad({sum(h)}, {w})[0]) == Values{0, 0});
}

TEST_CASE("in place: strided intermediates are recorded too") {
  const Tensor w = reshape(Tensor::from({1.0, 2.0, 3.0, 4.0}), {2, 2}).requires_grad_();
  const Tensor h = transpose(w * 1, 0, 1);
  mul_(h, Tensor::from({10.0, 100.0}));
  CHECK(values(h) == Values{10, 300, 20, 400});
  CHECK(values(grad({sum(h)}, {w})[0]) == Values{10, 10, 100, 100});
}

TEST_CASE("in place: a leaf that requires a gradient throws, but under NoGrad") {
  const Tensor w = Tensor::from({2.0}).requires_grad_();
  CHECK_THROWS_WITH_AS(
      add_(w, 1), Contains("[add_] a leaf that requires a gradient cannot be changed in place while it is recorded"),
      Error);
  CHECK_THROWS_WITH_AS(zero_(w), Contains("[zero_] a leaf"), Error);
  CHECK(w.item<double>() == 2);
  const NoGrad no_grad;
  add_(w, 1);
  CHECK(w.item<double>() == 3);
  CHECK(w.requires_grad());
  CHECK(w.is_leaf());
}

TEST_CASE("in place: an op that saved the tensor before throws in its backward and names itself") {
  const Tensor w = Tensor::from({2.0, 3.0}).requires_grad_();
  const Tensor h = w * 3, y = sum(square(h));
  add_(h, 1);
  CHECK_THROWS_WITH_AS(y.backward(),
                       Contains("[square] a tensor of shape (2,) saved for backward was changed in place"), Error);
  const Tensor g = w * 3, z = sum(square(g));
  {
    const NoGrad no_grad;
    mul_(g, 2);
  }
  CHECK_THROWS_WITH_AS(z.backward(), Contains("[square] a tensor of shape (2,) saved"), Error);
}

TEST_CASE("in place: shared memory throws where a gradient would be lost") {
  const Tensor w = Tensor::from({2.0, 3.0}).requires_grad_();
  const Tensor h = w * 3, view = select(h, 0, 0);
  CHECK_THROWS_WITH_AS(add_(view, 1), Contains("[add_] the tensor of shape () shares its memory with another"), Error);
  CHECK_THROWS_WITH_AS(add_(h, 1), Contains("shares its memory"), Error);
  const Tensor plain = zeros({2, 2}, {.dtype = f64}), row = select(plain, 0, 0);
  CHECK_THROWS_WITH_AS(copy_(row, w), Contains("[copy_] the tensor of shape (2,) shares its memory"), Error);
  const Tensor e = exp(w);  // exp keeps its result
  CHECK_THROWS_WITH_AS(add_(e, 1), Contains("what an op has saved for its backward"), Error);
  CHECK(values(plain) == Values{0, 0, 0, 0});
  CHECK(values(copy_(row, w.detach())) == Values{2, 3});
}

TEST_CASE("in place: hooks of before see the gradient of before, hooks of after that of after") {
  const Tensor w = Tensor::from({2.0}).requires_grad_(), h = w * 1;
  double before = 0, after = 0;
  h.register_hook([&](const Tensor& g) { return before = g.item<double>(), Tensor(); });
  mul_(h, 10);
  h.register_hook([&](const Tensor& g) { return after = g.item<double>(), Tensor(); });
  (h * 3).backward();
  CHECK(after == 3);
  CHECK(before == 30);
  CHECK(w.grad().item<double>() == 30);
}

TEST_CASE("in place: a step function is applied, and stops a gradient with an error") {
  const Tensor w = Tensor::from({2.6}).requires_grad_(), h = w * 1;
  floor_(h);
  CHECK(h.item<double>() == 2);
  CHECK_THROWS_WITH_AS(h.backward(), Contains("[floor] is not differentiable"), Error);
}

TEST_CASE("in place: anomalies are found before they are written") {
  const DetectAnomaly detect;
  const Tensor x = Tensor::from({1.0, 0.0});
  CHECK_THROWS_WITH_AS(log_(x), Contains("log"), Error);
  CHECK(values(x) == Values{1, 0});
}

TEST_CASE("in place: the same bits at any thread count") {
  const Tensor start = rand({400, 300}), other = rand({300});
  CHECK(test::same_at_any_thread_count([&] {
    const Tensor x = start.copy();
    tanh_(mul_(add_(x, other), 0.5));
    masked_fill_(x, gt(x, 0.4), 0.25);
    return x.to_vector<float>();
  }));
}
