#include "ff/optim/kernels.h"

#include <cmath>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "ff/core/random.h"

#include "tests/support/compare.h"

using namespace ff;
namespace kernels = ff::optim::kernels;

namespace {

struct Arrays {
  std::vector<float> p, g, m, v;
  explicit Arrays(std::int64_t n) : p(static_cast<std::size_t>(n)), g(p), m(p), v(p) {
    Generator generator(9);
    for (auto* x : {&p, &g, &m, &v}) fill_normal(x->data(), n, generator.next(static_cast<std::uint64_t>(n)));
    for (float& x : v) x = std::abs(x);
  }
};

// One element of adam(), in double.
double adam_element(double p, double g, double m, double v, const kernels::AdamStep& s) {
  if (s.decoupled)
    p *= 1 - s.lr * s.weight_decay;
  else
    g += s.weight_decay * p;
  m = s.beta1 * m + (1 - s.beta1) * g;
  v = s.beta2 * v + (1 - s.beta2) * g * g;
  const double t = static_cast<double>(s.step);
  return p - s.lr * (m / (1 - std::pow(s.beta1, t))) / (std::sqrt(v / (1 - std::pow(s.beta2, t))) + s.eps);
}

constexpr std::int64_t n = 10'003;

}  // namespace

TEST_CASE("adam kernel: every element against the formula") {
  for (bool decoupled : {false, true}) {
    const kernels::AdamStep step{.lr = 0.01,
                                 .beta1 = 0.9,
                                 .beta2 = 0.99,
                                 .eps = 1e-8,
                                 .weight_decay = 0.1,
                                 .decoupled = decoupled,
                                 .step = 4,
                                 .grad_scale = 0.5};
    const Arrays start(n);
    std::vector<double> want;
    for (std::size_t i = 0; i < start.p.size(); ++i)
      want.push_back(adam_element(static_cast<double>(start.p[i]), 0.5 * static_cast<double>(start.g[i]),
                                  static_cast<double>(start.m[i]), static_cast<double>(start.v[i]), step));
    Arrays a = start;
    kernels::adam(n, a.p.data(), a.g.data(), a.m.data(), a.v.data(), step);
    const auto d = test::largest_difference(a.p, want);
    CHECK_MESSAGE(d.absolute < 1e-6, d.str());
  }
}

TEST_CASE("sgd kernel: every element against the formula, each of its forms") {
  for (double momentum : {0.0, 0.9})
    for (bool nesterov : {false, true})
      for (bool first : {false, true}) {
        const kernels::SgdStep step{.lr = 0.1,
                                    .momentum = momentum,
                                    .dampening = 0.3,
                                    .weight_decay = 0.2,
                                    .nesterov = nesterov,
                                    .first = first,
                                    .grad_scale = 0.5};
        Arrays a(n);
        std::vector<double> want, want_buffer;
        for (std::size_t i = 0; i < a.p.size(); ++i) {
          const double p = static_cast<double>(a.p[i]), g = 0.5 * static_cast<double>(a.g[i]) + 0.2 * p;
          const double b = first ? g : momentum * static_cast<double>(a.m[i]) + 0.7 * g;
          want.push_back(p - 0.1 * (momentum == 0 ? g : nesterov ? g + momentum * b : b));
          want_buffer.push_back(momentum == 0 ? static_cast<double>(a.m[i]) : b);
        }
        kernels::sgd(n, a.p.data(), a.g.data(), a.m.data(), step);
        const auto d = test::largest_difference(a.p, want), e = test::largest_difference(a.m, want_buffer);
        const auto what = fmt::format("momentum {} nesterov {} first {}", momentum, nesterov, first);
        CHECK_MESSAGE(d.absolute < 1e-6, fmt::format("{}: {}", what, d.str()));
        CHECK_MESSAGE(e.absolute < 1e-6, fmt::format("{}: {}", what, e.str()));
      }
}

TEST_CASE("average kernel: every element against the formula") {
  Arrays a(n);
  std::vector<double> want;
  for (std::size_t i = 0; i < a.p.size(); ++i)
    want.push_back(0.75 * static_cast<double>(a.m[i]) + 0.25 * static_cast<double>(a.p[i]));
  kernels::average(n, a.m.data(), a.p.data(), 0.25);
  const auto d = test::largest_difference(a.m, want);
  CHECK_MESSAGE(d.absolute < 1e-6, d.str());
}
