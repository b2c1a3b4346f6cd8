#include "ff/models/statistics.h"

#include <cmath>
#include <numbers>
#include <vector>

#include <doctest/doctest.h>

#include "ff/core/error.h"

#include "tests/support/errors.h"

using namespace ff;
using namespace ff::models;
using namespace ff::test;

namespace {

// P(|T| <= t) by Simpson's rule on the density, in the angle whose tangent is t / sqrt(freedom).
double integrated(int freedom, double t) {
  const double end = std::atan(t / std::sqrt(freedom));
  const int pieces = 20000;
  double sum = 0, whole = 0;
  for (int i = 0; i <= pieces; ++i) {
    const double weight = i == 0 || i == pieces ? 1 : i % 2 == 1 ? 4 : 2;
    sum += weight * std::pow(std::cos(end * i / pieces), freedom - 1) * end;
    const double quarter = std::numbers::pi / 2;
    whole += weight * std::pow(std::cos(quarter * i / pieces), freedom - 1) * quarter;
  }
  return sum / whole;
}

}  // namespace

TEST_CASE("statistics: Student's t as printed tables have it, and as its density says") {
  struct Known {
    int freedom;
    double confidence, t;
  };
  for (const auto& [freedom, confidence, t] : {Known{1, 0.95, 12.7062},
                                               {2, 0.95, 4.3027},
                                               {3, 0.95, 3.1824},
                                               {4, 0.95, 2.7764},
                                               {9, 0.95, 2.2622},
                                               {30, 0.95, 2.0423},
                                               {1, 0.99, 63.6567},
                                               {2, 0.9, 2.9200},
                                               {5, 0.99, 4.0321}})
    CHECK(student_t(freedom, confidence) == doctest::Approx(t).epsilon(2e-5));
  CHECK(student_t(100000) == doctest::Approx(1.95998).epsilon(1e-4));  // the normal distribution's
  for (const int freedom : {1, 2, 3, 4, 7, 12, 25})
    for (const double confidence : {0.5, 0.9, 0.95, 0.999})
      CHECK(integrated(freedom, student_t(freedom, confidence)) == doctest::Approx(confidence).epsilon(1e-8));
  CHECK(contains(error_of([] { student_t(0); }), {"0 degrees of freedom"}));
  CHECK(contains(error_of([] { student_t(3, 1); }), {"confidence 1"}));
}

TEST_CASE("statistics: means, deviations and paired differences") {
  const std::vector<double> a{1, 2, 3, 6}, b{2, 2, 5, 8};
  CHECK(spread(a).mean == 3);
  CHECK(spread(a).deviation == doctest::Approx(std::sqrt(14.0 / 3)));
  CHECK(spread(std::span(a).first(1)).deviation == 0);
  CHECK(spread({}).count == 0);
  for (const double value : {914.4, 0.1, 0.7, 1 / 3.0})
    for (const std::size_t count : {3, 5, 7}) CHECK(spread(std::vector(count, value)).deviation == 0);
  const PairedDifference d = paired_difference(a, b);  // 1, 0, 2, 2
  CHECK(d.difference.count == 4);
  CHECK(d.difference.mean == 1.25);
  CHECK(d.difference.deviation == doctest::Approx(std::sqrt(2.75 / 3)));
  CHECK(d.half_width.value() == doctest::Approx(3.182446 * std::sqrt(2.75 / 3) / 2));
  CHECK(paired_difference(b, a).difference.mean == -1.25);
  CHECK_FALSE(paired_difference(std::span(a).first(1), std::span(b).first(1)).half_width.has_value());
  CHECK(contains(error_of([&] { paired_difference(a, std::span(b).first(3)); }), {"4 and 3 values"}));
  CHECK(contains(error_of([&] { paired_difference({}, {}); }), {"0 and 0 values"}));
}
