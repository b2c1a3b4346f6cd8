// Times what goes along rows, on a 4096 x 1024 matrix of float32 (4 Mi), in milliseconds: forward alone, and forward
// and backward through autograd.

#include "tools/bench/op_timing.h"

namespace {

using namespace ff;

constexpr std::int64_t rows = 4096, columns = 1024;

struct Inputs {
  Tensor x, weight, bias, target;

  explicit Inputs(bool requires_grad) {
    manual_seed(1);
    x = randn({rows, columns}, {.requires_grad = requires_grad});
    weight = randn({columns}, {.requires_grad = requires_grad});
    bias = randn({columns}, {.requires_grad = requires_grad});
    target = randint(0, columns, {rows});
  }
};

using Op = Tensor (*)(const Inputs& in);

void rows_forward(benchmark::State& state, Op op) {
  const Inputs in(false);
  bench::time_forward(state, [&] { return op(in); });
}

void rows_step(benchmark::State& state, Op op) {
  const Inputs in(true);
  bench::time_step(state, {in.x, in.weight, in.bias}, [&] { return op(in); });
}

Tensor sum_op(const Inputs& in) { return sum(in.x); }
Tensor softmax_op(const Inputs& in) { return softmax(in.x, 1); }
Tensor layer_norm_op(const Inputs& in) { return layer_norm(in.x, {columns}, in.weight, in.bias); }
Tensor cross_entropy_op(const Inputs& in) { return cross_entropy(in.x, in.target); }

BENCHMARK_CAPTURE(rows_forward, sum, sum_op)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK_CAPTURE(rows_forward, softmax, softmax_op)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK_CAPTURE(rows_forward, layer_norm, layer_norm_op)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK_CAPTURE(rows_forward, cross_entropy, cross_entropy_op)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK_CAPTURE(rows_step, sum, sum_op)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK_CAPTURE(rows_step, softmax, softmax_op)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK_CAPTURE(rows_step, layer_norm, layer_norm_op)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK_CAPTURE(rows_step, cross_entropy, cross_entropy_op)->Unit(benchmark::kMillisecond)->UseRealTime();

}  // namespace
