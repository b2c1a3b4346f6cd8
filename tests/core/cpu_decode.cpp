#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include <doctest/doctest.h>
#include <hwy/targets.h>

#include "ff/core/cpu/decode.h"
#include "ff/core/parallel.h"
#include "ff/core/random.h"

#include "tests/support/compare.h"
#include "tests/support/fourier_attention_cases.h"
#include "tests/support/softmax_attention_reference.h"

using namespace ff;
using namespace ff::cpu;
using namespace ff::test;

namespace {

using Index = std::int64_t;

// A (B, H, rows, features) array as heads of a cache with room for more: neighbouring rows lie `gap` numbers apart,
// and heads `spare` rows; NaN wherever nothing may be read.
struct Memory {
  std::vector<float> data;
  Heads<const float> view;
  Memory(const std::vector<double>& x, Index heads, Index rows, Index features, Index gap, Index spare) {
    const Index row = features + gap, head = (rows + spare) * row, count = static_cast<Index>(x.size());
    const Index all = rows * features == 0 ? 0 : count / (rows * features);
    data.assign(static_cast<std::size_t>(all * head), std::numeric_limits<float>::quiet_NaN());
    for (Index i = 0; i < count; ++i)
      data[static_cast<std::size_t>(i / features / rows * head + i / features % rows * row + i % features)] =
          static_cast<float>(x[static_cast<std::size_t>(i)]);
    view = {data.data(), heads * head, head, row};
  }
};

enum class Kind { fourier, softmax };

double scale_of(const AttentionSizes& s) { return 1 / std::sqrt(static_cast<double>(s.dim)); }

std::vector<float> decode(Kind kind, const FourierInputs& in, Index gap = 0, Index spare = 0) {
  const auto [batch, heads, queries, keys, dim, values] = in.sizes;
  const Memory q(in.q, heads, queries, dim, gap, 0), k(in.k, heads, keys, dim, gap, spare);
  const Memory v(in.v, heads, keys, values, gap, spare);
  const std::vector<float> r(in.r.begin(), in.r.end());
  std::vector<float> out(static_cast<std::size_t>(batch * heads * queries * values), 77.0f);
  const Heads<float> to{out.data(), heads * queries * values, queries * values, values};
  if (kind == Kind::fourier)
    fourier_decode(in.sizes, in.mask, in.kernel, q.view, k.view, v.view, r.data(), to);
  else
    softmax_decode(in.sizes, in.mask, scale_of(in.sizes), q.view, k.view, v.view, to);
  return out;
}

std::vector<double> reference(Kind kind, const FourierInputs& in) {
  if (kind == Kind::fourier) return fourier_attention_reference(in).out;
  const auto [batch, heads, queries, keys, dim, values] = in.sizes;
  auto dense = [h = heads](const std::vector<double>& x, Index rows, Index features) {
    return Heads<const double>{x.data(), h * rows * features, rows * features, features};
  };
  return test::softmax_attention_reference(in.sizes, in.mask, scale_of(in.sizes), dense(in.q, queries, dim),
                                           dense(in.k, keys, dim), dense(in.v, keys, values),
                                           dense(in.dout, queries, values))
      .out;
}

void check_kind(Kind kind, const FourierInputs& in, double tolerance = 2e-6) {
  const auto [batch, heads, queries, keys, dim, values] = in.sizes;
  const auto d = largest_difference(decode(kind, in), reference(kind, in), Shape{batch, heads, queries, values});
  INFO((kind == Kind::fourier ? "fourier" : "softmax"));
  CHECK_MESSAGE(d.absolute <= tolerance * largest(in.v), d.str());
}

void check_both(const FourierInputs& in) {
  check_kind(Kind::fourier, in);
  check_kind(Kind::softmax, in);
}

constexpr auto kinds = {Kind::fourier, Kind::softmax};

}  // namespace

TEST_CASE("decode: any number of queries, keys and features") {
  for (const Index queries : {1, 3, 8}) {
    for (const Index keys : {1, 7, 16, 17, 300}) {
      for (const Index dim : {1, 5, 16, 64}) {
        const FourierSetting s{{1, 2, queries, keys, dim, dim + queries % 3}, 4, 2};
        CAPTURE(name(s));
        check_both(fourier_inputs(s));
      }
    }
  }
}

TEST_CASE("decode: a thousand keys") {
  for (const Index dim : {16, 17, 64}) {
    const FourierSetting s{{1, 1, 1, 1000, dim, dim}, 4, 1};
    CAPTURE(name(s));
    check_both(fourier_inputs(s));
  }
}

TEST_CASE("decode: more queries than it is made for") { check_both(fourier_inputs({{2, 1, 20, 30, 6, 3}, 4, 1})); }

TEST_CASE("fourier_decode: every power, keys near and far") {
  for (const double power : {1.0, 1.5, 2.0, 3.0, 4.0, 6.0}) {
    for (const Index dim : {1, 3, 16, 64}) {
      for (const FourierSetting& s :
           {FourierSetting{{1, 2, 2, 40, dim, 5}, power, 0.05}, FourierSetting{{1, 2, 2, 40, dim, 5}, power, 2},
            FourierSetting{{1, 2, 2, 40, dim, 5}, power, 1, 1, 41},  // |x| up to 100
            FourierSetting{{1, 2, 2, 40, dim, 5}, power, 1, 0.3, 0, 60},
            FourierSetting{{1, 2, 2, 40, dim, 5}, power, 1, 1e-5}}) {
        CAPTURE(name(s));
        check_kind(Kind::fourier, fourier_inputs(s));
      }
    }
  }
}

TEST_CASE("fourier_decode: |x| of thousands and more") {
  for (const double range : {1e3, 1e4, 2e4, 1e6}) {
    for (const Index dim : {2, 16}) {
      const FourierSetting s{{1, 1, 2, 40, dim, 5}, 4, 1, 1, range};
      CAPTURE(name(s));
      check_kind(Kind::fourier, fourier_inputs(s));
    }
  }
}

TEST_CASE("decode: equal queries and keys, and features with R = 0") {
  FourierInputs in = fourier_inputs({{1, 2, 4, 4, 16, 16}, 4, 2});
  SUBCASE("q = k") { in.k = in.q; }
  SUBCASE("all alike") { std::fill(in.k.begin(), in.k.end(), 0.5), std::fill(in.q.begin(), in.q.end(), 0.5); }
  SUBCASE("all zero") { std::fill(in.k.begin(), in.k.end(), 0.0), std::fill(in.q.begin(), in.q.end(), 0.0); }
  SUBCASE("R = 0 here and there") { in.r[3] = in.r[20] = 0; }
  SUBCASE("R = 0 everywhere") { std::fill(in.r.begin(), in.r.end(), 0.0); }
  SUBCASE("negative R") {
    for (double& r : in.r) r = -r;
  }
  check_both(in);
}

TEST_CASE("fourier_decode: keys on zeros of the kernel") {
  // R (q - k) is the float nearest to a multiple of pi: the kernel of such a pair is about 1e-8^power, not 0.
  for (const std::size_t on_zeros : {8U, 12U}) {
    FourierInputs in = fourier_inputs({{1, 1, 4, 6, 2, 3}, 4, 1});
    std::fill(in.q.begin(), in.q.end(), 0.0);
    std::fill(in.r.begin(), in.r.end(), 1.0);
    const double pi = std::numbers::pi_v<float>;
    for (std::size_t i = 0; i < in.k.size(); ++i)
      in.k[i] = static_cast<float>(i < on_zeros ? pi * static_cast<double>(1 + i % 4) : static_cast<double>(i) / 8);
    CAPTURE(on_zeros);
    check_kind(Kind::fourier, in);
  }
}

TEST_CASE("decode: causal across the cache, masks, and queries that see nothing") {
  for (const auto& [queries, keys] : {std::pair<Index, Index>{5, 300}, {8, 8}, {7, 3}, {1, 40}}) {
    FourierInputs in = fourier_inputs({{2, 2, queries, keys, 8, 8}, 4, 2});
    CAPTURE(name({in.sizes}));
    in.mask.causal = true;
    check_both(in);
    std::vector<std::uint8_t> mask(static_cast<std::size_t>(2 * queries * keys));
    fill_keep(mask.data(), static_cast<Index>(mask.size()), 0.5, {21, 0});
    std::fill_n(mask.begin(), keys, std::uint8_t{0});  // query 0 of batch 0
    in.mask = {true, mask.data(), queries * keys, 0, keys, 1, 0, {}};
    check_both(in);
    in.mask.causal = false;
    check_both(in);
    in.mask.query = 0;  // key padding
    check_both(in);
    std::fill(mask.begin(), mask.end(), std::uint8_t{0});
    for (const Kind kind : kinds) {
      const auto out = decode(kind, in);
      CHECK(std::all_of(out.begin(), out.end(), [](float v) { return v == 0; }));
    }
  }
}

TEST_CASE("fourier_decode: epsilon larger and smaller than the kernel") {
  for (const double epsilon : {1e-6, 1e-2, 3.0, 1e-30}) {
    for (const double power : {4.0, 1.5}) {
      for (const Index dim : {2, 16, 64}) {
        FourierInputs in = fourier_inputs({{1, 2, 2, 300, dim, 4}, power, 2, 0.5});
        in.kernel.epsilon = epsilon;
        INFO("epsilon ", epsilon, " power ", power, " dim ", dim);
        check_kind(Kind::fourier, in);
      }
    }
  }
}

TEST_CASE("decode: reads nothing but its keys and values, whatever lies between them") {
  for (const Index keys : {1, 15, 16, 270}) {
    for (const Index dim : {3, 16, 21}) {
      const FourierInputs in = fourier_inputs({{2, 2, 3, keys, dim, dim}, 4, 2});
      CAPTURE(name({in.sizes}));
      for (const Kind kind : kinds) CHECK(test::same_bits(decode(kind, in), decode(kind, in, 5, 9)));
    }
  }
}

TEST_CASE("decode: heads of keys that several heads of queries share") {
  FourierInputs in = fourier_inputs({{1, 4, 2, 20, 8, 4}, 4, 1});
  const AttentionSizes& s = in.sizes;
  std::fill(in.r.begin(), in.r.end(), 1.5);
  auto repeat = [](std::vector<double>& x) {  // heads 1 and 3 become copies of 0 and 2
    const auto head = static_cast<std::ptrdiff_t>(x.size() / 4);
    std::copy_n(x.begin(), head, x.begin() + head);
    std::copy_n(x.begin() + 2 * head, head, x.begin() + 3 * head);
  };
  repeat(in.k), repeat(in.v);
  const Memory q(in.q, 4, s.queries, s.dim, 0, 0), k(in.k, 4, s.keys, s.dim, 0, 0),
      v(in.v, 4, s.keys, s.value_dim, 0, 0);
  auto shared = [](Heads<const float> x) { return Heads<const float>{x.data, x.batch, 2 * x.head, x.row, 2}; };
  const std::vector<float> r(in.r.begin(), in.r.end());
  std::vector<float> out(4 * 2 * 4);
  const Heads<float> to{out.data(), 32, 8, 4};
  fourier_decode(s, {}, in.kernel, q.view, shared(k.view), shared(v.view), r.data(), to);
  CHECK(test::same_bits(out, decode(Kind::fourier, in)));
  softmax_decode(s, {}, scale_of(s), q.view, shared(k.view), shared(v.view), to);
  CHECK(test::same_bits(out, decode(Kind::softmax, in)));
}

TEST_CASE("decode: scores and distances of any size give finite results") {
  for (const double size : {1e3, 1e6, 1e12, 1e15}) {
    const auto out = decode(Kind::softmax, fourier_inputs({{1, 2, 2, 90, 4, 4}, 4, 1, size}));
    CHECK(std::all_of(out.begin(), out.end(), [](float v) { return std::isfinite(v); }));
  }
  for (const double size : {1e3, 1e6, 1e12, 1e30, 3e38}) {
    for (const double r : {1e-38, 1e-3, 1.0, 1e10, 3e38}) {
      for (const double power : {1.0, 4.0, 7.5, 100.0, 3000.0}) {
        FourierInputs in = fourier_inputs({{1, 1, 3, 20, 9, 3}, power, 1, 1, 1});
        for (auto* x : {&in.q, &in.k})
          for (double& v : *x) v = static_cast<float>(v * size);
        std::fill(in.r.begin(), in.r.end(), static_cast<float>(r));
        const auto out = decode(Kind::fourier, in);
        INFO("size ", size, " r ", r, " power ", power);
        CHECK(std::all_of(out.begin(), out.end(), [](float v) { return std::isfinite(v); }));
      }
    }
  }
}

TEST_CASE("decode: NaN and infinity reach the queries that see them, and no others") {
  for (const double bad : {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity()}) {
    for (const Kind kind : kinds) {
      FourierInputs in = fourier_inputs({{1, 1, 4, 300, 5, 3}, 4, 1});
      auto nan_rows = [&] {
        const auto out = decode(kind, in);
        std::string rows;
        for (auto row = out.begin(); row != out.end(); row += 3)
          rows += std::all_of(row, row + 3, [](float v) { return std::isnan(v); })      ? 'x'
                  : std::all_of(row, row + 3, [](float v) { return std::isfinite(v); }) ? '.'
                                                                                        : '?';
        return rows;
      };
      CHECK(nan_rows() == "....");
      in.q[5 * 2 + 1] = bad;
      CHECK(nan_rows() == "..x.");
      in = fourier_inputs({{1, 1, 4, 300, 5, 3}, 4, 1});
      in.mask.causal = true;
      in.k[5 * 298 + 2] = std::numeric_limits<double>::quiet_NaN();
      CHECK(nan_rows() == "..xx");
    }
  }
  FourierInputs in = fourier_inputs({{1, 1, 4, 300, 5, 3}, 4, 1});
  in.r[2] = std::numeric_limits<double>::infinity();
  const auto out = decode(Kind::fourier, in);
  CHECK(std::all_of(out.begin(), out.end(), [](float v) { return std::isnan(v); }));
}

TEST_CASE("decode: empty arrays") {
  for (const AttentionSizes& sizes : {AttentionSizes{0, 2, 3, 3, 4, 4}, AttentionSizes{1, 2, 0, 3, 4, 4},
                                      AttentionSizes{1, 2, 3, 0, 4, 4}, AttentionSizes{1, 2, 3, 5, 4, 0}}) {
    for (const Kind kind : kinds) {
      const auto out = decode(kind, fourier_inputs({sizes}));
      CHECK(std::all_of(out.begin(), out.end(), [](float v) { return v == 0; }));
    }
  }
}

TEST_CASE("decode: the same bits at any number of threads") {
  const int before = num_threads();
  for (const FourierSetting& s :
       {FourierSetting{{1, 3, 1, 1000, 16, 16}, 4, 2}, FourierSetting{{2, 1, 8, 3000, 8, 5}, 2.5, 1}}) {
    for (const Kind kind : kinds) {
      const FourierInputs in = fourier_inputs(s);
      set_num_threads(1);
      const auto one = decode(kind, in);
      for (const int threads : {2, 4}) {
        set_num_threads(threads);
        INFO(name(s), " threads ", threads);
        CHECK(test::same_bits(one, decode(kind, in)));
      }
    }
  }
  set_num_threads(before);
}

TEST_CASE("decode: every instruction set") {
  const FourierSetting settings[] = {{{1, 2, 2, 50, 17, 21}, 4, 2},
                                     {{1, 1, 3, 300, 8, 64}, 2.5, 1, 1, 41},
                                     {{1, 2, 2, 40, 64, 5}, 6, 1, 1, 41},
                                     {{1, 2, 2, 40, 16, 5}, 6, 1, 1, 2e4},
                                     {{1, 1, 1, 300, 64, 16}, 4, 1}};
  for (const std::int64_t target : {HWY_EMU128, HWY_SSE4, HWY_AVX2, HWY_AVX3}) {
    if ((hwy::SupportedTargets() & target) == 0) continue;
    INFO("target ", hwy::TargetName(target));
    hwy::SetSupportedTargetsForTest(target);
    // Without a fused multiply-add the error of a product of many features cannot be had.
    const double tolerance = (target & (HWY_AVX2 | HWY_AVX3)) != 0 ? 2e-6 : 3e-6;
    for (const FourierSetting& s : settings) {
      CAPTURE(name(s));
      check_kind(Kind::fourier, fourier_inputs(s), tolerance);
      check_kind(Kind::softmax, fourier_inputs(s));
    }
    hwy::SetSupportedTargetsForTest(0);
  }
}
