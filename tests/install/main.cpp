#include <cstdio>

#include "ff/ff.h"

struct Classifier : ff::nn::Module {
  ff::nn::Linear hidden{2, 64}, out{64, 2};
  Classifier() {
    add("hidden", hidden);
    add("out", out);
  }
  ff::Tensor forward(const ff::Tensor& x) override { return out(ff::gelu(hidden(x))); }
};

int main() {
  ff::manual_seed(1);
  // Points of the plane, and whether each lies outside the unit circle.
  ff::Tensor points = ff::randn({1024, 2});
  ff::Tensor labels = ff::cast(ff::gt(ff::sum(ff::square(points), {1}), 1.0), ff::i64);

  Classifier model;
  ff::optim::AdamW optimizer(model.parameters(), {.lr = 1e-2, .weight_decay = 0.01});
  for (int step = 1; step <= 200; ++step) {
    ff::Tensor loss = ff::cross_entropy(model.forward(points), labels);
    optimizer.zero_grad();
    loss.backward();
    optimizer.step();
    if (step % 50 == 0) std::printf("step %3d  loss %.4f\n", step, loss.item<double>());
  }
  ff::save_safetensors("classifier.safetensors", model.state_dict());
}
