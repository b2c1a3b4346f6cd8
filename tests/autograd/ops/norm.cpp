#include "ff/autograd/ops/norm.h"

#include <cmath>
#include <limits>

#include <doctest/doctest.h>

#include "ff/autograd/engine.h"
#include "ff/autograd/ops/ops.h"
#include "ff/core/error.h"

#include "tests/support/compare.h"

using namespace ff;

namespace {

using Values = std::vector<double>;

void check_close(const Tensor& got, const Values& want, double tolerance = 1e-13) {
  const auto d = test::largest_difference(got.to_vector<double>(), want, got.shape());
  CHECK_MESSAGE(d.relative < tolerance, d.str());
}

// x (B, C, S) normalised over the entries that share key(b, c), then by weight and bias of the channel.
template <class Key>
Values normalised(const Tensor& x, const Tensor& weight, const Tensor& bias, double eps, Key key) {
  const auto xs = x.to_vector<double>(), w = weight.to_vector<double>(), b = bias.to_vector<double>();
  const auto channels = static_cast<std::size_t>(x.size(1)), pixels = static_cast<std::size_t>(x.size(2));
  auto key_of = [&](std::size_t i) { return key(i / pixels / channels, i / pixels % channels); };
  Values y;
  for (std::size_t i = 0; i < xs.size(); ++i) {
    double n = 0, sum = 0, squares = 0;
    for (std::size_t j = 0; j < xs.size(); ++j)
      if (key_of(j) == key_of(i)) n += 1, sum += xs[j];
    for (std::size_t j = 0; j < xs.size(); ++j)
      if (key_of(j) == key_of(i)) squares += (xs[j] - sum / n) * (xs[j] - sum / n);
    const std::size_t c = i / pixels % channels;
    y.push_back((xs[i] - sum / n) / std::sqrt(squares / n + eps) * w[c] + b[c]);
  }
  return y;
}

}  // namespace

TEST_CASE("group, instance and batch normalisation are over what they say") {
  manual_seed(1);
  const Tensor x = randn({3, 4, 5}, {.dtype = f64}) + 2.0, w = randn({4}, {.dtype = f64}),
               b = randn({4}, {.dtype = f64});
  check_close(group_norm(x, 2, w, b, 0.1),
              normalised(x, w, b, 0.1, [](std::size_t image, std::size_t c) { return image * 2 + c / 2; }));
  check_close(instance_norm(x, w, b, 0.1),
              normalised(x, w, b, 0.1, [](std::size_t image, std::size_t c) { return image * 4 + c; }));
  check_close(batch_norm(x, {}, {}, w, b, true, 0.1, 0.1),
              normalised(x, w, b, 0.1, [](std::size_t, std::size_t c) { return c; }));
  // More dimensions of pixels, the same pixels.
  const Tensor image = reshape(x, {3, 4, 5, 1});
  CHECK(group_norm(image, 2, w, b).to_vector<double>() == group_norm(x, 2, w, b).to_vector<double>());
  CHECK(batch_norm(image, {}, {}, w, b, true).shape() == image.shape());
}

TEST_CASE("batch_norm: running statistics are a moving average, of the unbiased variance, written in place") {
  const Tensor x = Tensor::from(Values{1, 10, 3, 20, 5, 60}, {3, 2});
  const Tensor mean = Tensor::from({1.0, 2.0}), var = Tensor::from({3.0, 4.0});
  const auto version = mean.version();
  batch_norm(x, mean, var, {}, {}, true, 0.25);
  CHECK(mean.version() > version);
  check_close(mean, {0.75 * 1 + 0.25 * 3, 0.75 * 2 + 0.25 * 30});
  check_close(var, {0.75 * 3 + 0.25 * 4, 0.75 * 4 + 0.25 * 700});
  const Values before = mean.to_vector<double>();
  const Tensor y = batch_norm(x, mean, var, Tensor::from({2.0, 1.0}), Tensor::from({0.5, 0.0}), false, 0.25, 0.01);
  CHECK(mean.to_vector<double>() == before);
  CHECK(!mean.requires_grad());
  const Values xs = x.to_vector<double>(), m = before, v = var.to_vector<double>();
  Values want;
  for (std::size_t i = 0; i < 6; ++i)
    want.push_back((xs[i] - m[i % 2]) / std::sqrt(v[i % 2] + 0.01) * (i % 2 ? 1.0 : 2.0) + (i % 2 ? 0.0 : 0.5));
  check_close(y, want);
}

TEST_CASE("batch_norm in f32 of entries around a large mean, with statistics of another dtype") {
  std::vector<float> values;
  for (int i = 0; i < 64; ++i) values.push_back(10000 + static_cast<float>(i % 2));
  const Tensor mean = zeros({1}, {.dtype = f64}), var = zeros({1}, {.dtype = f64});
  const Tensor y = batch_norm(Tensor::from(values, {64, 1}), mean, var, {}, {}, true, 1, 0);
  CHECK(y.to_vector<float>()[0] == -1);
  CHECK(y.to_vector<float>()[1] == 1);
  CHECK(mean.item<double>() == 10000.5);
  CHECK(var.item<double>() == doctest::Approx(16.0 / 63).epsilon(1e-6));
}

TEST_CASE("rms_norm: rows of one root mean square, eps by default that of the dtype") {
  const Tensor x = Tensor::from(Values{3, 4, 0, 0}, {2, 2}), w = Tensor::from({2.0, 1.0});
  check_close(rms_norm(x, {2}, w, 0), Values{3 / std::sqrt(12.5) * 2, 4 / std::sqrt(12.5), std::nan(""), std::nan("")});
  const Tensor tiny = Tensor::from({1e-10f, 1e-10f});
  CHECK(rms_norm(tiny, {2}).to_vector<double>()[0] == doctest::Approx(1e-10 / std::sqrt(1.1920929e-7)));
  CHECK(rms_norm(cast(tiny, f64), {2}).to_vector<double>()[0] ==
        doctest::Approx(1e-10 / std::sqrt(1e-20 + 2.220446e-16)));
  // As layer_norm of what has mean 0.
  const Tensor centred = Tensor::from(Values{1, -1, 2, -2}, {1, 4});
  check_close(rms_norm(centred, {4}, {}, 0.5), layer_norm(centred, {4}, {}, {}, 0.5).to_vector<double>());
}

TEST_CASE("normalize: norms of every order, and rows of zeros, which have no gradient of NaN") {
  const Tensor x = Tensor::from(Values{3, -4, 0, 0}, {2, 2});
  CHECK(normalize(x).to_vector<double>() == Values{0.6, -0.8, 0, 0});
  check_close(normalize(x, 1), {3 / 7.0, -4 / 7.0, 0, 0});
  check_close(normalize(x, 3), {3 / std::cbrt(91.0), -4 / std::cbrt(91.0), 0, 0});
  CHECK(normalize(x, std::numeric_limits<double>::infinity()).to_vector<double>() == Values{0.75, -1, 0, 0});
  CHECK(normalize(x, 2, 0).to_vector<double>() == Values{1, -1, 0, 0});
  CHECK(normalize(x, 2, 1, 10).to_vector<double>() == Values{0.3, -0.4, 0, 0});
  for (double p : {1.0, 2.0, 3.0}) {
    const Tensor leaf = x.detach().requires_grad_();
    for (double g : grad({sum(normalize(leaf, p, 1, 0.5))}, {leaf})[0].to_vector<double>()) CHECK(std::isfinite(g));
  }
}

TEST_CASE("dropout2d drops whole channels and keeps the mean; glu gates one half by the other") {
  Generator generator(5);
  const Tensor y = dropout2d(ones({200, 5, 3, 4}), 0.4, generator);
  const Tensor channels = flatten(y, 2);
  CHECK(max(channels, {2}).to_vector<float>() == min(channels, {2}).to_vector<float>());
  CHECK(mean(y).item<double>() == doctest::Approx(1).epsilon(0.1));
  CHECK(min(y).item<float>() == 0);
  CHECK_THROWS_WITH_AS(dropout2d(ones({2, 3}), 0.5), doctest::Contains("[dropout2d] x must be (B, C, ..)"), Error);
  check_close(glu(Tensor::from({2.0, 3.0, 0.0, 1.0})), {1, 3 / (1 + std::exp(-1.0))});
  CHECK_THROWS_WITH_AS(glu(ones({2, 3})), doctest::Contains("[glu] an even size is needed along dimension -1"), Error);
}

TEST_CASE("normalisation: what is wrong is named") {
  const Tensor x = zeros({2, 4, 3}), w = zeros({3});
  CHECK_THROWS_WITH_AS(group_norm(x, 3), doctest::Contains("[group_norm] groups must divide the channels: 3"), Error);
  CHECK_THROWS_WITH_AS(group_norm(x, 2, w), doctest::Contains("weight and bias must have shape (4,)"), Error);
  CHECK_THROWS_WITH_AS(instance_norm(zeros({2, 4})), doctest::Contains("[instance_norm] x must be (B, C, L)"), Error);
  CHECK_THROWS_WITH_AS(instance_norm(zeros({2, 4, 1})), doctest::Contains("one entry a channel"), Error);
  CHECK_THROWS_WITH_AS(batch_norm(x, {}, {}), doctest::Contains("are needed except in training"), Error);
  CHECK_THROWS_WITH_AS(batch_norm(x, w, {}), doctest::Contains("running_mean must be floating, of shape (4,): (3,)"),
                       Error);
  CHECK_THROWS_WITH_AS(batch_norm(zeros({1, 4}), {}, {}, {}, {}, true),
                       doctest::Contains("more than one value a channel is needed: x (1, 4)"), Error);
  CHECK_THROWS_WITH_AS(batch_norm(zeros({4}), {}, {}, {}, {}, true), doctest::Contains("x must be (B, C, ..)"), Error);
  CHECK_THROWS_WITH_AS(rms_norm(x, {4}),
                       doctest::Contains("[rms_norm] a tensor of shape (2, 4, 3) does not end in (4,)"), Error);
  CHECK_THROWS_WITH_AS(rms_norm(x, {3}, zeros({4})), doctest::Contains("weight must have shape (3,)"), Error);
  CHECK_THROWS_WITH_AS(normalize(x, 0), doctest::Contains("[normalize] p must be larger than 0"), Error);
  CHECK_THROWS_WITH_AS(normalize(x, 2, 3), doctest::Contains("dimension out of range: 3"), Error);
}
