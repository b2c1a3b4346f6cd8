// The library as a user's program sees it: a module, an optimiser, a training loop.

#include <doctest/doctest.h>

#include "ff/autograd/ops/ops.h"
#include "ff/nn/nn.h"
#include "ff/optim/optim.h"

namespace {

struct Classifier : ff::nn::Module {
  ff::nn::Linear hidden{2, 32}, out{32, 2};
  Classifier() {
    add("hidden", hidden);
    add("out", out);
  }
  ff::Tensor forward(const ff::Tensor& x) { return out(ff::gelu(hidden(x))); }
};

}  // namespace

TEST_CASE("face: a classifier learns exclusive or") {
  ff::manual_seed(1);
  Classifier model;
  ff::optim::AdamW optimizer(model.parameters(), {.lr = 1e-2, .weight_decay = 0.05});
  const ff::Tensor points = ff::Tensor::from(std::vector<float>{0, 0, 0, 1, 1, 0, 1, 1}, {4, 2});
  const ff::Tensor labels = ff::Tensor::from(std::vector<std::int64_t>{0, 1, 1, 0}, {4});
  float first = 0, last = 0;
  for (int step = 0; step < 200; ++step) {
    ff::Tensor loss = ff::cross_entropy(model.forward(points), labels);
    optimizer.zero_grad();
    loss.backward();
    ff::nn::clip_grad_norm(model.parameters(), 1.0);
    optimizer.step();
    last = loss.item<float>();
    if (step == 0) first = last;
  }
  CHECK(first > 0.5f);
  CHECK(last < 0.05f);
  CHECK(ff::argmax(model(points), 1).to_vector<std::int64_t>() == labels.to_vector<std::int64_t>());
}
