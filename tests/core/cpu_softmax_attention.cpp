#include <cmath>
#include <limits>
#include <type_traits>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "ff/core/cpu/softmax_attention.h"
#include "ff/core/parallel.h"
#include "ff/core/random.h"

#include "tests/support/compare.h"
#include "tests/support/softmax_attention_reference.h"

using namespace ff;
using cpu::AttentionMask;
using cpu::AttentionSizes;
using cpu::Heads;

namespace {

// A (B, H, rows, features) array: dense, or a view into (B, rows, H, features + gap) as a packed projection gives it.
template <class T>
struct Array {
  std::int64_t batches, heads, rows, features;
  bool view;
  std::vector<T> data;

  Array(const AttentionSizes& s, std::int64_t rows_, std::int64_t features_, bool view_)
      : batches(s.batch), heads(s.heads), rows(rows_), features(features_), view(view_) {
    data.resize(static_cast<std::size_t>(batches * heads * rows * row_size()), T{7});
  }
  std::int64_t row_size() const { return features + (view ? 5 : 0); }
  template <class U = T>
  Heads<U> heads_view() {
    if (!view) return {data.data(), heads * rows * features, rows * features, features};
    return {data.data(), rows * heads * row_size(), row_size(), heads * row_size()};
  }
  Heads<const T> in() { return heads_view<const T>(); }
  Heads<T> out() { return heads_view<T>(); }

  std::vector<double> dense() {
    std::vector<double> x;
    for (std::int64_t row = 0; row < batches * heads * rows; ++row) {
      const T* from = in().at(row / rows / heads, row / rows % heads, row % rows);
      x.insert(x.end(), from, from + features);
    }
    return x;
  }
  // What lies between the features of a view stays as it was made.
  bool gaps_untouched() const {
    for (std::size_t i = 0; view && i < data.size(); ++i) {
      if (static_cast<std::int64_t>(i) % row_size() >= features && data[i] != 7) return false;
    }
    return true;
  }
  Shape shape() const { return {batches, heads, rows, features}; }
};

struct Case {
  AttentionSizes sizes;
  AttentionMask mask{};
  bool view = false;
  double size = 1;   // standard deviation of queries and keys
  double scale = 0;  // 0: 1 / sqrt(D)

  double get_scale() const { return scale != 0 ? scale : 1 / std::sqrt(static_cast<double>(sizes.dim)); }
  std::string str() const {
    return fmt::format("B {} H {} N {} M {} D {} E {} causal {} mask {} dropout {} view {}", sizes.batch, sizes.heads,
                       sizes.queries, sizes.keys, sizes.dim, sizes.value_dim, mask.causal, mask.mask != nullptr,
                       mask.dropout, view);
  }
};

// Inputs and results of the kernels.
template <class T>
struct Run {
  Case c;
  Array<T> q, k, v, dout, out, dq, dk, dv;
  std::vector<T> lse;

  explicit Run(const Case& c_)
      : c(c_),
        q(c.sizes, c.sizes.queries, c.sizes.dim, c.view),
        k(c.sizes, c.sizes.keys, c.sizes.dim, c.view),
        v(c.sizes, c.sizes.keys, c.sizes.value_dim, c.view),
        dout(c.sizes, c.sizes.queries, c.sizes.value_dim, c.view),
        out(dout),
        dq(q),
        dk(k),
        dv(v),
        lse(static_cast<std::size_t>(c.sizes.batch * c.sizes.heads * c.sizes.queries)) {
    std::uint64_t seed = 1;
    for (Array<T>* x : {&q, &k, &v, &dout}) {
      fill_normal(x->data.data(), static_cast<std::int64_t>(x->data.size()), {seed++, 0});
    }
    for (Array<T>* x : {&q, &k}) {
      for (T& value : x->data) value *= static_cast<T>(c.size);
    }
    compute();
  }

  void compute() {
    cpu::softmax_attention(c.sizes, c.mask, c.get_scale(), q.in(), k.in(), v.in(), out.out(), lse.data());
    cpu::softmax_attention_backward(c.sizes, c.mask, c.get_scale(), q.in(), k.in(), v.in(), out.in(), lse.data(),
                                    dout.in(), dq.out(), dk.out(), dv.out());
  }

  // Everything computed, gaps of views included.
  std::vector<T> results() const {
    std::vector<T> all = lse;
    for (const Array<T>* x : {&out, &dq, &dk, &dv}) all.insert(all.end(), x->data.begin(), x->data.end());
    return all;
  }
};

Array<double> widen(const AttentionSizes& s, Array<float>& x) {
  Array<double> wide(s, x.rows, x.features, false);
  wide.data = x.dense();
  return wide;
}
Array<double> widen(const AttentionSizes&, Array<double>& x) { return x; }

template <class T>
void check_case(const Case& c, double value_tolerance, double gradient_tolerance) {
  Run<T> run(c);
  Array<double> q = widen(c.sizes, run.q), k = widen(c.sizes, run.k), v = widen(c.sizes, run.v);
  Array<double> dout = widen(c.sizes, run.dout);
  const auto want =
      test::softmax_attention_reference(c.sizes, c.mask, c.get_scale(), q.in(), k.in(), v.in(), dout.in());
  auto compare = [&](const char* what, const std::vector<double>& got, const std::vector<double>& expected,
                     const Shape& shape, double tolerance) {
    const auto d = test::largest_difference(got, expected, shape);
    CHECK_MESSAGE((d.relative <= tolerance || d.absolute <= tolerance), what << ", " << c.str() << ": " << d.str());
  };
  compare("out", run.out.dense(), want.out, run.out.shape(), value_tolerance);
  compare("lse", {run.lse.begin(), run.lse.end()}, want.lse, {c.sizes.batch, c.sizes.heads, c.sizes.queries},
          value_tolerance);
  compare("dq", run.dq.dense(), want.dq, run.dq.shape(), gradient_tolerance);
  compare("dk", run.dk.dense(), want.dk, run.dk.shape(), gradient_tolerance);
  for (const Array<T>* x : {&run.out, &run.dq, &run.dk, &run.dv}) CHECK_MESSAGE(x->gaps_untouched(), c.str());
  compare("dv", run.dv.dense(), want.dv, run.dv.shape(), gradient_tolerance);
}

void check_both(const Case& c) {
  check_case<double>(c, 1e-12, 1e-12);
  check_case<float>(c, 1e-6, 1e-5);
}

// Strides of a dense (B, H, N, M) mask, or of (B, 1, 1, M) key padding.
AttentionMask dense_mask(const AttentionSizes& s, const std::vector<std::uint8_t>& mask) {
  return {.mask = mask.data(),
          .batch = s.heads * s.queries * s.keys,
          .head = s.queries * s.keys,
          .query = s.keys,
          .key = 1};
}
AttentionMask padding_mask(const AttentionSizes& s, const std::vector<std::uint8_t>& mask) {
  return {.mask = mask.data(), .batch = s.keys, .key = 1};
}

std::vector<std::uint8_t> random_mask(std::int64_t n, double p) {
  std::vector<std::uint8_t> mask(static_cast<std::size_t>(n));
  fill_keep(mask.data(), n, p, {11, 0});
  return mask;
}

}  // namespace

TEST_CASE("softmax attention equals the plain loops at every size") {
  const AttentionSizes all[] = {{1, 1, 1, 1, 1, 1},       {2, 3, 5, 5, 4, 4},       {1, 2, 64, 64, 16, 16},
                                {2, 1, 65, 63, 17, 9},    {1, 2, 1, 200, 8, 33},    {1, 2, 200, 1, 8, 3},
                                {1, 3, 197, 197, 64, 64}, {1, 1, 130, 300, 32, 16}, {3, 7, 20, 17, 16, 16},
                                {1, 2, 33, 70, 100, 1},   {1, 1, 70, 40, 1, 70}};
  for (const AttentionSizes& sizes : all) {
    check_both({sizes});
    check_both({sizes, {}, true});
    check_both({sizes, {.causal = true}, false});
  }
}

TEST_CASE("softmax attention without queries, keys or heads") {
  for (const AttentionSizes& sizes : {AttentionSizes{1, 2, 0, 5, 3, 4}, AttentionSizes{1, 2, 5, 0, 3, 4},
                                      AttentionSizes{0, 2, 5, 5, 3, 4}, AttentionSizes{1, 1, 0, 0, 3, 4}}) {
    check_both({sizes});
    check_both({sizes, {.causal = true}});
  }
}

TEST_CASE("softmax attention with a mask") {
  for (const AttentionSizes& s : {AttentionSizes{2, 2, 70, 90, 8, 12}, AttentionSizes{2, 1, 5, 7, 3, 2}}) {
    for (double p : {0.1, 0.97, 0.999}) {  // the last two leave rows that see no key
      const auto mask = random_mask(s.batch * s.heads * s.queries * s.keys, p);
      AttentionMask m = dense_mask(s, mask);
      check_both({s, m});
      m.causal = true;
      check_both({s, m, true});
      check_both({s, padding_mask(s, mask)});
    }
  }
}

TEST_CASE("softmax attention with dropout drops the weights that their random words say") {
  for (const AttentionSizes& s : {AttentionSizes{2, 2, 70, 131, 16, 16}, AttentionSizes{1, 3, 5, 7, 3, 2}}) {
    for (double p : {0.1, 0.9}) {
      check_both({s, {.dropout = p, .random = {3, 12345}}});
      check_both({s, {.causal = true, .dropout = p, .random = {4, 1}}, true});
    }
  }
}

TEST_CASE("rows that see no key give 0, and pass no gradient") {
  const AttentionSizes s{1, 1, 100, 40, 8, 8};  // causal: the first 60 queries come before every key
  Run<float> run({s, {.causal = true}});
  for (std::size_t i = 0; i < 60 * 8; ++i) {
    REQUIRE(run.out.data[i] == 0);
    REQUIRE(run.dq.data[i] == 0);
  }
  for (std::size_t i = 0; i < 60; ++i) REQUIRE(run.lse[i] == -std::numeric_limits<float>::infinity());
  const std::vector<std::uint8_t> nothing(1, 0);
  Run<float> blind({s, {.mask = nothing.data()}});
  for (const auto* x : {&blind.out, &blind.dq, &blind.dk, &blind.dv}) {
    for (float value : x->data) REQUIRE(value == 0);
  }
}

TEST_CASE("softmax attention bears scores of any size") {
  const AttentionSizes s{1, 2, 80, 90, 4, 4};
  check_case<double>({s, {}, false, 70, 1}, 1e-10, 1e-10);  // scores of 1e4
  for (double size : {100.0, 1e4, 1e15}) {
    const Run<float> run({s, {}, false, size, 1});
    bool finite = true;
    for (float x : run.results()) finite = finite && std::isfinite(x);
    CHECK_MESSAGE(finite, "standard deviation of queries and keys: " << size);
  }
}

TEST_CASE_TEMPLATE("softmax attention passes NaN on", T, float, double) {
  const AttentionSizes s{1, 1, 70, 80, 3, 2};
  Run<T> run({s});
  run.q.data[10 * 3 + 1] = std::numeric_limits<T>::quiet_NaN();
  run.compute();
  for (std::size_t i = 0; i < 70; ++i) {
    CAPTURE(i);
    REQUIRE(std::isnan(run.lse[i]) == (i == 10));
    REQUIRE(std::isnan(run.out.data[2 * i]) == (i == 10));
    REQUIRE(std::isnan(run.dq.data[3 * i]) == (i == 10));
  }
  for (T x : run.dk.data) REQUIRE(std::isnan(x));
}

TEST_CASE("softmax attention is the same to the last bit at any thread count") {
  const int before = num_threads();
  for (const Case& c : {Case{{2, 3, 197, 197, 16, 16}}, Case{{1, 1, 500, 300, 8, 24}, {.causal = true}},
                        Case{{8, 4, 17, 17, 16, 16}, {.dropout = 0.3, .random = {5, 0}}}}) {
    set_num_threads(1);
    const auto one = Run<float>(c).results();
    for (int threads : {2, 4}) {
      set_num_threads(threads);
      CHECK_MESSAGE(test::same_bits(one, Run<float>(c).results()), c.str() << ", " << threads << " threads");
    }
  }
  set_num_threads(before);
}
