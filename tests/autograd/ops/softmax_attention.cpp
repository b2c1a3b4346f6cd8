#include <cmath>

#include <doctest/doctest.h>

#include "ff/autograd/engine.h"
#include "ff/autograd/ops/ops.h"

#include "tests/support/compare.h"

using namespace ff;

TEST_CASE("softmax_attention: fused equals composed, with every option") {
  manual_seed(4);
  using Attention = Tensor (*)(const Tensor&, const Tensor&, const Tensor&, const SoftmaxAttentionOptions&, Where);
  const Tensor q = randn({2, 3, 70, 16}, {.dtype = f64}), k = randn({2, 3, 90, 16}, {.dtype = f64}),
               v = randn({2, 3, 90, 8}, {.dtype = f64});
  const Tensor c = randn({2, 3, 70, 8}, {.dtype = f64}), mask = gt(randn({2, 1, 70, 90}), -1);
  for (const SoftmaxAttentionOptions& o : std::vector<SoftmaxAttentionOptions>{
           {},
           {.causal = true},
           {.mask = mask, .scale = 2},
           {.causal = true, .mask = mask, .dropout = 0.2, .random = RandomKey{1, 17}}}) {
    auto run = [&](Attention attention) {
      std::vector<Tensor> in;
      for (const Tensor& x : {q, k, v}) in.push_back(x.detach().requires_grad_());
      const Tensor y = attention(in[0], in[1], in[2], o, {});
      std::vector<Tensor> all = grad({y}, in, {c});
      all.push_back(y.detach());
      return all;
    };
    const auto fused = run(softmax_attention), composed = run(softmax_attention_composed);
    for (std::size_t i = 0; i < fused.size(); ++i) {
      const auto d =
          test::largest_difference(fused[i].to_vector<double>(), composed[i].to_vector<double>(), fused[i].shape());
      CHECK_MESSAGE(d.relative <= 1e-12, "result ", i, ": ", d.str());
    }
  }
}

TEST_CASE("softmax_attention: a query that sees no key gives 0, forward and backward") {
  const Tensor mask = reshape(Tensor::from<bool>({true, false, false, false}), {2, 2});
  std::vector<Tensor> in;
  for (int i = 0; i < 3; ++i) in.push_back(randn({1, 1, 2, 4}, {.requires_grad = true}));
  const Tensor y = softmax_attention(in[0], in[1], in[2], {.mask = mask});
  CHECK(max(abs(select(y, 2, 1))).item<double>() == 0);
  sum(y * y).backward();
  for (const Tensor& x : in) CHECK(std::isfinite(sum(x.grad()).item<double>()));
  CHECK(max(abs(select(in[2].grad(), 2, 1))).item<double>() == 0);
}

TEST_CASE("softmax_attention: joining the heads of the result copies nothing") {
  const Tensor x = randn({2, 3, 5, 4});
  const Tensor y = permute(softmax_attention(x, x, x), {0, 2, 1, 3});
  CHECK(y.is_contiguous());
  CHECK(reshape(y, {2, 5, 12}).storage() == y.storage());
}
