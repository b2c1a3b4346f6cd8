#include <cmath>
#include <optional>

#include <doctest/doctest.h>

#include "ff/autograd/engine.h"
#include "ff/autograd/ops/loss.h"
#include "ff/autograd/ops/ops.h"

#include "tests/support/compare.h"
#include "tests/support/errors.h"

using namespace ff;

namespace {

using Targets = std::vector<std::int64_t>;

// The loss of each row of scores (N, C), as the documentation of torch.nn.CrossEntropyLoss states it: for class targets
// (1 - s) w_t (-log p_t) + s / C sum_c w_c (-log p_c), 0 where ignored; and the weights that a mean divides by.
struct Reference {
  std::vector<double> losses;
  double weights = 0;

  double sum() const {
    double total = 0;
    for (double loss : losses) total += loss;
    return total;
  }
};

std::vector<double> log_probabilities(const std::vector<double>& x, std::size_t classes) {
  std::vector<double> result = x;
  for (std::size_t r = 0; r < x.size(); r += classes) {
    double total = 0;
    for (std::size_t c = 0; c < classes; ++c) total += std::exp(x[r + c]);
    for (std::size_t c = 0; c < classes; ++c) result[r + c] -= std::log(total);
  }
  return result;
}

Reference of_classes(const std::vector<double>& x, const Targets& target, const std::vector<double>& weight,
                     double smoothing, std::int64_t ignored) {
  const std::size_t classes = weight.size();
  const std::vector<double> log_p = log_probabilities(x, classes);
  Reference result;
  for (std::size_t r = 0; r < target.size(); ++r) {
    result.losses.push_back(0);
    if (target[r] == ignored) continue;
    const std::size_t t = static_cast<std::size_t>(target[r]);
    double spread = 0;
    for (std::size_t c = 0; c < classes; ++c) spread -= weight[c] * log_p[r * classes + c];
    result.losses[r] =
        -(1 - smoothing) * weight[t] * log_p[r * classes + t] + smoothing / static_cast<double>(classes) * spread;
    result.weights += weight[t];
  }
  return result;
}

const Targets some_targets{2, 0, 7, 3, 1, 7, 2};
const std::vector<double> some_weights{0.5, 2, 0, 1.5};

}  // namespace

TEST_CASE("cross_entropy: weights, smoothing and ignored targets together") {
  manual_seed(6);
  const Tensor x = randn({7, 4}, {.dtype = f64}), target = Tensor::from(some_targets, {7});
  for (bool weighted : {false, true})
    for (double smoothing : {0.0, 0.3, 1.0}) {
      CAPTURE(weighted);
      CAPTURE(smoothing);
      const std::vector<double> weight = weighted ? some_weights : std::vector<double>(4, 1.0);
      CrossEntropyOptions options{.ignore_index = 7, .label_smoothing = smoothing};
      if (weighted) options.weight = Tensor::from(weight, {4});
      const Reference want = of_classes(x.to_vector<double>(), some_targets, weight, smoothing, 7);
      CHECK(cross_entropy(x, target, options).item<double>() == doctest::Approx(want.sum() / want.weights));
      options.reduction = Loss::sum;
      CHECK(cross_entropy(x, target, options).item<double>() == doctest::Approx(want.sum()));
      options.reduction = Loss::none;
      const auto d = test::largest_difference(cross_entropy(x, target, options).to_vector<double>(), want.losses);
      CHECK_MESSAGE(d.absolute <= 1e-14, d.str());
    }
}

TEST_CASE("cross_entropy: weights of ones change nothing") {
  const Tensor x = randn({5, 4, 3}, {.dtype = f64}), target = randint(0, 4, {5, 3}), weight = ones({4}, {.dtype = f64});
  for (Loss reduction : {Loss::mean, Loss::sum, Loss::none}) {
    const Tensor a = x.detach().requires_grad_(), b = x.detach().requires_grad_();
    const Tensor fused = cross_entropy(a, target, {.label_smoothing = 0.1, .reduction = reduction}),
                 composed =
                     cross_entropy(b, target, {.weight = weight, .label_smoothing = 0.1, .reduction = reduction});
    auto d = test::largest_difference(composed.to_vector<double>(), fused.to_vector<double>(), fused.shape());
    CHECK_MESSAGE(d.absolute <= 1e-13, d.str());
    sum(fused).backward();
    sum(composed).backward();
    d = test::largest_difference(b.grad().to_vector<double>(), a.grad().to_vector<double>(), x.shape());
    CHECK_MESSAGE(d.absolute <= 1e-13, d.str());
  }
}

TEST_CASE("cross_entropy: probabilities as targets") {
  manual_seed(7);
  const Tensor x = randn({3, 4}, {.dtype = f64}), p = softmax(randn({3, 4}, {.dtype = f64}), 1);
  const std::vector<double> log_p = log_probabilities(x.to_vector<double>(), 4), t = p.to_vector<double>();
  for (double smoothing : {0.0, 0.2}) {
    std::vector<double> losses(3);
    for (std::size_t i = 0; i < 12; ++i)
      losses[i / 4] -= some_weights[i % 4] * ((1 - smoothing) * t[i] + smoothing / 4) * log_p[i];
    CrossEntropyOptions options{.weight = Tensor::from(some_weights, {4}), .label_smoothing = smoothing};
    CHECK(cross_entropy(x, p, options).item<double>() == doctest::Approx((losses[0] + losses[1] + losses[2]) / 3));
    options.reduction = Loss::none;
    const auto d = test::largest_difference(cross_entropy(x, p, options).to_vector<double>(), losses);
    CHECK_MESSAGE(d.absolute <= 1e-14, d.str());
  }
  // One-hot probabilities are classes.
  const Tensor classes = Tensor::from<std::int64_t>({3, 0, 1});
  CHECK(cross_entropy(x, cast(one_hot(classes, 4), f64)).item<double>() ==
        doctest::Approx(cross_entropy(x, classes).item<double>()));
}

TEST_CASE("nll_loss is cross_entropy of log_softmax, in every shape") {
  manual_seed(8);
  const Tensor weight = rand({4}, {.dtype = f64});
  const std::pair<Shape, Shape> shapes[] = {{{4}, {}}, {{5, 4}, {5}}, {{2, 4, 3}, {2, 3}}, {{2, 4, 3, 2}, {2, 3, 2}}};
  for (const auto& [scores, targets] : shapes) {
    const Tensor x = randn(scores, {.dtype = f64}), target = randint(0, 4, targets);
    const Tensor log_p = log_softmax(x, scores.rank() == 1 ? 0 : 1);
    for (const Tensor& w : {Tensor(), weight})
      for (Loss reduction : {Loss::mean, Loss::sum, Loss::none}) {
        const Tensor got = nll_loss(log_p, target, {.weight = w, .ignore_index = 2, .reduction = reduction});
        const Tensor want = cross_entropy(x, target, {.weight = w, .ignore_index = 2, .reduction = reduction});
        CHECK(got.shape() == want.shape());
        const auto d = test::largest_difference(got.to_vector<double>(), want.to_vector<double>(), want.shape());
        CHECK_MESSAGE(d.absolute <= 1e-14, d.str());
      }
  }
}

TEST_CASE("classification losses: the mean of no targets is NaN, other entries of an ignored row do no harm") {
  const Tensor ignored = Tensor::from<std::int64_t>({-100, -100}), weight = ones({3});
  CHECK(std::isnan(cross_entropy(zeros({2, 3}), ignored).item<float>()));
  CHECK(std::isnan(cross_entropy(zeros({2, 3}), ignored, {.weight = weight}).item<float>()));
  CHECK(std::isnan(nll_loss(zeros({2, 3}), ignored).item<float>()));
  CHECK(nll_loss(full({2, 3}, -INFINITY), ignored, {.weight = weight, .reduction = Loss::sum}).item<float>() == 0);
  const Tensor log_p = full({2, 3}, -INFINITY).requires_grad_();
  nll_loss(log_p, Tensor::from<std::int64_t>({-100, 1}), {.weight = weight}).backward();
  CHECK(log_p.grad().to_vector<float>() == std::vector<float>{0, 0, 0, 0, -1, 0});
}

TEST_CASE("classification losses say what does not fit") {
  const Tensor x = zeros({2, 3}), target = Tensor::from<std::int64_t>({0, 3}), p = zeros({2, 3});
  CHECK(test::contains(test::error_of([&] { nll_loss(x, target); }),
                       {"[nll_loss]", "target out of range: 3 (entry 1), 3 classes"}));
  CHECK(test::contains(test::error_of([&] { nll_loss(x, zeros({3})); }), {"[nll_loss]", "(2, 3)", "(3,)"}));
  CHECK(test::contains(test::error_of([&] { nll_loss(x, zeros({2})); }), {"[nll_loss]", "i64 or i32: f32"}));
  CHECK(test::contains(test::error_of([&] { nll_loss(cast(x, i64), target); }), {"[nll_loss]", "i64"}));
  CHECK(test::contains(test::error_of([&] { nll_loss(zeros({2, 0}), target); }), {"[nll_loss]", "no classes"}));
  CHECK(test::contains(test::error_of([&] { cross_entropy(x, target, {.weight = zeros({2})}); }),
                       {"[cross_entropy]", "target out of range: 3"}));
  const Tensor good = Tensor::from<std::int64_t>({0, 2});
  CHECK(test::contains(test::error_of([&] { cross_entropy(x, good, {.weight = zeros({2})}); }),
                       {"[cross_entropy]", "weight of shape (2,) for 3 classes"}));
  CHECK(test::contains(test::error_of([&] { nll_loss(x, good, {.weight = zeros({3}, {.dtype = f64})}); }),
                       {"[nll_loss]", "weight of dtype f32", "f64"}));
  CHECK(test::contains(test::error_of([&] { cross_entropy(x, zeros({2})); }),
                       {"[cross_entropy]", "(2, 3) do not go with probabilities of shape (2,)"}));
  CHECK(test::contains(test::error_of([&] { cross_entropy(x, p, {.ignore_index = 1}); }),
                       {"[cross_entropy]", "ignore_index"}));
  CHECK(test::contains(test::error_of([&] { cross_entropy(x, p, {.label_smoothing = 2}); }), {"label smoothing", "2"}));
}
