#include "ff/models/language/sampling.h"

#include <algorithm>
#include <cmath>
#include <set>

#include <doctest/doctest.h>

#include "ff/core/random.h"

using namespace ff;
using namespace ff::models;

namespace {

// Probabilities 0.4, 0.3, 0.2, 0.1 of tokens 2, 0, 3, 1.
const std::vector<double> four{std::log(0.3), std::log(0.1), std::log(0.4), std::log(0.2)};

// The tokens that come up, over u in steps.
std::set<std::int64_t> drawn(const SamplingOptions& options, const std::vector<double>& logits = four) {
  std::set<std::int64_t> tokens;
  for (int i = 0; i < 1000; ++i) tokens.insert(choose_token(logits, options, i / 1000.0));
  return tokens;
}

// The share of u for which each token comes up.
std::vector<double> shares(const SamplingOptions& options) {
  std::vector<double> share(4, 0.0);
  for (int i = 0; i < 10000; ++i) share[static_cast<std::size_t>(choose_token(four, options, i / 10000.0))] += 1e-4;
  return share;
}

}  // namespace

TEST_CASE("sampling: as the probabilities are, the likeliest first") {
  const auto share = shares({});
  for (std::size_t i = 0; i < 4; ++i) CHECK(share[i] == doctest::Approx(std::exp(four[i])).epsilon(1e-3));
  CHECK(choose_token(four, {}, 0) == 2);
  CHECK(choose_token(four, {}, 0.41) == 0);
  CHECK(choose_token(four, {}, 0.999999999999) == 1);
}

TEST_CASE("sampling: top_p keeps the smallest set that has the share") {
  using Tokens = std::set<std::int64_t>;
  CHECK(drawn({.top_p = 1e-9}) == Tokens{2});
  CHECK(drawn({.top_p = 0.39}) == Tokens{2});
  CHECK(drawn({.top_p = 0.41}) == Tokens{0, 2});
  CHECK(drawn({.top_p = 0.69}) == Tokens{0, 2});
  CHECK(drawn({.top_p = 0.71}) == Tokens{0, 2, 3});
  CHECK(drawn({.top_p = 0.91}) == Tokens{0, 1, 2, 3});
  CHECK(drawn({.top_p = 1}) == Tokens{0, 1, 2, 3});
  const auto share = shares({.top_p = 0.5});  // what is left is normalised
  CHECK(share[2] == doctest::Approx(4.0 / 7).epsilon(1e-3));
  CHECK(share[0] == doctest::Approx(3.0 / 7).epsilon(1e-3));
  // The temperature comes before: at 1/4, the likeliest has 0.723 of the probability.
  CHECK(drawn({.temperature = 0.25, .top_p = 0.72}) == Tokens{2});
  // So does top_k: of three, the likeliest two have 7/9.
  CHECK(drawn({.top_k = 3, .top_p = 0.77}) == Tokens{0, 2});
  CHECK(drawn({.top_k = 3, .top_p = 0.78}) == Tokens{0, 2, 3});
}

TEST_CASE("sampling: top_p against sorting the whole vocabulary") {
  std::vector<double> logits(300);
  fill_normal(logits.data(), 300, {5, 0});
  logits[7] = logits[8];
  for (const double p : {0.01, 0.3, 0.9, 0.999}) {
    std::vector<std::size_t> order(300);
    for (std::size_t i = 0; i < 300; ++i) order[i] = i;
    std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return logits[a] > logits[b]; });
    double total = 0, sum = 0;
    for (const double logit : logits) total += std::exp(logit);
    std::set<std::int64_t> nucleus;
    for (std::size_t i = 0; i < 300 && sum < p * total; ++i) {
      nucleus.insert(static_cast<std::int64_t>(order[i]));
      sum += std::exp(logits[order[i]]);
    }
    std::set<std::int64_t> tokens;
    for (int i = 0; i < 30000; ++i) tokens.insert(choose_token(logits, {.top_p = p}, i / 30000.0));
    CAPTURE(p);
    CHECK(tokens == nucleus);
  }
}

TEST_CASE("sampling: top_k and temperature") {
  using Tokens = std::set<std::int64_t>;
  CHECK(drawn({.top_k = 1}) == Tokens{2});
  CHECK(drawn({.top_k = 2}) == Tokens{0, 2});
  CHECK(drawn({.top_k = 9}) == Tokens{0, 1, 2, 3});
  CHECK(drawn({.temperature = 0}) == Tokens{2});
  CHECK(drawn({.temperature = 1e-300}) == Tokens{2});
  CHECK(drawn({.temperature = 0}, {1, 5, 5, 2}) == Tokens{1});  // of equals the first
  CHECK(drawn({.top_k = 1}, {1, 5, 5, 2}) == Tokens{1});
  const auto share = shares({.temperature = 2});
  CHECK(share[2] / share[1] == doctest::Approx(2).epsilon(1e-2));  // sqrt(4)
  CHECK(drawn({.temperature = 1}, {-1e300, 0, 1e300}) == Tokens{2});
}

TEST_CASE("sampling: the penalty divides what is positive and multiplies what is negative, once a token") {
  std::vector<double> logits{2, -3, 0, 1, 5};
  penalise(logits, std::vector<std::int64_t>{0, 1, 1, 2, 0, 4}, 2);
  CHECK(logits == std::vector<double>{1, -6, 0, 1, 2.5});
  penalise(logits, std::vector<std::int64_t>{4}, 0.5);
  CHECK(logits[4] == 5);
}
