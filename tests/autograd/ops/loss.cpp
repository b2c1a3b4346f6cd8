#include "ff/autograd/ops/loss.h"

#include <cmath>

#include <doctest/doctest.h>

#include "ff/autograd/engine.h"
#include "ff/autograd/ops/ops.h"

#include "tests/support/compare.h"
#include "tests/support/errors.h"

using namespace ff;

namespace {

std::vector<double> gradient(const Tensor& x, const std::function<Tensor(const Tensor&)>& f) {
  const Tensor leaf = x.detach().requires_grad_();
  return grad({sum(f(leaf))}, {leaf})[0].to_vector<double>();
}

Tensor doubles(const std::vector<double>& values) {
  return Tensor::from(values, {static_cast<std::int64_t>(values.size())});
}

}  // namespace

TEST_CASE("losses of differences: on both sides of the threshold, and on it") {
  const Tensor x = doubles({0.5, -2, 1, 4}), zero = zeros({4}, {.dtype = f64});
  CHECK(mse_loss(x, zero, Loss::none).to_vector<double>() == std::vector<double>{0.25, 4, 1, 16});
  CHECK(l1_loss(x, zero, Loss::none).to_vector<double>() == std::vector<double>{0.5, 2, 1, 4});
  CHECK(smooth_l1_loss(x, zero, Loss::none).to_vector<double>() == std::vector<double>{0.125, 1.5, 0.5, 3.5});
  CHECK(smooth_l1_loss(x, zero, Loss::none, 2).to_vector<double>() == std::vector<double>{0.0625, 1, 0.25, 3});
  CHECK(smooth_l1_loss(x, zero, Loss::none, 0).to_vector<double>() == std::vector<double>{0.5, 2, 1, 4});
  CHECK(huber_loss(x, zero, Loss::none).to_vector<double>() == std::vector<double>{0.125, 1.5, 0.5, 3.5});
  CHECK(huber_loss(x, zero, Loss::none, 2).to_vector<double>() == std::vector<double>{0.125, 2, 0.5, 6});
  CHECK(l1_loss(x, zero).item<double>() == 7.5 / 4);
  CHECK(huber_loss(x, zero, Loss::sum).item<double>() == 5.625);
  CHECK(gradient(zero, [&](const Tensor& t) { return l1_loss(t, zero, Loss::sum); }) == std::vector<double>(4, 0.0));
  CHECK(gradient(x, [&](const Tensor& t) { return huber_loss(t, zero, Loss::sum, 2); }) ==
        std::vector<double>{0.5, -2, 1, 2});
}

TEST_CASE("losses of differences convert integers and refuse thresholds of the wrong sign") {
  const Tensor n = Tensor::from<std::int64_t>({3, 0});
  CHECK(smooth_l1_loss(n, zeros({2}), Loss::none).to_vector<float>() == std::vector<float>{2.5, 0});
  CHECK(huber_loss(n, cast(zeros({2}), i64), Loss::sum).item<float>() == 2.5);
  CHECK(test::contains(test::error_of([&] { smooth_l1_loss(n, n, Loss::mean, -1); }), {"[smooth_l1_loss]", "-1"}));
  CHECK(test::contains(test::error_of([&] { huber_loss(n, n, Loss::mean, 0); }), {"[huber_loss]", "positive: 0"}));
  CHECK(test::contains(test::error_of([] { huber_loss(zeros({2}), zeros({2}), Loss::mean, NAN); }), {"positive: nan"}));
}

TEST_CASE("binary_cross_entropy: its logarithms end at -100, its gradient is finite") {
  const Tensor x = doubles({0, 0, 1, 1, 0.25}), t = doubles({0, 1, 0, 1, 0.5});
  const Tensor losses = binary_cross_entropy(x, t, {.reduction = Loss::none});
  auto d = test::largest_difference(losses.to_vector<double>(),
                                    std::vector<double>{0, 100, 100, 0, -0.5 * std::log(0.25) - 0.5 * std::log(0.75)});
  CHECK_MESSAGE(d.absolute <= 1e-13, d.str());
  auto of_input = [&](const Tensor& in) { return binary_cross_entropy(in, t, {.reduction = Loss::none}); };
  d = test::largest_difference(gradient(x, of_input), std::vector<double>{0, -1e12, 1e12, 0, -0.25 / (0.25 * 0.75)});
  CHECK_MESSAGE(d.relative <= 1e-12, d.str());
  auto of_target = [&](const Tensor& in) { return binary_cross_entropy(x, in, {.reduction = Loss::none}); };
  d = test::largest_difference(gradient(t, of_target), std::vector<double>{100, 100, -100, -100, std::log(3)});
  CHECK_MESSAGE(d.absolute <= 1e-12, d.str());
  CHECK(binary_cross_entropy(x, t, {.weight = doubles({0, 0, 0, 0, 2}), .reduction = Loss::sum}).item<double>() ==
        doctest::Approx(-std::log(0.1875)));
}

TEST_CASE("binary_cross_entropy names what is no probability, and shapes and dtypes that do not fit") {
  const Tensor x = doubles({0.5, 1.5, NAN});
  CHECK(test::contains(test::error_of([&] { binary_cross_entropy(x, x); }),
                       {"[binary_cross_entropy]", "2 entries that are no probabilities"}));
  CHECK(test::contains(test::error_of([] { binary_cross_entropy(zeros({2}), zeros({2, 1})); }), {"(2,) and (2, 1)"}));
  CHECK(test::contains(test::error_of([] { binary_cross_entropy(zeros({2}), cast(zeros({2}), i64)); }),
                       {"floating target", "i64"}));
  CHECK(test::contains(test::error_of([] { binary_cross_entropy(zeros({2}), zeros({2}), {.weight = zeros({3})}); }),
                       {"[binary_cross_entropy]", "(3,)", "(2,)"}));
  CHECK(test::contains(test::error_of([] {
                         binary_cross_entropy_with_logits(zeros({2}), zeros({2}), {.weight = zeros({2, 2})});
                       }),
                       {"[binary_cross_entropy_with_logits]", "(2, 2) does not broadcast to (2,)"}));
  CHECK(test::contains(test::error_of([] {
                         binary_cross_entropy_with_logits(zeros({2}), zeros({2}), {.pos_weight = zeros({3, 2})});
                       }),
                       {"[binary_cross_entropy_with_logits]", "pos_weight of shape (3, 2)"}));
}

TEST_CASE("binary_cross_entropy_with_logits: exact for large logits, right where the logit is 0") {
  const Tensor x = Tensor::from({-200.0f, -200.0f, 200.0f, 200.0f, -20.0f, 0.0f}),
               t = Tensor::from({0.0f, 1.0f, 0.0f, 1.0f, 0.0f, 0.25f});
  const Tensor losses = binary_cross_entropy_with_logits(x, t, {.reduction = Loss::none});
  const std::vector<float> got = losses.to_vector<float>();
  const std::vector<double> want{0, 200, 200, 0, std::log1p(std::exp(-20.0)), std::log(2.0)};
  for (std::size_t i = 0; i < want.size(); ++i) CHECK(got[i] == doctest::Approx(want[i]).epsilon(1e-6));
  const auto slopes =
      gradient(x, [&](const Tensor& in) { return binary_cross_entropy_with_logits(in, t, {.reduction = Loss::sum}); });
  const std::vector<double> want_slopes{0, -1, 1, 0, std::exp(-20.0), 0.25};
  for (std::size_t i = 0; i < want.size(); ++i) CHECK(slopes[i] == doctest::Approx(want_slopes[i]).epsilon(1e-6));
}

TEST_CASE("binary_cross_entropy_with_logits: weights by definition") {
  manual_seed(5);
  const Tensor x = randn({3, 2}, {.dtype = f64}), t = rand({3, 2}, {.dtype = f64}), w = rand({3, 1}, {.dtype = f64}),
               p = rand({2}, {.dtype = f64});
  const Tensor s = sigmoid(x), want = neg(w * (p * t * log(s) + (1 - t) * log(1 - s)));
  const Tensor got = binary_cross_entropy_with_logits(x, t, {.weight = w, .pos_weight = p, .reduction = Loss::none});
  const auto d = test::largest_difference(got.to_vector<double>(), want.to_vector<double>(), want.shape());
  CHECK_MESSAGE(d.absolute <= 1e-14, d.str());
  CHECK(binary_cross_entropy_with_logits(x, t, {.weight = w, .pos_weight = p}).item<double>() ==
        doctest::Approx(mean(want).item<double>()));
}

TEST_CASE("kl_div: reductions, logarithms, targets of 0") {
  const Tensor p = reshape(doubles({0.5, 0.5, 0, 1}), {2, 2}),
               log_q = log(reshape(doubles({0.25, 0.75, 0.5, 0.5}), {2, 2}));
  const std::vector<double> want{0.5 * std::log(2.0), 0.5 * std::log(2.0 / 3), 0, std::log(2.0)};
  const double total = want[0] + want[1] + want[3];
  const auto d =
      test::largest_difference(kl_div(log_q, p, {.reduction = Loss::none}).to_vector<double>(), want, {2, 2});
  CHECK_MESSAGE(d.absolute <= 1e-15, d.str());
  CHECK(kl_div(log_q, p).item<double>() == doctest::Approx(total / 4));
  CHECK(kl_div(log_q, p, {.reduction = Loss::sum}).item<double>() == doctest::Approx(total));
  CHECK(kl_div(log_q, p, {.batchmean = true}).item<double>() == doctest::Approx(total / 2));
  CHECK(kl_div(slice(log_q, 0, 0, 1), log(slice(p, 0, 0, 1)), {.log_target = true, .reduction = Loss::sum})
            .item<double>() == doctest::Approx(want[0] + want[1]));
  for (double g : gradient(p, [&](const Tensor& t) { return kl_div(log_q, t); })) CHECK(std::isfinite(g));
  CHECK(test::contains(test::error_of([] { kl_div(cast(zeros({2}), i64), zeros({2})); }), {"[kl_div]", "i64"}));
}

TEST_CASE("cosine_similarity: angles, zero vectors, broadcasting") {
  const Tensor a = reshape(doubles({3, 4, 0, 0, 1, 1}), {3, 2}), b = doubles({4, 3});
  const auto d = test::largest_difference(cosine_similarity(a, b).to_vector<double>(),
                                          std::vector<double>{0.96, 0, 7 / (5 * std::sqrt(2.0))});
  CHECK_MESSAGE(d.absolute <= 1e-15, d.str());
  for (double g : gradient(a, [&](const Tensor& x) { return cosine_similarity(x, b); })) CHECK(std::isfinite(g));
  CHECK(cosine_similarity(unsqueeze(a, 1), unsqueeze(a, 0), -1).shape() == Shape{3, 3});
  CHECK(test::contains(test::error_of([&] { cosine_similarity(b, b); }), {"[cosine_similarity]", "out of range: 1"}));
  CHECK(test::contains(test::error_of([&] { cosine_similarity(a, b, 1, -1); }), {"[cosine_similarity]", "eps", "-1"}));
}

TEST_CASE("losses of likeness: both targets, on both sides of the margin") {
  const Tensor x = doubles({3, 0.25, 3}), target = Tensor::from<std::int64_t>({1, -1, -1});
  CHECK(hinge_embedding_loss(x, target, 1, Loss::none).to_vector<double>() == std::vector<double>{3, 0.75, 0});
  CHECK(hinge_embedding_loss(x, target).item<double>() == 1.25);
  const Tensor a = reshape(doubles({3, 4, 3, 4, 0, 0}), {3, 2}), b = reshape(doubles({4, 3, 4, 3, 1, 0}), {3, 2});
  auto d = test::largest_difference(cosine_embedding_loss(a, b, target, 0.5, Loss::none).to_vector<double>(),
                                    std::vector<double>{0.04, 0.46, 0});
  CHECK_MESSAGE(d.absolute <= 1e-12, d.str());
  CHECK(cosine_embedding_loss(select(a, 0, 0), select(b, 0, 0), Tensor::scalar(1)).item<double>() ==
        doctest::Approx(0.04));
  for (double g : gradient(a, [&](const Tensor& t) { return cosine_embedding_loss(t, b, target); }))
    CHECK(std::isfinite(g));
}

TEST_CASE("losses of likeness name targets and shapes that do not fit") {
  const Tensor x = zeros({2, 3}), target = Tensor::from<std::int64_t>({1, 0});
  CHECK(test::contains(test::error_of([&] { hinge_embedding_loss(zeros({2}), target); }),
                       {"[hinge_embedding_loss]", "1 or -1"}));
  CHECK(test::contains(test::error_of([&] { cosine_embedding_loss(x, x, target); }),
                       {"[cosine_embedding_loss]", "1 or -1"}));
  CHECK(test::contains(test::error_of([&] { cosine_embedding_loss(x, x, zeros({3})); }),
                       {"[cosine_embedding_loss]", "(2, 3), (2, 3) and (3,)"}));
}
