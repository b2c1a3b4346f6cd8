#include <cmath>

#include <doctest/doctest.h>

#include "ff/autograd/engine.h"
#include "ff/autograd/ops/loss.h"
#include "ff/autograd/ops/ops.h"

#include "tests/support/compare.h"
#include "tests/support/errors.h"

using namespace ff;
using namespace ff::test;

TEST_CASE("linear_cross_entropy is cross_entropy of linear, with its gradients") {
  manual_seed(1);
  const Tensor x = randn({2, 5, 4}, {.dtype = f64, .requires_grad = true}),
               w = randn({6, 4}, {.dtype = f64, .requires_grad = true}),
               b = randn({6}, {.dtype = f64, .requires_grad = true});
  const Tensor target = randint(0, 6, {2, 5});
  for (const double times : {1.0, -2.5}) {
    const auto gradients = [&](const Tensor& loss) {
      for (const Tensor& leaf : {x, w, b}) leaf.set_grad({});
      (loss * times).backward();
      std::vector<double> all{loss.item<double>()};
      for (const Tensor& leaf : {x, w, b})
        for (const double g : leaf.grad().to_vector<double>()) all.push_back(g);
      return all;
    };
    const auto got = gradients(linear_cross_entropy(x, w, b, target, {.label_smoothing = 0.1}));
    const auto want =
        gradients(cross_entropy(flatten(linear(x, w, b), 0, 1), flatten(target), {.label_smoothing = 0.1}));
    const Difference d = largest_difference(got, want);
    CHECK_MESSAGE(d.relative < 1e-13, d.str());
  }
}

TEST_CASE("linear_cross_entropy: backward twice through a graph that is kept") {
  manual_seed(2);
  const Tensor x = randn({3, 2}, {.requires_grad = true}), w = randn({4, 2}, {.requires_grad = true});
  const Tensor loss = linear_cross_entropy(x, w, {}, randint(0, 4, {3}));
  loss.backward({}, true);
  const std::vector<float> once = w.grad().to_vector<float>();
  loss.backward();
  CHECK(largest_difference(w.grad().to_vector<float>(), (Tensor::from(once, {4, 2}) * 2).to_vector<float>()).absolute <
        1e-6);
}

TEST_CASE("gradients of slices and rows go into what is there already, to the same bits") {
  manual_seed(3);
  const Tensor w = randn({50, 8}, {.requires_grad = true}), scale = randn({30, 8});
  const Tensor index = randint(0, 50, {40}), factor = randn({40, 8}), all = randn({50, 8});
  const auto loss = [&](const Tensor& x) {  // backward meets the last first
    const Tensor columns = sum(slice(x, 1, 2, 5)), rows = sum(index_select(x, 0, index) * factor);
    const Tensor part = sum(slice(x, 0, 10, 40) * scale), whole = sum(x * all);
    return columns + rows + part + whole;
  };
  Tensor of_part = zeros({50, 8}), of_columns = zeros({50, 8});
  slice(of_part, 0, 10, 40).assign(scale);
  slice(of_columns, 1, 2, 5).fill(1);
  const Tensor want = all + of_part + index_sum(factor, 0, index, 50) + of_columns;
  CHECK(same_bits(grad({loss(w)}, {w})[0].to_vector<float>(), want.to_vector<float>()));
  const Tensor differentiable = grad({loss(w)}, {w}, {}, {.create_graph = true})[0];
  CHECK(largest_difference(differentiable.to_vector<float>(), want.to_vector<float>()).absolute < 1e-6);

  // A gradient that somebody has does not change under their hands.
  const Tensor seed = randn({50, 8}), before = seed.copy();
  const Tensor view = slice(w, 0, 0, 50), sums = sum(index_select(view, 0, index));
  const Tensor both = grad({view * 1.0, sums}, {view}, {seed, {}})[0];
  CHECK(seed.to_vector<float>() == before.to_vector<float>());
  CHECK(
      largest_difference(both.to_vector<float>(), (before + index_sum(ones({40, 8}), 0, index, 50)).to_vector<float>())
          .absolute < 1e-5);
}

TEST_CASE("linear_cross_entropy: bad arguments") {
  const Tensor x = zeros({3, 4}), w = zeros({5, 4}), b = zeros({5}), t = Tensor::from<std::int64_t>({0, 4, 2});
  const auto error = [](const Tensor& rows, const Tensor& weight, const Tensor& bias, const Tensor& target,
                        const LinearCrossEntropyOptions& options = {}) {
    return error_of([&] { linear_cross_entropy(rows, weight, bias, target, options); });
  };
  CHECK(contains(error(x, zeros({5, 3}), b, t), {"[linear_cross_entropy]", "(3, 4)", "(5, 3)"}));
  CHECK(contains(error(x, zeros({0, 4}), {}, t), {"C >= 1", "(0, 4)"}));
  CHECK(contains(error(x, w, zeros({4}), t), {"bias of shape (4,)", "5 classes"}));
  CHECK(contains(error(x, w, b, Tensor::from<std::int64_t>({0, 1})), {"(3, 4)", "(2,)"}));
  CHECK(contains(error(x, w, b, Tensor::from<std::int64_t>({0, 5, 1})), {"target out of range: 5 (entry 1)"}));
  CHECK(contains(error(x, w, b, Tensor::from({0.0f, 1.0f, 2.0f})), {"targets must be i64 or i32"}));
  CHECK(contains(error(x, cast(w, f64), {}, t), {"one dtype", "f32", "f64"}));
  CHECK(contains(error(x, w, b, t, {.label_smoothing = 2}), {"label smoothing", "2"}));
  CHECK(contains(error(x, w, b, t, {.reduction = Loss::none}), {"mean or sum"}));
  CHECK(contains(error(x, w, b, t, {.scale = INFINITY}), {"scale", "inf"}));
}
