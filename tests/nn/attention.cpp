#include "ff/nn/attention.h"

#include <cmath>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "ff/autograd/grad_mode.h"
#include "ff/autograd/ops/ops.h"
#include "ff/core/error.h"
#include "ff/core/parallel.h"
#include "ff/nn/init.h"

#include "tests/support/compare.h"
#include "tests/support/errors.h"

using namespace ff;
using nn::AttentionKind;
using nn::RadiusShape;

namespace {

constexpr std::int64_t B = 2, N = 7, M = 5, H = 3, D = 4, dim = H * D;

// (B, N, dim), the part-th third of the projection's rows applied to x, as (B, H, N, D).
Tensor third(nn::MultiHeadAttention& attention, const Tensor& x, std::int64_t part) {
  const Tensor weight = slice(attention.qkv.weight, 0, part * dim, (part + 1) * dim);
  Tensor y = matmul(x, transpose(weight, 0, 1));
  if (attention.qkv.bias.defined()) y = y + slice(attention.qkv.bias, 0, part * dim, (part + 1) * dim);
  return permute(reshape(y, {x.size(0), x.size(1), H, D}), {0, 2, 1, 3});
}

// The module written out in plain ops.
Tensor composed(nn::MultiHeadAttention& attention, const nn::AttentionOptions& options, const Tensor& x,
                const nn::AttentionInputs& inputs) {
  const Tensor& context = inputs.context.defined() ? inputs.context : x;
  const Tensor q = third(attention, x, 0), k = third(attention, context, 1), v = third(attention, context, 2);
  const Tensor y =
      options.attention == AttentionKind::softmax
          ? softmax_attention_composed(q, k, v, {.causal = options.causal, .mask = inputs.mask})
          : fourier_attention_composed(
                q, k, v, attention.R,
                {.power = options.power, .epsilon = options.epsilon, .causal = options.causal, .mask = inputs.mask});
  return linear(reshape(permute(y, {0, 2, 1, 3}), {x.size(0), x.size(1), dim}), attention.proj.weight,
                attention.proj.bias);
}

void check_close(const std::string& what, const Tensor& got, const Tensor& want, double tolerance) {
  REQUIRE(got.shape() == want.shape());
  const auto d = test::largest_difference(got.to_vector<double>(), want.to_vector<double>(), got.shape());
  CHECK_MESSAGE(d.relative < tolerance, fmt::format("{}: {}", what, d.str()));
}

// Output and all gradients of the module against those of the composition, from a random cotangent.
void compare(const std::string& what, const nn::AttentionOptions& options, bool cross, const Tensor& mask,
             DType dtype) {
  nn::MultiHeadAttention attention(dim, H, options);
  attention.to(dtype);
  const Tensor x = randn({B, N, dim}, {.dtype = dtype, .requires_grad = true});
  const Tensor context = cross ? randn({B, M, dim}, {.dtype = dtype, .requires_grad = true}) : Tensor();
  const nn::AttentionInputs inputs{.context = context, .mask = mask};
  const Tensor cotangent = randn({B, N, dim}, {.dtype = dtype});
  auto wanted = attention.parameters();
  wanted.emplace_back("x", x);
  if (cross) wanted.emplace_back("context", context);

  std::vector<Tensor> grads;
  const Tensor y = attention(x, inputs);
  y.backward(cotangent);
  for (const auto& entry : wanted) {
    REQUIRE_MESSAGE(entry.second.grad().defined(), what << ": no gradient of " << entry.first);
    grads.push_back(entry.second.grad());
    entry.second.set_grad({});
  }
  const Tensor want = composed(attention, options, x, inputs);
  want.backward(cotangent);
  const double tolerance = dtype == f64 ? 1e-10 : 2e-4;
  check_close(what + ", output", y, want, dtype == f64 ? 1e-10 : 1e-5);
  for (std::size_t i = 0; i < wanted.size(); ++i)
    check_close(what + ", gradient of " + wanted[i].first, grads[i], wanted[i].second.grad(), tolerance);
}

}  // namespace

TEST_CASE("attention module: equal to the composition of plain ops, outputs and gradients, both kinds") {
  manual_seed(11);
  const Tensor self_mask = lt(rand({B, 1, N, N}), 0.7), cross_mask = lt(rand({B, H, N, M}), 0.7);
  for (DType dtype : {f32, f64})
    for (AttentionKind kind : {AttentionKind::fourier, AttentionKind::softmax}) {
      const std::string what =
          fmt::format("{} {}", kind == AttentionKind::fourier ? "fourier" : "softmax", name(dtype));
      compare(what, {.attention = kind}, false, {}, dtype);
      compare(what + " biases", {.attention = kind, .qkv_bias = true, .proj_bias = false}, false, {}, dtype);
      compare(what + " causal", {.attention = kind, .causal = true}, false, {}, dtype);
      compare(what + " mask", {.attention = kind, .qkv_bias = true}, false, self_mask, dtype);
      compare(what + " cross", {.attention = kind, .qkv_bias = true}, true, {}, dtype);
      compare(what + " cross mask", {.attention = kind}, true, cross_mask, dtype);
    }
  for (RadiusShape shape : {RadiusShape::scalar, RadiusShape::feature, RadiusShape::head_feature})
    compare(fmt::format("radius shape {}", static_cast<int>(shape)),
            {.power = 2, .epsilon = 1e-6, .radius = 1.5, .radius_shape = shape}, false, {}, f64);
}

TEST_CASE("attention module: parameters have timm's names, and R its shape and start") {
  auto names = [](const nn::AttentionOptions& options) {
    nn::MultiHeadAttention attention(dim, H, options);
    std::vector<std::string> all;
    for (const auto& [name, tensor] : attention.parameters()) all.push_back(name);
    return all;
  };
  using Names = std::vector<std::string>;
  CHECK(names({.qkv_bias = true}) == Names{"R", "qkv.weight", "qkv.bias", "proj.weight", "proj.bias"});
  CHECK(names({.attention = AttentionKind::softmax}) == Names{"qkv.weight", "proj.weight", "proj.bias"});
  CHECK(names({.proj_bias = false, .learn_radius = false}) == Names{"qkv.weight", "proj.weight"});

  nn::MultiHeadAttention fixed(dim, H, {.radius = 2, .learn_radius = false});
  CHECK(fixed.state_dict().at("R").item<float>() == 2);
  CHECK_FALSE(fixed.R.requires_grad());
  CHECK(nn::MultiHeadAttention(dim, H).R.shape() == Shape{});
  CHECK(nn::MultiHeadAttention(dim, H, {.radius_shape = RadiusShape::feature}).R.shape() == Shape{D});
  nn::MultiHeadAttention each(dim, H, {.radius = 2, .radius_shape = RadiusShape::head_feature});
  CHECK(each.R.to_vector<float>() == std::vector<float>(H * D, 2));
  CHECK(each.R.shape() == Shape{H, D});
  CHECK_FALSE(nn::MultiHeadAttention(dim, H, {.attention = AttentionKind::softmax}).R.defined());
}

TEST_CASE("attention module: the heads' outputs can be seen, and laid out so that joining them copies nothing") {
  nn::MultiHeadAttention attention(dim, H);
  Tensor seen;
  attention.heads.register_forward_hook(
      [&](nn::Module&, const Tensor&, const Tensor& y) { return seen = y, Tensor(); });
  const Tensor x = randn({B, N, dim});
  const Tensor y = attention(x);
  CHECK(seen.shape() == Shape{B, H, N, D});
  const Tensor joined = reshape(transpose(seen, 1, 2), {B, N, dim});
  CHECK(joined.raw() == seen.raw());
  CHECK(attention.proj(joined).to_vector<float>() == y.to_vector<float>());
}

TEST_CASE("attention module: weights of any rows, and what they make of the values, causal and with masks") {
  manual_seed(23);
  const std::int64_t heads = 2, features = 4;
  const Tensor x = randn({2, 11, 8});
  for (const auto kind : {nn::AttentionKind::fourier, nn::AttentionKind::softmax})
    for (const bool causal : {false, true})
      for (const Tensor& mask : {Tensor(), lt(rand({2, 1, 11, 11}), 0.7), lt(rand({11}), 0.7)}) {
        nn::MultiHeadAttention attention(heads * features, heads,
                                         {.attention = kind, .attn_drop = 0.5, .causal = causal});
        Tensor whole, outputs;
        std::vector<Tensor> pieces;
        attention.observer = [&](const nn::MultiHeadAttention& self, const nn::AttentionView& view) {
          whole = self.weights(view, 0, 11);
          outputs = view.y;
          for (const auto& [begin, end] : {std::pair{0, 1}, {1, 2}, {2, 10}, {10, 11}})
            pieces.push_back(self.weights(view, begin, end));
          CHECK(test::contains(test::error_of([&] { self.weights(view, 3, 3); }), {"rows 3 .. 3 of 11"}));
          CHECK(test::contains(test::error_of([&] { self.weights(view, 3, 12); }), {"rows 3 .. 12 of 11"}));
        };
        attention.eval();
        attention(x, {.mask = mask});
        const Tensor joined = concatenate(pieces, 2);
        REQUIRE(joined.shape() == Shape{2, 2, 11, 11});
        check_close("rows", joined, whole, 1e-6);
        const Tensor values = select(reshape(attention.qkv(x), {2, 11, 3, heads, features}), 2, 2);
        check_close("weighted values", matmul(whole, transpose(values, 1, 2)), outputs, 1e-5);
        if (causal) CHECK(select(select(whole, 2, 0), 2, 1).to_vector<float>() == std::vector<float>(4, 0));
        if (mask.defined() && mask.rank() == 1)
          for (std::int64_t j = 0; j < 11; ++j)
            if (select(mask, 0, j).item<int>() == 0) CHECK(sum(select(whole, 3, j)).item<float>() == 0);
      }
}

TEST_CASE("attention module: hooks on the module see the main input, whichever way it is called") {
  nn::MultiHeadAttention attention(dim, H);
  int calls = 0;
  attention.register_forward_pre_hook([&](nn::Module&, const Tensor& x) { return ++calls, x * 0.0; });
  const Tensor x = randn({B, N, dim}), mask = ones({N, N}, {.dtype = boolean});
  const auto want = attention.forward(zeros({B, N, dim})).to_vector<float>();
  CHECK(attention(x).to_vector<float>() == want);
  CHECK(attention(x, {.mask = mask}).to_vector<float>() == want);
  CHECK(calls == 2);
}

TEST_CASE("attention module: dropout acts in training alone") {
  const Tensor x = randn({B, N, dim});
  for (AttentionKind kind : {AttentionKind::fourier, AttentionKind::softmax})
    for (auto [weights, output] : {std::pair{0.5, 0.0}, std::pair{0.0, 0.5}}) {
      nn::MultiHeadAttention attention(dim, H, {.attention = kind, .attn_drop = weights, .proj_drop = output});
      CHECK(attention(x).to_vector<float>() != attention(x).to_vector<float>());
      attention.eval();
      CHECK(attention(x).to_vector<float>() == attention(x).to_vector<float>());
      manual_seed(5);
      const auto evaluated = attention(x).to_vector<float>();
      attention.train();
      manual_seed(6);
      const auto first = attention(x).to_vector<float>();
      manual_seed(6);
      CHECK(attention(x).to_vector<float>() == first);
      CHECK(first != evaluated);
    }
}

TEST_CASE("attention module: the same to the last bit at any number of threads") {
  const int threads = num_threads();
  auto run = [&](int n) {
    set_num_threads(n);
    manual_seed(8);
    nn::MultiHeadAttention attention(64, 4, {.qkv_bias = true, .attn_drop = 0.1, .causal = true});
    const Tensor x = randn({3, 70, 64});
    sum(square(attention(x))).backward();
    std::vector<float> all;
    for (const auto& [name, tensor] : attention.parameters())
      for (float v : tensor.grad().to_vector<float>()) all.push_back(v);
    return all;
  };
  const auto one = run(1);
  CHECK(test::same_bits(one, run(2)));
  CHECK(test::same_bits(one, run(4)));
  set_num_threads(threads);
}

TEST_CASE("attention module: bad arguments throw") {
  CHECK_THROWS_WITH_AS(nn::MultiHeadAttention(10, 3), "[MultiHeadAttention] 3 heads do not divide width 10", Error);
  CHECK_THROWS_AS(nn::MultiHeadAttention(10, 0), Error);
  CHECK_THROWS_AS(nn::MultiHeadAttention(dim, H, {.attn_drop = 1}), Error);
  CHECK_THROWS_AS(nn::MultiHeadAttention(dim, H, {.power = 0.5}), Error);
  CHECK_THROWS_AS(nn::MultiHeadAttention(dim, H, {.epsilon = -1}), Error);
  nn::MultiHeadAttention attention(dim, H);
  CHECK_THROWS_WITH_AS(
      attention(zeros({B, dim})),
      doctest::Contains(
          "[MultiHeadAttention] the input must be (B, N, 12); its shape is (2, 12) (at tests/nn/attention.cpp:"),
      Error);
  CHECK_THROWS_AS(attention(zeros({B, N, dim}), {.context = zeros({B, N, dim + 1})}), Error);
}
