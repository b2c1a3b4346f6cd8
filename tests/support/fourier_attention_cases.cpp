#include "tests/support/fourier_attention_cases.h"

#include <algorithm>
#include <cmath>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "ff/core/random.h"

#include "tests/support/compare.h"

namespace ff::test {

using namespace cpu;
using Index = std::int64_t;

namespace {

std::vector<double> random(Index n, std::uint64_t seed, double range) {
  std::vector<float> x(static_cast<std::size_t>(n));
  if (range > 0) {
    fill_uniform(x.data(), n, {seed, 0});
    for (float& v : x) v = static_cast<float>(range * (2 * double{v} - 1));
  } else {
    fill_normal(x.data(), n, {seed, 0});
  }
  return {x.begin(), x.end()};
}

template <class T>
Heads<T> heads_of(T* data, Index heads, Index rows, Index features) {
  return {data, heads * rows * features, rows * features, features};
}

// Outputs relative to the largest |v|, gradients relative to their own largest entry.
template <class T>
void check_against(const FourierInputs& in, const FourierResults& want, double out_tolerance,
                   double gradient_tolerance) {
  const FourierRun<T> got = run_fourier<T>(in);
  const auto [batch, heads, queries, keys, dim, values] = in.sizes;
  const auto out = largest_difference(got.out, want.out, Shape{batch, heads, queries, values});
  CHECK_MESSAGE(out.absolute <= out_tolerance * largest(in.v), "out: ", out.str());
  const auto dq = largest_difference(got.dq, want.dq, Shape{batch, heads, queries, dim});
  CHECK_MESSAGE(dq.relative <= gradient_tolerance, "dq: ", dq.str());
  const auto dk = largest_difference(got.dk, want.dk, Shape{batch, heads, keys, dim});
  CHECK_MESSAGE(dk.relative <= gradient_tolerance, "dk: ", dk.str());
  const auto dv = largest_difference(got.dv, want.dv, Shape{batch, heads, keys, values});
  CHECK_MESSAGE(dv.relative <= gradient_tolerance, "dv: ", dv.str());
  const auto dr = largest_difference(got.dr, want.dr, Shape{heads, dim});
  // A single number may be next to nothing against the terms that cancel in it.
  const double scale = want.dr.size() > 1
                           ? largest(want.dr)
                           : std::max({largest(want.dq), largest(want.dk), largest(want.dv), largest(want.dr)});
  CHECK_MESSAGE(dr.absolute <= gradient_tolerance * scale, "dr: ", dr.str());
}

}  // namespace

std::string name(const FourierSetting& s) {
  return fmt::format("sizes ({}, {}, {}, {}, {}, {}) power {} r {} spread {} range {} offset {}", s.sizes.batch,
                     s.sizes.heads, s.sizes.queries, s.sizes.keys, s.sizes.dim, s.sizes.value_dim, s.power, s.r,
                     s.spread, s.range, s.offset);
}

FourierInputs fourier_inputs(const FourierSetting& s) {
  const auto [batch, heads, queries, keys, dim, values] = s.sizes;
  FourierInputs in{s.sizes, {}, {s.power, 0}, {}, {}, {}, {}, {}};
  in.q = random(batch * heads * queries * dim, 11, s.range);
  in.k = random(batch * heads * keys * dim, 12, s.range);
  in.v = random(batch * heads * keys * values, 13, 0);
  in.dout = random(batch * heads * queries * values, 14, 0);
  in.r = random(heads * dim, 15, 1);
  for (double& r : in.r) r = static_cast<float>(s.r * (1 + 0.2 * r));
  for (auto* x : {&in.q, &in.k})
    for (double& v : *x) v = static_cast<float>(s.offset + (s.range > 0 ? v : s.spread * v));
  return in;
}

template <class T>
FourierRun<T> run_fourier(const FourierInputs& in, bool kept) {
  const auto [batch, heads, queries, keys, dim, values] = in.sizes;
  const std::vector<T> q = as<T>(in.q), k = as<T>(in.k), v = as<T>(in.v), r = as<T>(in.r), dout = as<T>(in.dout);
  const auto rows = static_cast<std::size_t>(batch * heads * queries);
  std::vector<T> weights(static_cast<std::size_t>(kept ? kept_weights(in.sizes) : 0), T{77});
  T* const keep = weights.empty() ? nullptr : weights.data();
  auto blank = [](std::size_t n) { return std::vector<T>(n, T{77}); };
  FourierRun<T> y{blank(dout.size()), blank(rows),     blank(rows),    blank(q.size()),
                  blank(k.size()),    blank(v.size()), blank(r.size())};
  const auto hq = heads_of(q.data(), heads, queries, dim), hk = heads_of(k.data(), heads, keys, dim);
  const auto hv = heads_of(v.data(), heads, keys, values), hdout = heads_of(dout.data(), heads, queries, values);
  fourier_attention(in.sizes, in.mask, in.kernel, hq, hk, hv, r.data(), heads_of(y.out.data(), heads, queries, values),
                    {y.row_max.data(), y.row_sum.data(), keep});
  fourier_attention_backward(
      in.sizes, in.mask, in.kernel, hq, hk, hv, r.data(), heads_of<const T>(y.out.data(), heads, queries, values),
      {y.row_max.data(), y.row_sum.data(), keep}, hdout, heads_of(y.dq.data(), heads, queries, dim),
      heads_of(y.dk.data(), heads, keys, dim), heads_of(y.dv.data(), heads, keys, values), y.dr.data());
  return y;
}

double largest(const std::vector<double>& x) {
  double m = 0;
  for (double v : x) m = std::max(m, std::abs(v));
  return m;
}

void check_fourier(const FourierInputs& in) {
  const FourierResults want = fourier_attention_reference(in);
  {
    INFO("float64");
    check_against<double>(in, want, 1e-12, 1e-12);
  }
  INFO("float32");
  check_against<float>(in, want, 2e-6, 2e-5);
}

template FourierRun<float> run_fourier(const FourierInputs&, bool);
template FourierRun<double> run_fourier(const FourierInputs&, bool);

}  // namespace ff::test
