#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include <doctest/doctest.h>
#include <hwy/targets.h>

#include "ff/core/cpu/fourier_attention.h"
#include "ff/core/parallel.h"
#include "ff/core/random.h"

#include "tests/support/compare.h"
#include "tests/support/fourier_attention_cases.h"

using namespace ff;
using namespace ff::cpu;
using namespace ff::test;

namespace {

using Index = std::int64_t;

const double powers[] = {1, 1.5, 2, 3, 4, 6};

}  // namespace

TEST_CASE("fourier_attention: every power and dimension, keys near and far") {
  for (double power : powers) {
    for (Index dim : {1, 3, 4, 8, 16, 64}) {
      for (double r : {0.05, 1.0, 2.0}) {
        const FourierSetting s{{1, 2, 9, 21, dim, 5}, power, r};
        CAPTURE(name(s));
        check_fourier(fourier_inputs(s));
      }
    }
  }
}

TEST_CASE("fourier_attention: |x| up to 100") {
  for (double power : powers) {
    for (Index dim : {1, 2, 5, 16, 64}) {
      const FourierSetting s{{2, 1, 40, 40, dim, 8}, power, 1, 1, 41};
      CAPTURE(name(s));
      check_fourier(fourier_inputs(s));
    }
  }
}

TEST_CASE("fourier_attention: the roundings of many features do not add up") {
  // Without a fused multiply-add the error of a product cannot be had, and 2e-6 is all there is.
  const bool fused = (hwy::SupportedTargets() & (HWY_AVX2 | HWY_AVX3)) != 0;
  for (double power : {4.0, 6.0}) {
    for (const FourierSetting& s :
         {FourierSetting{{1, 2, 150, 150, 64, 64}, power, 1, 1, 41}, FourierSetting{{1, 2, 150, 150, 64, 64}, power, 2},
          FourierSetting{{1, 2, 150, 150, 64, 64}, power, 1, 0.2},
          FourierSetting{{1, 2, 150, 150, 64, 64}, power, 1, 1, 0.45},
          FourierSetting{{1, 2, 150, 150, 64, 64}, power, 1, 1, 0.6},
          FourierSetting{{1, 2, 150, 150, 64, 64}, power, 1, 1, 0.9}}) {
      CAPTURE(name(s));
      const FourierInputs in = fourier_inputs(s);
      const auto d = largest_difference(run_fourier<float>(in).out, run_fourier<double>(in).out, Shape{1, 2, 150, 64});
      CHECK_MESSAGE(d.absolute <= (fused ? 1e-6 : 2.5e-6) * largest(in.v), d.str());
    }
  }
}

TEST_CASE("fourier_attention: queries and keys far from 0 but near each other") {
  for (double power : {1.5, 4.0}) {
    for (Index dim : {1, 8, 64}) {
      const FourierSetting s{{1, 2, 20, 33, dim, 8}, power, 1, 0.3, 0, 60};
      CAPTURE(name(s));
      check_fourier(fourier_inputs(s));
    }
  }
}

TEST_CASE("fourier_attention: tiny distances keep their gradients") {
  const FourierSetting s{{1, 1, 20, 33, 8, 8}, 4, 1, 1e-5};
  check_fourier(fourier_inputs(s));
}

TEST_CASE("fourier_attention: several tiles, cross attention") {
  for (const FourierSetting& s :
       {FourierSetting{{1, 1, 70, 530, 16, 16}, 4, 2}, FourierSetting{{1, 2, 101, 33, 7, 3}, 2.5, 2},
        FourierSetting{{2, 1, 1, 300, 16, 64}, 4, 1}, FourierSetting{{1, 1, 300, 2, 16, 4}, 4, 1}}) {
    CAPTURE(name(s));
    check_fourier(fourier_inputs(s));
  }
}

TEST_CASE("fourier_attention: causal, also with more or fewer queries than keys") {
  for (const FourierSetting& s :
       {FourierSetting{{1, 2, 70, 70, 8, 8}, 4, 2}, FourierSetting{{1, 1, 5, 290, 8, 8}, 4, 2},
        FourierSetting{{1, 1, 290, 270, 4, 8}, 3, 2}, FourierSetting{{1, 1, 40, 3, 8, 8}, 1.5, 2}}) {
    CAPTURE(name(s));
    FourierInputs in = fourier_inputs(s);
    in.mask.causal = true;
    check_fourier(in);
  }
}

TEST_CASE("fourier_attention: masks, strided as they come, and rows that see nothing") {
  const FourierSetting s{{2, 2, 37, 50, 8, 8}, 4, 2};
  FourierInputs in = fourier_inputs(s);
  std::vector<std::uint8_t> mask(2 * 37 * 50);
  fill_keep(mask.data(), static_cast<Index>(mask.size()), 0.5, {21, 0});
  std::fill_n(mask.begin() + 3 * 50, 50, std::uint8_t{0});  // query 3 of batch 0 sees nothing
  in.mask = {false, mask.data(), 37 * 50, 0, 50, 1, 0, {}};
  SUBCASE("per batch") {}
  SUBCASE("with causal") { in.mask.causal = true; }
  SUBCASE("key padding") { in.mask.query = 0; }
  SUBCASE("transposed") { in.mask.query = 1, in.mask.key = 37; }
  SUBCASE("nothing seen at all") { std::fill(mask.begin(), mask.end(), std::uint8_t{0}); }
  check_fourier(in);
}

TEST_CASE("fourier_attention: rows that see nothing give 0 everywhere") {
  FourierInputs in = fourier_inputs({{1, 1, 6, 5, 4, 3}, 4, 2});
  const std::vector<std::uint8_t> mask(30, 0);
  in.mask.mask = mask.data();
  for (double epsilon : {0.0, 1e-6}) {
    in.kernel.epsilon = epsilon;
    const FourierRun<float> y = run_fourier<float>(in);
    for (const auto* x : {&y.out, &y.dq, &y.dk, &y.dv, &y.dr})
      CHECK(std::all_of(x->begin(), x->end(), [](float v) { return v == 0; }));
  }
}

TEST_CASE("fourier_attention: epsilon larger and smaller than the kernel") {
  for (double epsilon : {1e-6, 1e-2, 3.0, 1e-30}) {
    for (double power : {4.0, 1.5}) {
      for (Index dim : {2, 16, 64}) {
        FourierInputs in = fourier_inputs({{1, 2, 20, 30, dim, 4}, power, 2, 0.5});
        in.kernel.epsilon = epsilon;
        INFO("epsilon ", epsilon, " power ", power, " dim ", dim);
        check_fourier(in);
      }
    }
  }
}

TEST_CASE("fourier_attention: dropout") {
  for (double p : {0.1, 0.9}) {
    FourierInputs in = fourier_inputs({{2, 2, 37, 270, 6, 5}, 4, 2});
    in.mask.dropout = p;
    in.mask.random = {5, 1000};
    CAPTURE(p);
    check_fourier(in);
  }
}

TEST_CASE("fourier_attention: weights of well separated queries and keys sum to 1") {
  FourierInputs in = fourier_inputs({{1, 2, 64, 300, 64, 2}, 4, 2, 3});
  std::fill(in.v.begin(), in.v.end(), 1.0);
  const FourierRun<float> y = run_fourier<float>(in);
  const auto d = largest_difference(y.out, std::vector<double>(y.out.size(), 1.0));
  CHECK_MESSAGE(d.absolute <= 2e-6, d.str());
}

TEST_CASE("fourier_attention: equal queries and keys, and features with R = 0") {
  FourierInputs in = fourier_inputs({{1, 2, 30, 30, 16, 16}, 4, 2});
  SUBCASE("q = k") { in.k = in.q; }
  SUBCASE("q = k, near") {
    for (double& q : in.q) q = static_cast<float>(0.1 * q);
    in.k = in.q;
  }
  SUBCASE("all alike") { std::fill(in.k.begin(), in.k.end(), 0.5), std::fill(in.q.begin(), in.q.end(), 0.5); }
  SUBCASE("all zero") { std::fill(in.k.begin(), in.k.end(), 0.0), std::fill(in.q.begin(), in.q.end(), 0.0); }
  SUBCASE("R = 0 here and there") { in.r[3] = in.r[20] = 0; }
  SUBCASE("R = 0 everywhere") { std::fill(in.r.begin(), in.r.end(), 0.0); }
  SUBCASE("negative R") {
    for (double& r : in.r) r = -r;
  }
  check_fourier(in);
}

TEST_CASE("fourier_attention: keys on zeros of the kernel") {
  // R (q - k) is the float nearest to a multiple of pi: the kernel of such a pair is about 1e-8^power, not 0.
  FourierInputs in = fourier_inputs({{1, 1, 4, 6, 2, 3}, 4, 1});
  const double pi = static_cast<float>(3.141592653589793);
  std::fill(in.q.begin(), in.q.end(), 0.0);
  std::fill(in.r.begin(), in.r.end(), 1.0);
  for (std::size_t i = 0; i < in.k.size(); ++i)
    in.k[i] = i < 8 ? pi * static_cast<double>(1 + i % 4) : static_cast<double>(i) / 8;
  check_fourier(in);
}

TEST_CASE("fourier_attention: no NaN from finite input, however large") {
  for (double size : {1e3, 1e6, 1e12, 1e30, 3e38}) {
    for (double r : {1e-38, 1e-3, 1.0, 1e10, 3e38}) {
      for (double power : {1.0, 4.0, 7.5, 100.0, 3000.0}) {
        FourierInputs in = fourier_inputs({{1, 1, 9, 20, 9, 3}, power, 1, 1, 1});
        for (auto* x : {&in.q, &in.k})
          for (double& v : *x) v = static_cast<float>(v * size);
        std::fill(in.r.begin(), in.r.end(), static_cast<float>(r));
        const FourierRun<float> y = run_fourier<float>(in);
        INFO("size ", size, " r ", r, " power ", power);
        CHECK(std::all_of(y.out.begin(), y.out.end(), [](float v) { return std::isfinite(v); }));
        for (const auto* x : {&y.dq, &y.dk, &y.dv, &y.dr})
          CHECK(std::none_of(x->begin(), x->end(), [](float v) { return std::isnan(v); }));
      }
    }
  }
}

TEST_CASE_TEMPLATE("fourier_attention: NaN reaches the rows that see it, and no others", T, float, double) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  FourierInputs in = fourier_inputs({{1, 1, 10, 20, 5, 3}, 4, 1});
  auto nan_rows = [&] {
    const FourierRun<T> y = run_fourier<T>(in);
    std::string rows;
    for (std::size_t i = 0; i < 10; ++i) {
      const auto row = y.out.begin() + static_cast<std::ptrdiff_t>(3 * i);
      rows += std::all_of(row, row + 3, [](T v) { return std::isnan(v); }) ? 'x' : '.';
    }
    return rows;
  };
  CHECK(nan_rows() == "..........");
  SUBCASE("in a query") {
    in.q[5 * 4 + 2] = nan;
    CHECK(nan_rows() == "....x.....");
  }
  SUBCASE("infinity in a query") {
    in.q[5 * 4 + 2] = std::numeric_limits<double>::infinity();
    CHECK(nan_rows() == "....x.....");
  }
  SUBCASE("in the last key, causal") {
    in.mask.causal = true;
    in.k[5 * 19 + 2] = nan;
    CHECK(nan_rows() == ".........x");
  }
  SUBCASE("in R") {
    in.r[2] = nan;
    CHECK(nan_rows() == "xxxxxxxxxx");
  }
}

TEST_CASE("fourier_attention: a NaN in a padded key stays out of every other gradient") {
  FourierInputs in = fourier_inputs({{1, 1, 10, 20, 5, 3}, 4, 1});
  std::vector<std::uint8_t> mask(20, 1);
  mask[19] = 0;
  in.mask = {false, mask.data(), 0, 0, 0, 1, 0, {}};
  in.k[5 * 19 + 1] = std::numeric_limits<double>::quiet_NaN();
  const FourierRun<float> y = run_fourier<float>(in);
  for (const auto* x : {&y.out, &y.dq, &y.dv, &y.dr, &y.dk})
    CHECK(std::none_of(x->begin(), x->end(), [](float v) { return std::isnan(v); }));
}

TEST_CASE("fourier_attention: empty arrays") {
  for (const AttentionSizes& sizes : {AttentionSizes{0, 2, 3, 3, 4, 4}, AttentionSizes{1, 2, 0, 3, 4, 4},
                                      AttentionSizes{1, 2, 3, 0, 4, 4}, AttentionSizes{1, 2, 3, 5, 4, 0}}) {
    const FourierInputs in = fourier_inputs({sizes, 4, 1});
    const FourierRun<float> y = run_fourier<float>(in);
    const FourierRun<double> z = run_fourier<double>(in);
    for (const auto* x : {&y.out, &y.dq, &y.dk, &y.dv, &y.dr})
      CHECK(std::all_of(x->begin(), x->end(), [](float v) { return v == 0; }));
    for (const auto* x : {&z.out, &z.dq, &z.dk, &z.dv, &z.dr})
      CHECK(std::all_of(x->begin(), x->end(), [](double v) { return v == 0; }));
  }
}

TEST_CASE("fourier_attention: views of a packed qkv, and a gradient expanded from one row") {
  // (N, 3, H, D), as a linear layer leaves it; memory begins at an odd float.
  const Index n = 45, heads = 2, dim = 6;
  const FourierSetting s{{1, heads, n, n, dim, dim}, 4, 1.5};
  FourierInputs in = fourier_inputs(s);
  std::vector<float> packed(static_cast<std::size_t>(1 + n * 3 * heads * dim)), grad(packed.size(), 77.0f);
  auto view = [&](auto* data, Index which) {
    return Heads<std::remove_pointer_t<decltype(data)>>{data + 1 + which * heads * dim, 0, dim, 3 * heads * dim};
  };
  const std::vector<double>* parts[] = {&in.q, &in.k, &in.v};
  for (Index which = 0; which < 3; ++which)
    for (Index h = 0; h < heads; ++h)
      for (Index i = 0; i < n; ++i)
        for (Index d = 0; d < dim; ++d)
          view(packed.data(), which).at(0, h, i)[d] =
              static_cast<float>((*parts[which])[static_cast<std::size_t>((h * n + i) * dim + d)]);
  std::vector<float> dout(static_cast<std::size_t>(dim));
  for (std::size_t i = 0; i < in.dout.size(); ++i) in.dout[i] = in.dout[i % dout.size()];
  std::copy_n(in.dout.begin(), dim, dout.begin());

  const std::vector<float> r = as<float>(in.r);
  std::vector<float> out(static_cast<std::size_t>(n * heads * dim)), row_max(static_cast<std::size_t>(heads * n)),
      row_sum(row_max), dr(r.size());
  const Heads<float> out_view{out.data(), 0, dim, heads * dim};  // (N, H, D)
  const Heads<const float> out_read{out.data(), 0, dim, heads * dim}, expanded{dout.data(), 0, 0, 0};
  const float* from = packed.data();
  fourier_attention(in.sizes, in.mask, in.kernel, view(from, 0), view(from, 1), view(from, 2), r.data(), out_view,
                    {row_max.data(), row_sum.data()});
  fourier_attention_backward(in.sizes, in.mask, in.kernel, view(from, 0), view(from, 1), view(from, 2), r.data(),
                             out_read, {row_max.data(), row_sum.data()}, expanded, view(grad.data(), 0),
                             view(grad.data(), 1), view(grad.data(), 2), dr.data());
  CHECK(grad[0] == 77.0f);
  const FourierResults want = fourier_attention_reference(in);
  auto compare = [&](const char* what, auto at, const std::vector<double>& expected, double tolerance) {
    std::vector<double> got;
    for (Index h = 0; h < heads; ++h)
      for (Index i = 0; i < n; ++i)
        for (Index d = 0; d < dim; ++d) got.push_back(double{at.at(0, h, i)[d]});
    const auto difference = largest_difference(got, expected, Shape{heads, n, dim});
    CHECK_MESSAGE(difference.relative <= tolerance, what, ": ", difference.str());
  };
  compare("out", out_read, want.out, 4e-6);
  compare("dq", view(grad.data(), 0), want.dq, 2e-5);
  compare("dk", view(grad.data(), 1), want.dk, 2e-5);
  compare("dv", view(grad.data(), 2), want.dv, 2e-5);
  const auto d = largest_difference(dr, want.dr);
  CHECK_MESSAGE(d.relative <= 2e-5, "dr: ", d.str());
}

TEST_CASE_TEMPLATE("fourier_attention: the same bits at any number of threads", T, float, double) {
  const int before = num_threads();
  for (const FourierSetting& s :
       {FourierSetting{{1, 1, 150, 300, 16, 16}, 4, 2}, FourierSetting{{2, 3, 65, 40, 8, 5}, 2.5, 1},
        FourierSetting{{2, 1, 150, 197, 64, 16}, 4, 1, 0.3}}) {
    FourierInputs in = fourier_inputs(s);
    in.mask.causal = true;
    in.mask.dropout = 0.2;
    set_num_threads(1);
    const FourierRun<T> one = run_fourier<T>(in);
    for (int threads : {2, 4}) {
      set_num_threads(threads);
      const FourierRun<T> many = run_fourier<T>(in);
      INFO(name(s), " threads ", threads);
      CHECK(test::same_bits(one.out, many.out));
      CHECK(test::same_bits(one.dq, many.dq));
      CHECK(test::same_bits(one.dk, many.dk));
      CHECK(test::same_bits(one.dv, many.dv));
      CHECK(test::same_bits(one.dr, many.dr));
    }
  }
  set_num_threads(before);
}

TEST_CASE("fourier_attention: every instruction set") {
  const FourierSetting settings[] = {{{1, 2, 13, 50, 17, 5}, 4, 2},         {{1, 1, 13, 50, 3, 5}, 2.5, 1, 1, 41},
                                     {{1, 2, 13, 50, 17, 5}, 4, 1, 1, 0.4}, {{1, 2, 13, 50, 17, 5}, 4, 1, 1, 0.55},
                                     {{1, 2, 13, 50, 17, 5}, 4, 1, 1, 0.7}, {{1, 2, 13, 50, 17, 5}, 4, 1, 1, 1.1}};
  for (std::int64_t target : {HWY_EMU128, HWY_SSE4, HWY_AVX2, HWY_AVX3}) {
    if ((hwy::SupportedTargets() & target) == 0) continue;
    INFO("target ", hwy::TargetName(target));
    hwy::SetSupportedTargetsForTest(target);
    for (const FourierSetting& s : settings) {
      CAPTURE(name(s));
      check_fourier(fourier_inputs(s));
    }
    hwy::SetSupportedTargetsForTest(0);
  }
}
