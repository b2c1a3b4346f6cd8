// The ranges of |x| that the float kernel tells apart (core/cpu/fourier_tiles.h), and the weights that it keeps.

#include <algorithm>
#include <cmath>

#include <doctest/doctest.h>

#include "ff/core/cpu/fourier_attention.h"
#include "ff/core/cpu/fourier_tiles.h"

#include "tests/support/compare.h"
#include "tests/support/fourier_attention_cases.h"

using namespace ff;
using namespace ff::cpu;
using namespace ff::test;

namespace {

using Index = std::int64_t;

std::size_t at(Index i) { return static_cast<std::size_t>(i); }

// Whatever else can be asked of a call, one after the other.
const struct Extra {
  const char* name;
  bool causal;
  double dropout, epsilon;
} extras[] = {{"none", false, 0, 0}, {"causal", true, 0, 0}, {"dropout", false, 0.3, 0}, {"epsilon", false, 0, 1e-3}};

void add(const Extra& extra, FourierInputs& in) {
  in.mask.causal = extra.causal;
  in.mask.dropout = extra.dropout;
  in.mask.random = {7, 100};
  in.kernel.epsilon = extra.epsilon;
}

}  // namespace

TEST_CASE("fourier_attention: every range of |x|, up to its limit and just beyond") {
  for (float limit : fourier::range_limit) {
    for (float edge : {limit, std::nextafter(limit, 4.0f)}) {
      for (double power : {2.0, 2.5, 4.0, 6.0}) {
        for (Index dim : {1, 16, 64}) {
          FourierInputs in = fourier_inputs({{1, 1, 6, 40, dim, 4}, power, 1, 1, edge / 2.0});
          std::fill(in.r.begin(), in.r.end(), 1.0);
          for (std::size_t d = 0; d < at(dim); ++d) {
            in.q[at(dim) + d] = -edge / 2.0;
            for (std::size_t j : {3, 20, 39}) in.k[j * at(dim) + d] = edge / 2.0;
          }
          INFO("|x| up to ", edge, " power ", power, " dim ", dim);
          check_fourier(in);
        }
      }
    }
  }
}

TEST_CASE("fourier_attention: all |x| close to the limit of a range") {
  for (float limit : fourier::range_limit) {
    for (double power : {2.5, 4.0}) {
      for (Index dim : {16, 64}) {
        FourierInputs in = fourier_inputs({{1, 1, 30, 40, dim, 4}, power, 1, 1, 1});
        std::fill(in.r.begin(), in.r.end(), 1.0);
        for (double& q : in.q) q = static_cast<float>(-limit * (0.475 + 0.025 * q));
        for (double& k : in.k) k = static_cast<float>(limit * (0.475 + 0.025 * k));
        INFO("|x| about ", limit, " power ", power, " dim ", dim);
        check_fourier(in);
      }
    }
  }
}

TEST_CASE("fourier_attention: features of different ranges in one call") {
  // Feature d of a deviation of 0.05 to 5, so that each block of queries sorts them in its own way.
  for (const FourierSetting& s :
       {FourierSetting{{1, 2, 45, 70, 16, 5}, 4, 1}, FourierSetting{{1, 1, 37, 290, 10, 3}, 2.5, -1.5},
        FourierSetting{{2, 1, 20, 33, 64, 8}, 6, 0.7}}) {
    for (const Extra& extra : extras) {
      INFO(name(s), " ", extra.name);
      FourierInputs in = fourier_inputs(s);
      for (auto* x : {&in.q, &in.k})
        for (std::size_t i = 0; i < x->size(); ++i) {
          const double share = static_cast<double>(i % at(s.sizes.dim)) / static_cast<double>(s.sizes.dim);
          (*x)[i] = static_cast<float>((*x)[i] * 0.05 * std::pow(100, share));
        }
      add(extra, in);
      check_fourier(in);
    }
  }
}

TEST_CASE("fourier_attention: one row far from the others of its tile") {
  for (double far : {1.5, 2.5, 40.0}) {
    CAPTURE(far);
    const FourierInputs near = fourier_inputs({{1, 1, 40, 60, 16, 4}, 4, 1, 0.1});
    FourierInputs query = near, key = near, zero = near;
    query.q[16 * 21 + 5] = far;
    check_fourier(query);
    key.k[16 * 50 + 15] = -far;
    check_fourier(key);
    zero.r[5] = 1;  // a multiple of pi from a key
    zero.q[16 * 21 + 5] = static_cast<float>(zero.k[5] + 3.141592653589793 * std::round(far));
    check_fourier(zero);
  }
}

TEST_CASE("fourier_attention: weights kept from the forward pass give the same bits as weights computed again") {
  for (double spread : {0.2, 0.5, 3.0}) {
    for (double power : {4.0, 2.5}) {
      for (const Extra& extra : extras) {
        INFO("spread ", spread, " power ", power, " ", extra.name);
        FourierInputs in = fourier_inputs({{2, 2, 37, 70, 16, 5}, power, 1, spread});
        add(extra, in);
        REQUIRE(kept_weights(in.sizes) > 0);
        const FourierRun<float> kept = run_fourier<float>(in), again = run_fourier<float>(in, false);
        CHECK(same_bits(kept.out, again.out));
        CHECK(same_bits(kept.dq, again.dq));
        CHECK(same_bits(kept.dk, again.dk));
        CHECK(same_bits(kept.dv, again.dv));
        CHECK(same_bits(kept.dr, again.dr));
      }
    }
  }
}

TEST_CASE("fourier_attention: weights are kept where they are few") {
  CHECK(kept_weights({8, 3, 197, 197, 64, 64}) > 8 * 3 * 197 * 197);
  CHECK(kept_weights({8, 8, 256, 256, 16, 16}) > 0);
  CHECK(kept_weights({96, 8, 256, 256, 16, 16}) == 0);   // 208 MiB, four times what q, k, v and out take
  CHECK(kept_weights({1000, 3, 197, 197, 64, 64}) > 0);  // less than those
  CHECK(kept_weights({1, 1, 257, 257, 64, 64}) == 0);    // two tiles of keys
  CHECK(kept_weights({1, 8, 16384, 16384, 64, 64}) == 0);
}
