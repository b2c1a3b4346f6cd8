#include "ff/optim/schedule.h"

#include <cmath>
#include <numbers>

#include <doctest/doctest.h>

#include "ff/core/error.h"

using namespace ff;

TEST_CASE("schedule: constant and steps") {
  CHECK(optim::constant()(12345) == 1);
  const optim::Schedule steps = optim::step_decay(10, 0.5);
  CHECK(steps(0) == 1);
  CHECK(steps(9) == 1);
  CHECK(steps(10) == 0.5);
  CHECK(steps(39) == 0.125);
  CHECK_THROWS_AS(optim::step_decay(0), Error);
}

TEST_CASE("schedule: cosine from 1 to the minimum, and the minimum from then on") {
  const optim::Schedule s = optim::cosine(100, 0.1);
  CHECK(s(0) == 1);
  CHECK(s(50) == doctest::Approx(0.55).epsilon(1e-14));
  CHECK(s(25) == doctest::Approx(0.1 + 0.9 * (1 + std::sqrt(0.5)) / 2).epsilon(1e-14));
  CHECK(s(99) == doctest::Approx(0.1 + 0.45 * (1 + std::cos(0.99 * std::numbers::pi))).epsilon(1e-14));
  CHECK(s(100) == 0.1);
  CHECK(s(100000) == 0.1);
  CHECK(optim::cosine(0)(0) == 0);
  CHECK_THROWS_AS(optim::cosine(-1), Error);
  CHECK_THROWS_AS(optim::cosine(10, 2), Error);
}

TEST_CASE("schedule: warm-up in a straight line, never 0, then the cosine from its beginning") {
  const optim::Schedule s = optim::warmup_cosine(5, 25, 0.01);
  for (int step = 0; step < 5; ++step) CHECK(s(step) == doctest::Approx((step + 1) / 5.0).epsilon(1e-14));
  CHECK(s(5) == 1);
  CHECK(s(15) == doctest::Approx(0.505).epsilon(1e-14));
  CHECK(s(25) == 0.01);
  for (int step = 5; step < 25; ++step) CHECK(s(step + 1) < s(step));

  const optim::Schedule raised = optim::with_warmup(4, optim::constant(), 0.2);
  CHECK(raised(0) == doctest::Approx(0.4));
  CHECK(raised(3) == doctest::Approx(1));
  CHECK(raised(4) == 1);
  CHECK(optim::warmup_cosine(0, 10)(0) == 1);
  CHECK_THROWS_AS(optim::warmup_cosine(11, 10), Error);
  CHECK_THROWS_AS(optim::with_warmup(-1, optim::constant()), Error);
  CHECK_THROWS_AS(optim::with_warmup(1, nullptr), Error);
}
