// Times a training step of WikiText-103's embedding, 267,735 rows of 128, of which 2,048 tokens take some: forward,
// backward, the gradient's norm and an update of SparseAdam, in milliseconds, with a sparse gradient and without.

#include "tools/bench/op_timing.h"

namespace {

using namespace ff;

void embedding_step(benchmark::State& state) {
  manual_seed(1);
  nn::Embedding table(267735, 128, {.sparse = state.range(0) != 0});
  const Tensor tokens = randint(0, 267735, {8, 256});
  optim::SparseAdam optimizer(table.parameters());
  const auto step = [&] {
    optimizer.zero_grad();
    mean(square(table(tokens))).backward();
    optimizer.step(nn::clip_factor(nn::grad_norm(table.parameters()), 1));
  };
  step();
  for (auto _ : state) step();
}

BENCHMARK(embedding_step)->ArgName("sparse")->Arg(0)->Arg(1)->Unit(benchmark::kMillisecond)->UseRealTime();

}  // namespace
