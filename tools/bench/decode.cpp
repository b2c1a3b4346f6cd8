// Times a step of decoding: a few queries (one, as a rule) against M keys and values, H = 8 heads. In nanoseconds per
// (query, key, feature), and as the rate at which keys and values are read. few 0: the
// kernels for many queries, for comparison.

#include "ff/core/cpu/decode.h"

#include <chrono>
#include <cstdint>

#include <benchmark/benchmark.h>

#include "ff/core/cpu/softmax_attention.h"
#include "ff/core/random.h"

namespace {

using namespace ff;
using namespace ff::cpu;

struct Cache {
  AttentionSizes sizes;
  std::int64_t capacity;
  std::vector<float> q, k, v, r, out, row_max, row_sum;

  explicit Cache(const benchmark::State& state)
      : sizes{1, 8, state.range(0), state.range(1), state.range(2), state.range(2)},
        capacity(sizes.keys + 16),
        q(static_cast<std::size_t>(8 * sizes.queries * sizes.dim)),
        k(static_cast<std::size_t>(8 * capacity * sizes.dim)),
        v(k.size()),
        r(static_cast<std::size_t>(8 * sizes.dim), 2.0f),
        out(q.size()),
        row_max(static_cast<std::size_t>(8 * sizes.queries)),
        row_sum(row_max.size()) {
    std::uint64_t seed = 0;
    for (auto* x : {&q, &k, &v}) fill_normal(x->data(), static_cast<std::int64_t>(x->size()), {++seed, 0});
  }
  Heads<const float> queries() const { return {q.data(), 0, sizes.queries * sizes.dim, sizes.dim}; }
  Heads<const float> rows(const std::vector<float>& x) const { return {x.data(), 0, capacity * sizes.dim, sizes.dim}; }
  Heads<float> result() { return {out.data(), 0, sizes.queries * sizes.dim, sizes.dim}; }
};

template <class Step>
void measure(benchmark::State& state, const Cache& c, Step step) {
  using Clock = std::chrono::steady_clock;
  step();
  const Clock::time_point begin = Clock::now();
  for (auto _ : state) step();
  const double ns =
      std::chrono::duration<double, std::nano>(Clock::now() - begin).count() / static_cast<double>(state.iterations());
  const auto read = static_cast<double>(c.sizes.heads * c.sizes.keys * c.sizes.dim);
  state.counters["ns_per_term"] = ns / (read * static_cast<double>(c.sizes.queries));
  state.counters["GB/s"] = 2 * sizeof(float) * read / ns;
}

void decode_fourier(benchmark::State& state) {
  Cache c(state);
  const bool few = state.range(3) != 0;
  measure(state, c, [&] {
    if (!few)
      fourier_attention(c.sizes, {}, {}, c.queries(), c.rows(c.k), c.rows(c.v), c.r.data(), c.result(),
                        {c.row_max.data(), c.row_sum.data()});
    else
      fourier_decode(c.sizes, {}, {}, c.queries(), c.rows(c.k), c.rows(c.v), c.r.data(), c.result());
  });
}

void decode_softmax(benchmark::State& state) {
  Cache c(state);
  const bool few = state.range(3) != 0;
  measure(state, c, [&] {
    if (!few)
      softmax_attention(c.sizes, {}, 0.25, c.queries(), c.rows(c.k), c.rows(c.v), c.result(), c.row_max.data());
    else
      softmax_decode(c.sizes, {}, 0.25, c.queries(), c.rows(c.k), c.rows(c.v), c.result());
  });
}

void shapes(benchmark::internal::Benchmark* b) {
  b->ArgNames({"queries", "keys", "dim", "few"})->Unit(benchmark::kMicrosecond)->UseRealTime();
  for (const int few : {1, 0}) {
    for (const int dim : {16, 64})
      for (const int keys : {256, 1024, 4096}) b->Args({1, keys, dim, few});
    for (const int queries : {2, 4, 8}) b->Args({queries, 1024, 16, few})->Args({queries, 1024, 64, few});
  }
}

BENCHMARK(decode_fourier)->Apply(shapes);
BENCHMARK(decode_softmax)->Apply(shapes);

}  // namespace
