#pragma once

#include <vector>

#include <benchmark/benchmark.h>

#include "ff/ff.h"

namespace ff::bench {

/// Times op(), nothing being recorded for backward().
template <class Op>
void time_forward(benchmark::State& state, Op op) {
  const NoGrad no_grad;
  for (auto _ : state) benchmark::DoNotOptimize(op());
}

/// Times op() and its backward() with a random gradient; leaves are what op computes from, their gradients dropped
/// before each.
template <class Op>
void time_step(benchmark::State& state, const std::vector<Tensor>& leaves, Op op) {
  const Tensor gradient = randn(op().shape());
  for (auto _ : state) {
    for (const Tensor& leaf : leaves) leaf.set_grad({});
    op().backward(gradient);
  }
}

/// Reports the rate at which bytes go to and from memory, of which an iteration moves so many.
inline void count_bytes(benchmark::State& state, double bytes) {
  state.SetBytesProcessed(static_cast<std::int64_t>(static_cast<double>(state.iterations()) * bytes));
}

}  // namespace ff::bench
