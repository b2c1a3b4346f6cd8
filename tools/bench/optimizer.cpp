// Times an update of DeiT-tiny's 5.7 M parameters, in milliseconds. Its bytes a second are those of reading parameter,
// gradient and both means, and writing all but the gradient.

#include "tools/bench/op_timing.h"

namespace {

using namespace ff;

void adamw_step(benchmark::State& state) {
  manual_seed(1);
  models::VisionTransformer model(
      {.image_size = 224, .patch_size = 16, .channels = 3, .classes = 1000, .width = 192, .depth = 12, .heads = 3});
  const NamedTensors parameters = model.parameters();
  for (const auto& [name, parameter] : parameters) parameter.set_grad(randn(parameter.shape()));
  optim::AdamW optimizer(parameters);
  optimizer.step();
  for (auto _ : state) optimizer.step();
  bench::count_bytes(state, 7.0 * 4 * static_cast<double>(model.num_parameters()));
}

BENCHMARK(adamw_step)->Unit(benchmark::kMillisecond)->UseRealTime();

}  // namespace
