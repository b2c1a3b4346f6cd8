// Times elementwise ops on 4 Mi float32 in milliseconds, forward alone, and forward and backward through autograd. The
// bytes a second of a forward are those that it must read and write; memory.cpp has what the machine can do.

#include "tools/bench/op_timing.h"

namespace {

using namespace ff;

constexpr std::int64_t size = std::int64_t{4} << 20;

using Op = Tensor (*)(const Tensor& a, const Tensor& b);

void elementwise_forward(benchmark::State& state, Op op, int arrays) {
  manual_seed(1);
  const Tensor a = randn({size}), b = randn({size});
  bench::time_forward(state, [&] { return op(a, b); });
  bench::count_bytes(state, 4.0 * size * arrays);
}

void elementwise_step(benchmark::State& state, Op op) {
  manual_seed(1);
  const Tensor a = randn({size}, {.requires_grad = true}), b = randn({size}, {.requires_grad = true});
  bench::time_step(state, {a, b}, [&] { return op(a, b); });
}

Tensor add_op(const Tensor& a, const Tensor& b) { return a + b; }
Tensor exp_op(const Tensor& a, const Tensor&) { return exp(a); }
Tensor gelu_op(const Tensor& a, const Tensor&) { return gelu(a); }
Tensor tanh_op(const Tensor& a, const Tensor&) { return tanh(a); }
Tensor relu_op(const Tensor& a, const Tensor&) { return relu(a); }

BENCHMARK_CAPTURE(elementwise_forward, add, add_op, 3)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK_CAPTURE(elementwise_forward, exp, exp_op, 2)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK_CAPTURE(elementwise_forward, gelu, gelu_op, 2)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK_CAPTURE(elementwise_forward, tanh, tanh_op, 2)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK_CAPTURE(elementwise_forward, relu, relu_op, 2)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK_CAPTURE(elementwise_step, add, add_op)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK_CAPTURE(elementwise_step, exp, exp_op)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK_CAPTURE(elementwise_step, gelu, gelu_op)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK_CAPTURE(elementwise_step, tanh, tanh_op)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK_CAPTURE(elementwise_step, relu, relu_op)->Unit(benchmark::kMillisecond)->UseRealTime();

}  // namespace
