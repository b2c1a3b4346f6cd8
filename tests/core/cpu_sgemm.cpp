#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "ff/core/cpu/backend.h"
#include "ff/core/cpu/matmul.h"
#include "ff/core/cpu/sgemm.h"
#include "ff/core/parallel.h"
#include "ff/core/random.h"

#include "tests/support/compare.h"

using namespace ff;

namespace {

using Numbers = std::vector<float>;

Numbers numbers(std::int64_t n, std::uint64_t seed) {
  Numbers x(static_cast<std::size_t>(n));
  fill_normal(x.data(), n, {seed, 0});
  return x;
}

// A matrix as it may lie in memory: transposed or not, rows `pad` longer than they need be and NaN there.
struct Stored {
  bool transposed;
  std::int64_t ld;
  Numbers data;
  Stored(const float* from, std::int64_t rows, std::int64_t columns, bool transpose, std::int64_t pad)
      : transposed(transpose),
        ld((transpose ? rows : columns) + pad),
        data(static_cast<std::size_t>((transpose ? columns : rows) * ld), std::numeric_limits<float>::quiet_NaN()) {
    for (std::int64_t i = 0; i < rows; ++i)
      for (std::int64_t j = 0; j < columns; ++j)
        data[static_cast<std::size_t>(transpose ? j * ld + i : i * ld + j)] = from[i * columns + j];
  }
};

// C (m, n) = A B, summed in double.
std::vector<double> reference(std::int64_t m, std::int64_t n, std::int64_t k, const float* a, const float* b) {
  std::vector<double> c(static_cast<std::size_t>(m * n));
  for (std::int64_t i = 0; i < m; ++i)
    for (std::int64_t l = 0; l < k; ++l) {
      const double entry = a[i * k + l];
      for (std::int64_t j = 0; j < n; ++j) c[static_cast<std::size_t>(i * n + j)] += entry * b[l * n + j];
    }
  return c;
}

struct Sizes {
  std::int64_t m, n, k;
  std::string str() const { return fmt::format("{} x {} x {}", m, n, k); }
};

struct Scales {
  float alpha = 1, beta = 0;
};

Numbers multiply(const Sizes& s, const Stored& a, const Stored& b, Numbers c, Scales scales = {}) {
  cpu::gemm(a.transposed, b.transposed, s.m, s.n, s.k, scales.alpha, a.data.data(), a.ld, b.data.data(), b.ld,
            scales.beta, c.data(), static_cast<std::int64_t>(c.size()) / s.m);
  return c;
}

Numbers multiply_serially(const Sizes& s, const Stored& a, const Stored& b, Numbers c, Scales scales = {}) {
  cpu::gemm_serial(a.transposed, b.transposed, s.m, s.n, s.k, scales.alpha, a.data.data(), a.ld, b.data.data(), b.ld,
                   scales.beta, c.data(), static_cast<std::int64_t>(c.size()) / s.m);
  return c;
}

// All layouts of one product, C's rows longer than n: beta = 0 must not read C, and nothing is written beyond n.
void check_layouts(const Sizes& s, const float* a, const float* b, const std::vector<double>& product, Scales scales) {
  const std::int64_t pad = 1 + (s.m + s.k) % 3, ldc = s.n + pad;
  Numbers start = numbers(s.m * ldc, 3);
  std::vector<double> want(start.begin(), start.end());
  for (std::int64_t i = 0; i < s.m; ++i)
    for (std::int64_t j = 0; j < s.n; ++j) {
      const auto at = static_cast<std::size_t>(i * ldc + j);
      want[at] = scales.alpha * product[static_cast<std::size_t>(i * s.n + j)] + scales.beta * want[at];
      if (scales.beta == 0) start[at] = std::numeric_limits<float>::quiet_NaN();
    }
  for (int layout = 0; layout < 4; ++layout) {
    const Stored left(a, s.m, s.k, layout & 1, pad), right(b, s.k, s.n, layout & 2, pad + 1);
    const auto d = test::largest_difference(multiply(s, left, right, start, scales), want, {s.m, ldc});
    const double tolerance = 2e-7 * (4 + std::sqrt(static_cast<double>(s.k)));
    if (d.relative > tolerance)
      FAIL_CHECK(fmt::format("{} layout {} alpha {} beta {}: {}", s.str(), layout, scales.alpha, scales.beta, d.str()));
  }
}

// Whether this machine's products of matrices are sgemm.h's, whose bits do not depend on how they are cut.
bool own_kernel() { return cpu::find_sgemm() != nullptr; }

struct ThreadsScope {
  int before = num_threads();
  ~ThreadsScope() { set_num_threads(before); }
};

}  // namespace

TEST_CASE("float products have a kernel of their own exactly with AVX-512") {
  CHECK(own_kernel() == cpu::simd_target().starts_with("AVX3"));
}

TEST_CASE("float products of every edge shape in every layout equal the plain loop") {
  constexpr std::int64_t edges[] = {1, 2, 3, 7, 8, 15, 16, 17, 31, 33, 64, 65, 100, 257};
  constexpr Scales scales[] = {{1, 0}, {1, 1}, {-0.5f, 2}, {2, 0}};
  const Numbers a = numbers(257 * 257, 1), b = numbers(257 * 257, 2);
  std::size_t turn = 0;
  for (const std::int64_t m : edges)
    for (const std::int64_t n : edges)
      for (const std::int64_t k : edges)
        check_layouts({m, n, k}, a.data(), b.data(), reference(m, n, k, a.data(), b.data()), scales[turn++ % 4]);
}

TEST_CASE("float products of several blocks of k and of n equal the plain loop") {
  for (const Sizes& s : {Sizes{9, 700, 513}, Sizes{70, 1100, 300}, Sizes{5, 4000, 40}, Sizes{130, 50, 2700}}) {
    const Numbers a = numbers(s.m * s.k, 1), b = numbers(s.k * s.n, 2);
    const auto product = reference(s.m, s.n, s.k, a.data(), b.data());
    for (const Scales scales : {Scales{1, 0}, Scales{0.5f, 1}, Scales{-1, 3}})
      check_layouts(s, a.data(), b.data(), product, scales);
  }
}

TEST_CASE("a float product with k = 0 or alpha = 0 scales C and reads neither operand") {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const Stored a(Numbers(12, nan).data(), 4, 3, false, 0), b(Numbers(15, nan).data(), 3, 5, false, 0);
  const Numbers start = numbers(20, 3);
  Numbers twice = start;
  for (float& x : twice) x *= 2;
  CHECK(test::same_bits(multiply({4, 5, 3}, a, b, start, {0, 2}), twice));
  CHECK(test::same_bits(multiply({4, 5, 0}, a, b, start, {1, 2}), twice));
  CHECK(test::same_bits(multiply({4, 5, 3}, a, b, Numbers(20, nan), {0, 0}), Numbers(20, 0.0f)));
  CHECK(test::same_bits(multiply({4, 5, 0}, a, b, Numbers(20, nan), {1, 0}), Numbers(20, 0.0f)));
}

TEST_CASE("a float product passes on NaN and infinity to the entries that have them, and to no others") {
  const float infinity = std::numeric_limits<float>::infinity();
  Numbers a(9 * 20, 1.0f), b(20 * 18, 1.0f);
  a[8 * 20 + 3] = std::numeric_limits<float>::quiet_NaN();
  b[5 * 18 + 17] = infinity;
  const Numbers c =
      multiply({9, 18, 20}, Stored(a.data(), 9, 20, false, 0), Stored(b.data(), 20, 18, false, 0), Numbers(9 * 18));
  for (std::size_t i = 0; i < 9; ++i)
    for (std::size_t j = 0; j < 18; ++j) {
      const float got = c[i * 18 + j];
      CHECK_MESSAGE((i == 8 ? std::isnan(got) : got == (j == 17 ? infinity : 20)), i << ", " << j << ": " << got);
    }
}

TEST_CASE("a float product of k = 10000 is as near as its rounding allows") {
  const Sizes s{24, 40, 10000};
  const Numbers a = numbers(s.m * s.k, 1), b = numbers(s.k * s.n, 2);
  const Numbers c = multiply(s, Stored(a.data(), s.m, s.k, false, 0), Stored(b.data(), s.k, s.n, true, 0),
                             Numbers(static_cast<std::size_t>(s.m * s.n)));
  const auto d = test::largest_difference(c, reference(s.m, s.n, s.k, a.data(), b.data()), {s.m, s.n});
  CHECK_MESSAGE(d.relative <= 1e-6, d.str());
}

TEST_CASE("float products have the same bits at any thread count") {
  const ThreadsScope scope;
  for (const Sizes& s : {Sizes{197, 768, 192}, Sizes{64, 64, 6272}, Sizes{700, 300, 260}, Sizes{3, 2000, 500}}) {
    const Numbers a = numbers(s.m * s.k, 1), b = numbers(s.k * s.n, 2), start = numbers(s.m * s.n, 3);
    for (int layout = 0; layout < 4; ++layout) {
      const Stored left(a.data(), s.m, s.k, layout & 1, 0), right(b.data(), s.k, s.n, layout & 2, 0);
      set_num_threads(1);
      const Numbers one = multiply(s, left, right, start, {0.5f, 1});
      for (const int threads : {2, 4}) {
        set_num_threads(threads);
        CHECK_MESSAGE(test::same_bits(one, multiply(s, left, right, start, {0.5f, 1})),
                      s.str() << " layout " << layout << ", " << threads << " threads");
      }
    }
  }
}

TEST_CASE("a float product has the same bits in every layout, alone, on one thread and anywhere in a batch") {
  if (!own_kernel()) return;  // OpenBLAS promises no such thing
  for (const Sizes& s : {Sizes{197, 197, 64}, Sizes{20, 33, 5000}, Sizes{256, 130, 300}, Sizes{5, 6, 7}}) {
    const Numbers a = numbers(s.m * s.k, 1), b = numbers(s.k * s.n, 2);
    const Numbers nothing(static_cast<std::size_t>(s.m * s.n));
    const Stored plain_a(a.data(), s.m, s.k, false, 0), plain_b(b.data(), s.k, s.n, false, 0);
    const Numbers want = multiply(s, plain_a, plain_b, nothing);
    for (int layout = 0; layout < 4; ++layout) {
      const Stored left(a.data(), s.m, s.k, layout & 1, 2), right(b.data(), s.k, s.n, layout & 2, 5);
      CHECK_MESSAGE(test::same_bits(want, multiply(s, left, right, nothing)), s.str() << " layout " << layout);
      CHECK_MESSAGE(test::same_bits(want, multiply_serially(s, left, right, nothing)), s.str() << " on one thread");
    }
    for (const std::int64_t count : {3, 20}) {
      const std::vector<std::int64_t> same(static_cast<std::size_t>(count));
      std::vector<std::int64_t> c_offset;
      for (std::int64_t i = 0; i < count; ++i) c_offset.push_back(i * s.m * s.n);
      Numbers c(static_cast<std::size_t>(count * s.m * s.n));
      cpu::gemm_batched(false, false, count, s.m, s.n, s.k, a.data(), same.data(), s.k, b.data(), same.data(), s.n,
                        c.data(), c_offset.data(), s.n);
      for (const std::int64_t offset : c_offset) {
        const Numbers one(c.begin() + offset, c.begin() + offset + s.m * s.n);
        CHECK_MESSAGE(test::same_bits(want, one), s.str() << " in a batch of " << count << " at " << offset);
      }
    }
  }
}
