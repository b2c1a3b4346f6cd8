#include "ff/models/block.h"

#include <doctest/doctest.h>

#include "ff/autograd/grad_mode.h"
#include "ff/autograd/ops/ops.h"
#include "ff/core/random.h"

#include "tests/support/compare.h"

using namespace ff;
using namespace ff::models;
using namespace ff::test;

namespace {

BlockOptions small(NormOrder order, nn::AttentionKind attention = nn::AttentionKind::fourier) {
  BlockOptions options{.width = 8, .heads = 2, .hidden = 12, .norm_order = order};
  options.attention.attention = attention;
  return options;
}

std::vector<std::string> names_of(const Block& block) {
  std::vector<std::string> names;
  for (const auto& [name, tensor] : block.parameters()) names.push_back(name);
  return names;
}

}  // namespace

TEST_CASE("block: its parameters are named as in timm") {
  BlockOptions options = small(NormOrder::before);
  options.attention.qkv_bias = true;
  CHECK(names_of(Block(options)) == std::vector<std::string>{"norm1.weight", "norm1.bias", "attn.R", "attn.qkv.weight",
                                                             "attn.qkv.bias", "attn.proj.weight", "attn.proj.bias",
                                                             "norm2.weight", "norm2.bias", "mlp.fc1.weight",
                                                             "mlp.fc1.bias", "mlp.fc2.weight", "mlp.fc2.bias"});
  options = small(NormOrder::after, nn::AttentionKind::softmax);
  options.attention.proj_bias = false;
  CHECK(names_of(Block(options)) ==
        std::vector<std::string>{"norm1.weight", "norm1.bias", "attn.qkv.weight", "attn.proj.weight", "norm2.weight",
                                 "norm2.bias", "mlp.fc1.weight", "mlp.fc1.bias", "mlp.fc2.weight", "mlp.fc2.bias"});
}

TEST_CASE("block: normalises before each branch, or after each sum") {
  manual_seed(3);
  const Tensor x = randn({2, 5, 8});
  Block before(small(NormOrder::before)), after(small(NormOrder::after));
  {
    const Tensor y = x + before.attn(before.norm1(x));
    const Tensor z = y + before.mlp(before.norm2(y));
    CHECK(same_bits(before(x).to_vector<float>(), z.to_vector<float>()));
  }
  {
    const Tensor y = after.norm1(x + after.attn(x));
    const Tensor z = after.norm2(y + after.mlp(y));
    CHECK(same_bits(after(x).to_vector<float>(), z.to_vector<float>()));
    // Each token comes out normalised.
    const auto means = mean(after(x), {2}).to_vector<double>(), vars = var(after(x), {2}, 0).to_vector<double>();
    CHECK_MESSAGE(largest_difference(means, std::vector<double>(10, 0)).absolute < 1e-6, "means are not 0");
    CHECK_MESSAGE(largest_difference(vars, std::vector<double>(10, 1)).absolute < 1e-3, "variances are not 1");
  }
}

TEST_CASE("block: a gradient reaches every parameter") {
  for (const NormOrder order : {NormOrder::before, NormOrder::after})
    for (const auto attention : {nn::AttentionKind::fourier, nn::AttentionKind::softmax}) {
      manual_seed(4);
      BlockOptions options = small(order, attention);
      options.attention.qkv_bias = true;
      Block block(options);
      const Tensor cotangent = randn({2, 5, 8});
      sum(block(randn({2, 5, 8})) * cotangent).backward();
      CHECK(block.parameters_without_grad().empty());
      for (const auto& parameter : block.parameters()) {
        const Tensor largest = max(abs(parameter.second.grad()));
        CHECK_MESSAGE(largest.item<double>() > 0, parameter.first);
      }
    }
}

TEST_CASE("block: stochastic depth skips branches of whole samples, in training alone") {
  manual_seed(5);
  BlockOptions options = small(NormOrder::before);
  options.drop_path = 0.9;
  Block block(options);
  const Tensor x = randn({64, 3, 8}), y = block(x);
  int untouched = 0;
  for (std::int64_t i = 0; i < 64; ++i)
    untouched += same_bits(select(x, 0, i).to_vector<float>(), select(y, 0, i).to_vector<float>());
  CHECK(untouched > 32);  // 0.81 are expected to skip both branches
  CHECK(untouched < 64);

  block.eval();
  Block plain(small(NormOrder::before));
  plain.load_state_dict(block.state_dict());
  CHECK(same_bits(block(x).to_vector<float>(), plain(x).to_vector<float>()));
}

TEST_CASE("block: stochastic depth grows in a straight line") {
  CHECK(drop_path_at(0, 5, 0.2) == 0);
  CHECK(drop_path_at(2, 5, 0.2) == doctest::Approx(0.1));
  CHECK(drop_path_at(4, 5, 0.2) == doctest::Approx(0.2));
  CHECK(drop_path_at(0, 1, 0.2) == 0);
}

TEST_CASE("block: token by token with a cache, normalising before or after") {
  const NoGrad no_grad;
  for (const NormOrder order : {NormOrder::before, NormOrder::after}) {
    for (const auto attention : {nn::AttentionKind::fourier, nn::AttentionKind::softmax}) {
      manual_seed(5);
      BlockOptions options = small(order, attention);
      options.attention.causal = true;
      Block block(options);
      block.eval();
      const Tensor x = randn({2, 9, 8}), whole = block(x);
      nn::KeyValueCache cache = block.attn.make_cache(2, 9);
      for (std::int64_t i = 0; i < 9; ++i) {
        const Tensor y = block(narrow(x, 1, i, 1), {.cache = &cache});
        const auto difference = largest_difference(y.to_vector<float>(), narrow(whole, 1, i, 1).to_vector<float>());
        CAPTURE(i);
        CHECK_MESSAGE(difference.relative < 4e-6, difference.str());
      }
    }
  }
}
