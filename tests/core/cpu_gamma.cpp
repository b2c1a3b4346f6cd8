#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include <doctest/doctest.h>

#include "ff/core/cpu/gamma.h"

namespace ff {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity(), nan = std::numeric_limits<double>::quiet_NaN();

// Relative to the value, or to 1 where that is less.
void check_near(const std::string& what, double x, double got, double want) {
  INFO(what << " at " << x << ": got " << got << ", want " << want);
  CHECK(std::abs(got - want) <= 1e-14 * std::max(1.0, std::abs(want)));
}

}  // namespace

TEST_CASE("log_gamma and its derivatives, against values of mpmath at 40 digits") {
  struct Values {
    double x, lgamma, digamma, trigamma, tetragamma;
  };
  const Values table[] = {
      {1e-08, 18.42068073818021, -100000000.57721564, 1.0000000000000002e+16, -2e+24},
      {0.3, 1.0957979948180756, -3.502524222200133, 12.245364546107732, -75.27253658872604},
      {1.0, 0.0, -0.5772156649015329, 1.6449340668482264, -2.4041138063191885},
      {1.4616321449683622, -0.12148629053584961, -9.241265521729427e-17, 0.9676722454476212, -0.8855263379671844},
      {1.5, -0.12078223763524522, 0.03648997397857652, 0.9348022005446793, -0.82879664423432},
      {2.0, 0.0, 0.42278433509846713, 0.6449340668482264, -0.4041138063191886},
      {3.7, 1.428072326665388, 1.1671535393615113, 0.3100378576700383, -0.09539530872855403},
      {9.99, 12.779315214350193, 2.250700372831201, 0.10527695014824179, -0.011073070531461051},
      {10.0, 12.801827480081469, 2.251752589066721, 0.10516633568168575, -0.011049834970802067},
      {14.5, 23.862765841689086, 2.6392697253489863, 0.07139825615164695, -0.005095552370983587},
      {15.0, 25.19122118273868, 2.6743466616607936, 0.0689382278476838, -0.004750602716551555},
      {40.25, 107.55163153760464, 3.6826362084455626, 0.025155906192376006, -0.0006327862580009432},
      {1000000.0, 12815504.569147611, 13.815510057964191, 1.0000005000001667e-06, -1.0000010000005e-12},
      {-0.3, 1.4648400508576025, 2.113309779635399, 13.945160267805722, 67.63908119988317},
      {-0.5040830082644554, 1.2654376221108656, 7.289763902976895e-17, 8.939798558792134, -1.6186909250612997},
      {-1.5, 0.860047015376481, 0.7031566406452432, 9.379246644989124, -0.2362040516417274},
      {-2.999, 5.117253430432412, -998.7408763243631, 1000003.00597183, -2000000000.0677576},
      {-7.25, -7.54188344347575, 5.189977214956288, 19.61035453929327, 124.00852603656574},
      {-40.3, -110.07548100733777, 5.991207777718806, 15.054905125605318, 68.8369430742367},
      {-1e-05, 11.512931237209125, 99999.42276788563, 10000000001.644957, 1999999999999997.0},
  };
  for (const Values& v : table) {
    check_near("log_gamma", v.x, cpu::log_gamma(v.x), v.lgamma);
    check_near("digamma", v.x, cpu::digamma(v.x), v.digamma);
    check_near("trigamma", v.x, cpu::trigamma(v.x), v.trigamma);
    check_near("tetragamma", v.x, cpu::tetragamma(v.x), v.tetragamma);
  }
  // Relative to themselves, close to the zeros.
  CHECK(std::abs(cpu::digamma(1.4616321449683622) / -9.241265521729426e-17 - 1) <= 1e-13);
  CHECK(std::abs(cpu::log_gamma(1 + 1e-9) / -5.772156640789e-10 - 1) <= 1e-7);
}

TEST_CASE("derivatives of log_gamma follow their recurrences across every seam") {
  for (double x = -20.4375; x < 20; x += 0.375) {  // x + 1 is exact, and no pole
    CAPTURE(x);
    check_near("digamma", x, cpu::digamma(x), cpu::digamma(x + 1) - 1 / x);
    check_near("trigamma", x, cpu::trigamma(x), cpu::trigamma(x + 1) + 1 / (x * x));
    check_near("tetragamma", x, cpu::tetragamma(x), cpu::tetragamma(x + 1) - 2 / (x * x * x));
  }
}

TEST_CASE("log_gamma and its derivatives at poles and infinities") {
  CHECK(cpu::log_gamma(0) == infinity);
  CHECK(cpu::log_gamma(-3) == infinity);
  CHECK(cpu::log_gamma(-infinity) == infinity);
  CHECK(cpu::digamma(0.0) == -infinity);
  CHECK(cpu::digamma(-0.0) == infinity);
  CHECK(std::isnan(cpu::digamma(-2)));
  CHECK(cpu::digamma(infinity) == infinity);
  CHECK(std::isnan(cpu::digamma(-infinity)));
  CHECK(cpu::trigamma(0) == infinity);
  CHECK(cpu::trigamma(-2) == infinity);
  CHECK(cpu::trigamma(infinity) == 0);
  CHECK(std::isnan(cpu::trigamma(-infinity)));
  CHECK(cpu::tetragamma(0.0) == -infinity);
  CHECK(std::isnan(cpu::tetragamma(-2)));
  CHECK(cpu::tetragamma(infinity) == 0);
  for (auto f : {cpu::log_gamma, cpu::digamma, cpu::trigamma, cpu::tetragamma}) CHECK(std::isnan(f(nan)));
}

}  // namespace ff
