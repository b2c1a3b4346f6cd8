#include "ff/optim/schedule.h"

#include <cmath>
#include <fstream>
#include <numbers>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "ff/core/error.h"
#include "ff/optim/plateau.h"

#include "tests/support/compare.h"

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

TEST_CASE("schedule: what makes no sense is refused") {
  CHECK_THROWS_AS(optim::linear(-1), Error);
  CHECK_THROWS_AS(optim::linear(5, -0.1), Error);
  CHECK_THROWS_AS(optim::cosine_restarts(0), Error);
  CHECK_THROWS_AS(optim::cosine_restarts(5, 0), Error);
  CHECK_THROWS_AS(optim::inverse_sqrt(0), Error);
  CHECK_THROWS_AS(optim::one_cycle(10, 1), Error);
  CHECK_THROWS_AS(optim::one_cycle(10, 10), Error);
  CHECK_THROWS_AS(optim::one_cycle(10, 3, 2), Error);
  CHECK_THROWS_AS(optim::ReduceOnPlateau({.factor = 1}), Error);
  CHECK_THROWS_AS(optim::ReduceOnPlateau({.patience = -1}), Error);
  CHECK_THROWS_AS(optim::ReduceOnPlateau({.threshold = 1}), Error);
  CHECK_THROWS_AS(optim::ReduceOnPlateau({.minimum = 2}), Error);
}

namespace {

std::vector<double> factors(const optim::Schedule& schedule, std::size_t steps) {
  std::vector<double> all;
  for (std::size_t step = 0; step < steps; ++step) all.push_back(schedule(static_cast<std::int64_t>(step)));
  return all;
}

// Interrupted after every measurement: another object goes on from its state.
std::vector<double> factors(const optim::ReduceOnPlateauOptions& options, const std::vector<double>& figures) {
  std::vector<double> all;
  optim::ReduceOnPlateau::State state;
  for (const double figure : figures) {
    optim::ReduceOnPlateau plateau(options);
    plateau.set_state(state);
    plateau.measure(options.maximize ? 1 / figure : figure);
    all.push_back(plateau.factor());
    state = plateau.state();
  }
  return all;
}

}  // namespace

TEST_CASE("schedule: the golden factors of tools/golden/schedules.py") {
  std::ifstream file(FF_SOURCE_DIR "/tests/golden/schedules.json");
  REQUIRE(file);
  const auto golden = nlohmann::json::parse(file);
  REQUIRE(golden.at("cases").size() == 9);
  for (const auto& one : golden.at("cases")) {
    const std::string kind = one.at("schedule");
    const auto& o = one.at("options");
    CAPTURE(kind);
    const std::vector<double> want = one.at("factors");
    REQUIRE(want.size() == 30);
    std::vector<double> got;
    if (kind == "linear") got = factors(optim::linear(o.at("total"), o.at("minimum")), 30);
    if (kind == "cosine_restarts")
      got = factors(optim::cosine_restarts(o.at("first"), o.at("growth"), o.at("minimum")), 30);
    if (kind == "inverse_sqrt")
      got = factors(optim::with_warmup(o.at("warmup"), optim::inverse_sqrt(o.at("warmup"))), 30);
    if (kind == "one_cycle")
      got = factors(optim::one_cycle(o.at("total"), o.at("rise"), o.at("start"), o.at("end")), 30);
    if (kind == "reduce_on_plateau")
      got = factors({.factor = o.at("factor"),
                     .patience = o.at("patience"),
                     .threshold = o.at("threshold"),
                     .cooldown = o.at("cooldown"),
                     .minimum = o.at("minimum"),
                     .maximize = o.at("maximize")},
                    golden.at("figures").get<std::vector<double>>());
    const auto d = test::largest_difference(got, want);
    CHECK_MESSAGE(d.absolute < 1e-12, d.str());
  }
}

TEST_CASE("schedule: a figure that is not finite is no improvement on a plateau") {
  optim::ReduceOnPlateau plateau({.factor = 0.5, .patience = 1});
  plateau.measure(3);
  plateau.measure(std::nan(""));
  CHECK(plateau.factor() == 1);
  plateau.measure(-INFINITY);
  CHECK(plateau.factor() == 0.5);
  CHECK(plateau.state().best == 3);
}
