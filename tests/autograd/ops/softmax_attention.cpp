#include <cmath>

#include <doctest/doctest.h>

#include "ff/autograd/engine.h"
#include "ff/autograd/ops/ops.h"
#include "ff/core/error.h"

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

TEST_CASE("softmax_attention: heads that share keys and values see what repeated ones would, forward and backward") {
  manual_seed(6);
  // Strided as a projection leaves them, (B, N, H, D).
  const auto make = [](std::int64_t n, std::int64_t heads, std::int64_t features) {
    return transpose(randn({2, n, heads, features}), 1, 2).detach();
  };
  const Tensor q = make(90, 6, 16), k = make(130, 2, 16), v = make(130, 2, 8), c = randn({2, 6, 90, 8});
  const auto repeated = [](const Tensor& x) {
    return reshape(broadcast_to(unsqueeze(x, 2), {2, 2, 3, x.size(2), x.size(3)}), {2, 6, x.size(2), x.size(3)});
  };
  auto run = [&](bool share) {
    std::vector<Tensor> in;
    for (const Tensor& x : {q, k, v}) in.push_back(x.detach().requires_grad_());
    const SoftmaxAttentionOptions o{.causal = true, .dropout = 0.2, .random = RandomKey{1, 17}};
    const Tensor y = share ? softmax_attention(in[0], in[1], in[2], o)
                           : softmax_attention(in[0], repeated(in[1]), repeated(in[2]), o);
    std::vector<Tensor> all = grad({y}, in, {c});
    all.push_back(y.detach());
    return all;
  };
  const auto shared = run(true), copied = run(false);
  CHECK(shared[3].to_vector<float>() == copied[3].to_vector<float>());
  CHECK(shared[0].to_vector<float>() == copied[0].to_vector<float>());
  for (std::size_t i : {1, 2}) {
    CHECK(shared[i].shape() == (i == 1 ? k : v).shape());
    const auto d = test::largest_difference(shared[i].to_vector<float>(), copied[i].to_vector<float>(), k.shape());
    CHECK_MESSAGE(d.relative <= 1e-6, d.str());
  }
}

TEST_CASE("attention: heads of keys that do not divide those of queries are named") {
  const Tensor q = zeros({1, 4, 2, 3}), k = zeros({1, 3, 2, 3});
  CHECK_THROWS_WITH_AS(softmax_attention(q, k, k),
                       doctest::Contains("[softmax_attention] the heads of k and v must be those of q, or divide them: "
                                         "q (1, 4, 2, 3), k (1, 3, 2, 3), v (1, 3, 2, 3)"),
                       Error);
  CHECK_THROWS_WITH_AS(fourier_attention(q, zeros({1, 2, 2, 3}), k, ones({})), doctest::Contains("are needed"), Error);
}

TEST_CASE("attention: few queries that need no gradient, which have kernels of their own, come to the same") {
  manual_seed(4);
  const Tensor R = rand({4, 6}) + 0.5, cache = randn({2, 2, 40, 6}), mask = gt(randn({40}), -1.0);
  const Tensor turned = transpose(randn({2, 2, 6, 40}), 2, 3);  // keys whose features do not lie together
  for (const std::int64_t n : {1, 2, 8, 9}) {
    for (const std::int64_t m : {9, 33, 40}) {
      const Tensor q = randn({2, 4, n, 6}), recorded = q.copy().requires_grad_(), v = narrow(cache, 2, 0, m);
      for (const Tensor& k : {narrow(cache, 2, 0, m), narrow(turned, 2, 0, m)}) {
        const Tensor seen = narrow(mask, 0, 0, m);
        auto compare = [&](const Tensor& got, const Tensor& want) {
          INFO(n, " queries, ", m, " keys");
          CHECK(!got.requires_grad());
          const auto d = test::largest_difference(got.to_vector<float>(), want.to_vector<float>(), got.shape());
          CHECK_MESSAGE(d.absolute <= 4e-6, d.str());
        };
        const SoftmaxAttentionOptions softmax{.causal = true, .mask = seen, .scale = 0.7};
        compare(softmax_attention(q, k, v, softmax), softmax_attention(recorded, k, v, softmax));
        const FourierAttentionOptions fourier{.power = 3, .epsilon = 1e-3, .causal = true, .mask = seen};
        compare(fourier_attention(q, k, v, R, fourier), fourier_attention(recorded, k, v, R, fourier));
      }
    }
  }
}
