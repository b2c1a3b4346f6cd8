// Times attention as a model uses it, forward and backward through autograd: milliseconds, and the most memory that
// the process has held so far. Run one alone for its own memory:
//   ff_bench --benchmark_filter='fourier_step/batch:1/heads:8/n:16384'

#include <sys/resource.h>

#include "tools/bench/op_timing.h"

namespace {

using namespace ff;

double peak_mib() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024;
}

template <class Attention>
void run(benchmark::State& state, Attention attention) {
  manual_seed(1);
  const Shape shape{state.range(0), state.range(1), state.range(2), state.range(3)};
  const bool causal = state.range(4) != 0;
  const Tensor q = randn(shape, {.requires_grad = true}), k = randn(shape, {.requires_grad = true});
  const Tensor v = randn(shape, {.requires_grad = true});
  bench::time_step(state, {q, k, v}, [&] { return attention(q, k, v, causal); });
  state.counters["peak_MiB"] = peak_mib();
}

void fourier_step(benchmark::State& state) {
  const Tensor R = Tensor::scalar(2).requires_grad_();
  run(state, [&](const Tensor& q, const Tensor& k, const Tensor& v, bool causal) {
    return fourier_attention(q, k, v, R, {.causal = causal});
  });
}

void softmax_step(benchmark::State& state) {
  run(state, [](const Tensor& q, const Tensor& k, const Tensor& v, bool causal) {
    return softmax_attention(q, k, v, {.causal = causal});
  });
}

void shapes(benchmark::internal::Benchmark* b) {
  b->ArgNames({"batch", "heads", "n", "dim", "causal"})->Unit(benchmark::kMillisecond)->UseRealTime();
  b->Args({8, 3, 197, 64, 0})->Args({2, 3, 197, 64, 0})->Args({8, 8, 256, 16, 1});
  b->Args({1, 8, 4096, 64, 0})->Args({1, 8, 4096, 64, 1})->Args({1, 8, 16384, 64, 1});
}

BENCHMARK(fourier_step)->Apply(shapes);
BENCHMARK(softmax_step)->Apply(shapes);

}  // namespace
