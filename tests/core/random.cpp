#include "ff/core/random.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include <doctest/doctest.h>

#include "ff/core/parallel.h"

using namespace ff;

TEST_CASE("philox: known answers") {
  // The authors' test vector of Philox4x32-10 for a counter and a key of zero.
  CHECK(philox(0, 0) == std::array<std::uint32_t, 4>{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
}

TEST_CASE("random: uniform and normal numbers have their moments") {
  const std::int64_t n = 200'001;
  auto check_moments = [&](auto tag) {
    using T = decltype(tag);
    std::vector<T> u(n), z(n);
    fill_uniform(u.data(), n, {1, 0});
    fill_normal(z.data(), n, {1, 1u << 20});
    double mean = 0, square = 0, fourth = 0, uniform_mean = 0;
    for (std::int64_t i = 0; i < n; ++i) {
      REQUIRE(u[i] >= 0);
      REQUIRE(u[i] < 1);
      REQUIRE(std::isfinite(z[i]));
      uniform_mean += u[i] / n;
      mean += z[i] / n;
      square += static_cast<double>(z[i]) * z[i] / n;
      fourth += std::pow(static_cast<double>(z[i]), 4) / n;
    }
    CHECK(uniform_mean == doctest::Approx(0.5).epsilon(0.005));
    CHECK(std::abs(mean) < 0.01);
    CHECK(square == doctest::Approx(1).epsilon(0.01));
    CHECK(fourth == doctest::Approx(3).epsilon(0.05));
  };
  check_moments(float{});
  check_moments(double{});
}

TEST_CASE("random: a stretch is the same whoever computes which part, at any thread count") {
  const std::int64_t n = 100'003;
  std::vector<float> one(n), many(n);
  const int before = num_threads();
  set_num_threads(1);
  fill_normal(one.data(), n, {7, 3});
  set_num_threads(4);
  fill_normal(many.data(), n, {7, 3});
  set_num_threads(before);
  CHECK(one == many);
}

TEST_CASE("random: stretches handed out do not overlap") {
  Generator generator(5);
  const RandomKey first = generator.next(5), second = generator.next(1);
  CHECK(first.offset == 0);
  CHECK(second.offset == 2);
  CHECK(generator.state().offset == 3);
  Generator other(5);
  other.set_state(generator.state());
  CHECK(other.next(1).offset == 3);
}

TEST_CASE("random: dropout keeps the share asked for, word by word") {
  const std::int64_t n = 100'000;
  std::vector<std::uint8_t> keep(n);
  fill_keep(keep.data(), n, 0.3, {2, 11});
  std::int64_t kept = 0;
  for (std::int64_t i = 0; i < n; ++i) {
    kept += keep[i];
    if (i < 1000) CHECK(keep[i] == (random_bits({2, 11}, i) >= drop_threshold(0.3)));
  }
  CHECK(std::abs(static_cast<double>(kept) / n - 0.7) < 0.01);
  fill_keep(keep.data(), n, 0, {2, 11});
  CHECK(std::count(keep.begin(), keep.end(), 1) == n);
}
