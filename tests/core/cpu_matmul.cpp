#include <cmath>
#include <limits>
#include <type_traits>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "ff/core/cpu/matmul.h"
#include "ff/core/parallel.h"
#include "ff/core/random.h"

#include "tests/support/compare.h"

using namespace ff;

namespace {

template <class T>
std::vector<T> numbers(std::int64_t n, std::uint64_t seed) {
  std::vector<T> x(static_cast<std::size_t>(n));
  fill_normal(x.data(), n, {seed, 0});
  return x;
}

// One product: its sizes, and how its operands lie in memory (pad: how much longer rows are than they need be).
struct Case {
  std::int64_t m, n, k;
  bool transpose_a = false, transpose_b = false;
  std::int64_t pad = 0;
  double alpha = 1, beta = 0;

  std::int64_t lda() const { return (transpose_a ? m : k) + pad; }
  std::int64_t ldb() const { return (transpose_b ? k : n) + pad; }
  std::int64_t ldc() const { return n + pad; }
  std::int64_t a_size() const { return (transpose_a ? k : m) * lda(); }
  std::int64_t b_size() const { return (transpose_b ? n : k) * ldb(); }
  std::string str() const {
    return fmt::format("{} x {} x {} transposed {} {} pad {} alpha {} beta {}", m, n, k, transpose_a, transpose_b, pad,
                       alpha, beta);
  }
};

// The definition, in double.
template <class T>
std::vector<double> reference(const Case& p, const std::vector<T>& a, const std::vector<T>& b,
                              const std::vector<T>& c) {
  std::vector<double> out(c.begin(), c.end());
  for (std::int64_t i = 0; i < p.m; ++i) {
    for (std::int64_t j = 0; j < p.n; ++j) {
      double sum = 0;
      for (std::int64_t l = 0; l < p.k; ++l) {
        const std::int64_t ai = p.transpose_a ? l * p.lda() + i : i * p.lda() + l;
        const std::int64_t bi = p.transpose_b ? j * p.ldb() + l : l * p.ldb() + j;
        sum +=
            static_cast<double>(a[static_cast<std::size_t>(ai)]) * static_cast<double>(b[static_cast<std::size_t>(bi)]);
      }
      double& target = out[static_cast<std::size_t>(i * p.ldc() + j)];
      target = p.alpha * sum + (p.beta == 0 ? 0 : p.beta * target);
    }
  }
  return out;
}

// A product with a bias is the product added to a C that is filled with it, and reads no other C.
template <class T>
void check_biased(const Case& p) {
  const auto a = numbers<T>(p.a_size(), 1), b = numbers<T>(p.b_size(), 2), bias = numbers<T>(p.n, 3);
  std::vector<T> got(static_cast<std::size_t>(p.m * p.ldc()), std::numeric_limits<T>::quiet_NaN()), want = got,
                                                                                                    none = got;
  for (std::int64_t i = 0; i < p.m; ++i) std::copy(bias.begin(), bias.end(), want.begin() + i * p.ldc());
  cpu::gemm(p.transpose_a, p.transpose_b, p.m, p.n, p.k, T{1}, a.data(), p.lda(), b.data(), p.ldb(), T{1}, want.data(),
            p.ldc());
  cpu::gemm_biased(p.transpose_a, p.transpose_b, p.m, p.n, p.k, a.data(), p.lda(), b.data(), p.ldb(), bias.data(),
                   got.data(), p.ldc());
  CHECK_MESSAGE(test::same_bits(got, want), p.str());
  cpu::gemm(p.transpose_a, p.transpose_b, p.m, p.n, p.k, T{1}, a.data(), p.lda(), b.data(), p.ldb(), T{0}, want.data(),
            p.ldc());
  cpu::gemm_biased(p.transpose_a, p.transpose_b, p.m, p.n, p.k, a.data(), p.lda(), b.data(), p.ldb(),
                   static_cast<const T*>(nullptr), none.data(), p.ldc());
  CHECK_MESSAGE(test::same_bits(none, want), p.str());
}

template <class T>
void check_product(const Case& p) {
  const auto a = numbers<T>(p.a_size(), 1), b = numbers<T>(p.b_size(), 2), start = numbers<T>(p.m * p.ldc(), 3);
  const auto want = reference(p, a, b, start);
  const double tolerance = (std::is_same_v<T, float> ? 2e-7 : 4e-16) * (4 + std::sqrt(static_cast<double>(p.k)));
  auto serial = start, parallel = start;
  cpu::gemm_serial(p.transpose_a, p.transpose_b, p.m, p.n, p.k, static_cast<T>(p.alpha), a.data(), p.lda(), b.data(),
                   p.ldb(), static_cast<T>(p.beta), serial.data(), p.ldc());
  cpu::gemm(p.transpose_a, p.transpose_b, p.m, p.n, p.k, static_cast<T>(p.alpha), a.data(), p.lda(), b.data(), p.ldb(),
            static_cast<T>(p.beta), parallel.data(), p.ldc());
  const Shape shape{p.m, p.ldc()};
  const auto serial_difference = test::largest_difference(serial, want, shape);
  CHECK_MESSAGE(serial_difference.relative <= tolerance, "serial, " << p.str() << ": " << serial_difference.str());
  const auto difference = test::largest_difference(parallel, want, shape);
  CHECK_MESSAGE(difference.relative <= tolerance, p.str() << ": " << difference.str());
}

template <class T>
std::vector<T> multiply(const Case& p, const std::vector<T>& a, const std::vector<T>& b) {
  std::vector<T> c(static_cast<std::size_t>(p.m * p.n));
  cpu::gemm(p.transpose_a, p.transpose_b, p.m, p.n, p.k, T{1}, a.data(), p.lda(), b.data(), p.ldb(), T{0}, c.data(),
            p.n);
  return c;
}

struct ThreadsScope {
  int before = num_threads();
  ~ThreadsScope() { set_num_threads(before); }
};

}  // namespace

TEST_CASE_TEMPLATE("gemm equals the plain loop in every layout", T, float, double) {
  const std::int64_t sizes[][3] = {{1, 1, 1},  {1, 1, 0},    {0, 3, 2},     {3, 0, 2},     {2, 3, 0},    {1, 7, 5},
                                   {7, 1, 5},  {5, 7, 1},    {1, 1, 9},     {2, 3, 4},     {17, 33, 9},  {64, 64, 64},
                                   {65, 1, 7}, {1, 300, 40}, {129, 65, 33}, {300, 70, 50}, {70, 300, 50}};
  for (const auto& s : sizes) {
    for (int layout = 0; layout < 8; ++layout) {
      check_product<T>({s[0], s[1], s[2], (layout & 1) != 0, (layout & 2) != 0, (layout & 4) ? 3 : 0});
      check_product<T>({s[0], s[1], s[2], (layout & 1) != 0, (layout & 2) != 0, (layout & 4) ? 3 : 0, 0.5, -2});
    }
  }
}

TEST_CASE("gemm equals the plain loop where it is cut into tiles and pieces") {
  for (int layout = 0; layout < 4; ++layout) {
    const bool ta = layout & 1, tb = layout & 2;
    check_product<float>({500, 190, 100, ta, tb, 1});
    check_product<float>({40, 700, 90, ta, tb, 1, 1, 1});
    check_product<float>({33, 20, 5000, ta, tb, 2, -1, 0.5});
    check_product<float>({130, 257, 2500, ta, tb});
  }
}

TEST_CASE("a long k costs no accuracy") {
  const Case p{16, 8, 200000, true, false};
  const auto a = numbers<float>(p.a_size(), 1), b = numbers<float>(p.b_size(), 2);
  const auto want = reference(p, a, b, std::vector<float>(static_cast<std::size_t>(p.m * p.n)));
  const auto difference = test::largest_difference(multiply(p, a, b), want, {p.m, p.n});
  CHECK_MESSAGE(difference.relative <= 2e-6, difference.str());  // terms added one by one lose 1e-4
}

TEST_CASE("gemm with beta = 0 does not read C") {
  const std::int64_t sizes[][3] = {{5, 4, 3}, {300, 300, 60}, {1, 9, 3}, {9, 1, 3}, {4, 4, 0}, {20, 20, 9000}};
  for (const auto& s : sizes) {
    const std::int64_t m = s[0], n = s[1], k = s[2];
    const auto a = numbers<float>(m * k, 1), b = numbers<float>(k * n, 2);
    std::vector<float> c(static_cast<std::size_t>(m * n), std::numeric_limits<float>::quiet_NaN());
    cpu::gemm(false, false, m, n, k, 1.0f, a.data(), k, b.data(), n, 0.0f, c.data(), n);
    bool finite = true;
    for (float x : c) finite = finite && std::isfinite(x);
    CHECK_MESSAGE(finite, fmt::format("{} x {} x {}", m, n, k));
  }
}

TEST_CASE("leading dimensions of a single row or of an empty matrix mean nothing") {
  const float a = 3, b = 4;
  float c = 0;
  cpu::gemm(false, false, 1, 1, 1, 1.0f, &a, 0, &b, 0, 0.0f, &c, 0);
  CHECK(c == 12);
  cpu::gemm(true, true, 1, 1, 1, 1.0f, &a, 0, &b, 0, 1.0f, &c, 0);
  CHECK(c == 24);
  cpu::gemm(false, false, 0, 0, 0, 1.0f, &a, 0, &b, 0, 0.0f, &c, 0);
  cpu::gemm(false, false, 1, 1, 0, 1.0f, &a, 0, &b, 0, 0.5f, &c, 0);
  CHECK(c == 12);
}

TEST_CASE("gemm is the same to the last bit at any thread count") {
  const ThreadsScope scope;
  for (const Case& p : {Case{1576, 192, 192, false, true}, Case{64, 64, 20000, true, false},
                        Case{197, 768, 2100, true, false}, Case{1, 5000, 300, false, true}, Case{256, 256, 16}}) {
    const auto a = numbers<float>(p.a_size(), 1), b = numbers<float>(p.b_size(), 2);
    set_num_threads(1);
    const auto one = multiply(p, a, b);
    for (int threads : {2, 4}) {
      set_num_threads(threads);
      CHECK_MESSAGE(test::same_bits(one, multiply(p, a, b)), p.str() << ", " << threads << " threads");
    }
  }
}

TEST_CASE_TEMPLATE("gemm_batched equals single products, operands repeated or not", T, float, double) {
  for (const Case& p : {Case{7, 5, 3}, Case{17, 17, 8, false, true}, Case{8, 1, 4, true, false, 2},
                        Case{150, 130, 90, true, true}, Case{3, 3, 0}}) {
    for (std::int64_t count : {0, 1, 6, 40}) {
      // B's matrices repeat with period 2; C's lie in reverse order.
      std::vector<std::int64_t> a_offset, b_offset, c_offset;
      for (std::int64_t i = 0; i < count; ++i) {
        a_offset.push_back(i * p.a_size());
        b_offset.push_back(i % 2 * p.b_size());
        c_offset.push_back((count - 1 - i) * p.m * p.ldc());
      }
      const auto a = numbers<T>(count * p.a_size(), 1), b = numbers<T>(2 * p.b_size(), 2);
      auto c = numbers<T>(count * p.m * p.ldc(), 3), want = c;
      cpu::gemm_batched(p.transpose_a, p.transpose_b, count, p.m, p.n, p.k, a.data(), a_offset.data(), p.lda(),
                        b.data(), b_offset.data(), p.ldb(), c.data(), c_offset.data(), p.ldc());
      for (std::int64_t i = 0; i < count; ++i) {
        const auto at = static_cast<std::size_t>(i);
        cpu::gemm_serial(p.transpose_a, p.transpose_b, p.m, p.n, p.k, T{1}, a.data() + a_offset[at], p.lda(),
                         b.data() + b_offset[at], p.ldb(), T{0}, want.data() + c_offset[at], p.ldc());
      }
      const auto difference = test::largest_difference(c, want, {count, p.m, p.ldc()});
      CHECK_MESSAGE(difference.relative <= 1e-6, p.str() << " count " << count << ": " << difference.str());
    }
  }
}

TEST_CASE("a product with a bias") {
  // Whole, in tiles, in pieces and blocks of k, with vectors, with nothing to add up.
  for (const Case& p : {Case{5, 7, 3}, Case{700, 300, 260, false, true}, Case{64, 50, 6272, true}, Case{197, 192, 768},
                        Case{1, 70, 40, false, true}, Case{70, 1, 40}, Case{4, 6, 0}, Case{3, 17, 5, true, true, 4}}) {
    check_biased<float>(p);
    check_biased<double>(p);
  }
}
