// Times products of float matrices against OpenBLAS's own, both on two threads: GFLOP/s of either, and how many times
// as fast this library's is. Products take turns with OpenBLAS's, so that both meet the same load of the machine.

#include "ff/core/cpu/matmul.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <utility>
#include <vector>

#include <benchmark/benchmark.h>
#include <cblas.h>

#include "ff/core/parallel.h"
#include "ff/core/random.h"

namespace {

using namespace ff;

constexpr int threads = 2;

// `count` products of dense matrices, C (m, n) = op(A) op(B).
struct Problem {
  std::int64_t m, n, k;
  bool transpose_a, transpose_b;
  std::int64_t count;
  std::vector<float> a, b, c;
  std::vector<std::int64_t> a_offset, b_offset, c_offset;

  explicit Problem(const benchmark::State& state)
      : m(state.range(0)),
        n(state.range(1)),
        k(state.range(2)),
        transpose_a(state.range(3) != 0),
        transpose_b(state.range(4) != 0),
        count(state.range(5)),
        a(static_cast<std::size_t>(count * m * k)),
        b(static_cast<std::size_t>(count * k * n)),
        c(static_cast<std::size_t>(count * m * n)) {
    fill_normal(a.data(), count * m * k, {1, 0});
    fill_normal(b.data(), count * k * n, {2, 0});
    for (std::int64_t i = 0; i < count; ++i) {
      a_offset.push_back(i * m * k);
      b_offset.push_back(i * k * n);
      c_offset.push_back(i * m * n);
    }
  }
  std::int64_t lda() const { return transpose_a ? m : k; }
  std::int64_t ldb() const { return transpose_b ? k : n; }
  double operations() const { return 2.0 * static_cast<double>(count * m) * static_cast<double>(n * k); }

  void ours() {
    if (count == 1)
      cpu::gemm(transpose_a, transpose_b, m, n, k, 1.0f, a.data(), lda(), b.data(), ldb(), 0.0f, c.data(), n);
    else
      cpu::gemm_batched(transpose_a, transpose_b, count, m, n, k, a.data(), a_offset.data(), lda(), b.data(),
                        b_offset.data(), ldb(), c.data(), c_offset.data(), n);
  }
  void openblas() {
    auto flag = [](bool transpose) { return transpose ? CblasTrans : CblasNoTrans; };
    for (std::int64_t i = 0; i < count; ++i)
      cblas_sgemm(CblasRowMajor, flag(transpose_a), flag(transpose_b), static_cast<blasint>(m), static_cast<blasint>(n),
                  static_cast<blasint>(k), 1.0f, a.data() + i * m * k, static_cast<blasint>(lda()),
                  b.data() + i * k * n, static_cast<blasint>(ldb()), 0.0f, c.data() + i * m * n,
                  static_cast<blasint>(n));
  }
};

template <class F>
double seconds(F f) {
  using Clock = std::chrono::steady_clock;
  const Clock::time_point begin = Clock::now();
  f();
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

// The best of many rounds of either, a round being a millisecond or more.
void matmul(benchmark::State& state) {
  Problem p(state);
  const int before = num_threads(), repeats = std::max(1, static_cast<int>(2e8 / p.operations()));
  auto round = [&](auto product) {
    return seconds([&] {
      for (int i = 0; i < repeats; ++i) product();
    });
  };
  set_num_threads(threads);
  p.ours();  // sets OpenBLAS to one thread, once
  double ours = 1e9, openblas = 1e9;
  for (auto _ : state) {
    openblas_set_num_threads(1);
    ours = std::min(ours, round([&] { p.ours(); }));
    openblas_set_num_threads(threads);
    openblas = std::min(openblas, round([&] { p.openblas(); }));
  }
  openblas_set_num_threads(1);
  set_num_threads(before);
  const double giga = p.operations() * repeats * 1e-9;
  state.counters["gflops"] = giga / ours;
  state.counters["openblas"] = giga / openblas;
  state.counters["ratio"] = openblas / ours;
}

void shapes(benchmark::internal::Benchmark* b) {
  b->ArgNames({"m", "n", "k", "ta", "tb", "count"})->Unit(benchmark::kMillisecond)->UseRealTime();
  // The linear layers of DeiT-tiny on 8 images, forward and both gradients.
  for (const auto& [n, k] : {std::pair{576, 192}, {192, 768}, {768, 192}}) {
    b->Args({1576, n, k, 0, 1, 1})->Args({1576, k, n, 0, 0, 1})->Args({n, k, 1576, 1, 0, 1});
  }
  b->Args({192, 1576, 576, 1, 0, 1});
  // Those of a small language model, and of small models on 6272 patches.
  b->Args({2048, 2048, 128, 0, 1, 1})->Args({2048, 512, 128, 0, 1, 1})->Args({2048, 128, 512, 0, 1, 1});
  b->Args({6272, 64, 192, 0, 1, 1})->Args({6272, 64, 64, 0, 1, 1})->Args({6272, 256, 64, 0, 1, 1});
  b->Args({64, 192, 6272, 1, 0, 1})->Args({64, 64, 6272, 1, 0, 1})->Args({128, 10, 784, 0, 1, 1});
  // Heads of attention, and many products of next to nothing.
  b->Args({197, 197, 64, 0, 1, 24})->Args({197, 64, 197, 0, 0, 24});
  b->Args({16, 16, 16, 0, 0, 1000})->Args({8, 8, 8, 0, 1, 1000});
  b->Args({256, 256, 16, 0, 0, 1});
  for (const int n : {256, 1024, 2048}) b->Args({n, n, n, 0, 0, 1});
}

BENCHMARK(matmul)->Apply(shapes);

}  // namespace
