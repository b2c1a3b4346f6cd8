// Hooks on accumulated gradients; those on tensors are tested with the engine.

#include <doctest/doctest.h>

#include "ff/autograd/engine.h"
#include "ff/autograd/grad_mode.h"
#include "ff/autograd/ops/ops.h"
#include "ff/core/error.h"

using namespace ff;

TEST_CASE("a hook on an accumulated gradient sees the sum, once a pass, and can be taken away") {
  const Tensor x = Tensor::from({1.0, 2.0}).requires_grad_();
  std::vector<double> seen;
  const int id = x.register_post_accumulate_grad_hook([&](const Tensor& leaf) {
    seen.push_back(sum(leaf.grad()).item<double>());
    CHECK(leaf.requires_grad());
  });
  sum(x * 2 + x).backward();
  sum(x).backward();
  CHECK(seen == std::vector<double>{6, 8});
  grad({sum(x)}, {x});  // accumulates nothing
  CHECK(seen.size() == 2);
  x.remove_hook(id);
  sum(x).backward();
  CHECK(seen.size() == 2);
}

TEST_CASE("a hook may update the leaf and drop its gradient while backward goes on") {
  const Tensor x = Tensor::from({1.0}).requires_grad_(), w = Tensor::from({3.0}).requires_grad_();
  for (const Tensor& leaf : {x, w})
    leaf.register_post_accumulate_grad_hook([](const Tensor& p) {
      const NoGrad no_grad;
      p.assign(p.detach() - 0.1 * p.grad());
      p.set_grad({});
    });
  sum(exp(x) + w * 2).backward();
  CHECK(!x.grad().defined());
  CHECK(w.item<double>() == doctest::Approx(2.8));
  CHECK_THROWS_WITH_AS((x * 2).register_post_accumulate_grad_hook([](const Tensor&) {}), doctest::Contains("a leaf"),
                       Error);
}

TEST_CASE("a tensor with hooks is freed") {
  std::weak_ptr<Storage> storage;
  {
    const Tensor x = Tensor::from({1.0}).requires_grad_();
    storage = x.storage();
    x.register_post_accumulate_grad_hook([](const Tensor&) {});
    x.register_hook([](const Tensor& g) { return g; });
    sum(x).backward();
  }
  CHECK(storage.expired());
}
