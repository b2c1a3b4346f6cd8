#include <cmath>
#include <map>

#include <doctest/doctest.h>

#include "ff/autograd/ops/ops.h"
#include "ff/core/parallel.h"
#include "ff/core/random.h"
#include "ff/models/run_config.h"
#include "ff/models/vision/model.h"
#include "ff/optim/optim.h"

#include "tests/support/compare.h"
#include "tests/support/errors.h"
#include "tests/support/files.h"

using namespace ff;
using namespace ff::models;
using namespace ff::test;

namespace {

constexpr auto kinds = {nn::AttentionKind::fourier, nn::AttentionKind::softmax};

VisionModelConfig deit_tiny(nn::AttentionKind attention) {
  VisionModelConfig config{.image_size = 224, .patch_size = 16, .channels = 3, .classes = 1000};
  config.width = 192;
  config.depth = 12;
  config.heads = 3;
  config.attention.attention = attention;
  return config;
}

VisionModelConfig small(nn::AttentionKind attention) {
  VisionModelConfig config{.image_size = 8, .patch_size = 4, .channels = 2, .classes = 3};
  config.width = 16;
  config.depth = 2;
  config.heads = 2;
  config.attention.attention = attention;
  return config;
}

}  // namespace

TEST_CASE("vision transformer: DeiT's configurations have their published numbers of parameters") {
  const auto parameters = [](const std::string& name, const Overrides& overrides) {
    const std::string path = std::string(FF_SOURCE_DIR) + "/models/configs/" + name + ".json";
    return VisionTransformer(RunConfig::read(path, overrides).vision.model).num_parameters();
  };
  const auto check = [&](const std::string& name, std::int64_t plain, std::int64_t distilled) {
    const std::string softmax = "model.attention=softmax", both = "model.distilled=true";
    CHECK(parameters(name, {softmax}) == plain);
    CHECK(parameters(name, {}) == plain + 12);  // an R a layer
    CHECK(parameters(name, {softmax, both}) == distilled);
  };
  check("deit_tiny", 5'717'416, 5'910'800);
  check("deit_small", 22'050'664, 22'436'432);
  check("deit_base", 86'567'656, 87'338'192);
  // At 384 x 384 there are 576 patches in the place of 196.
  CHECK(parameters("deit_tiny", {"model.image_size=384", "data.eval_resize=438"}) ==
        5'717'416 + 12 + (576 - 196) * 192);
}

TEST_CASE("vision transformer: parameters are named and shaped as in timm") {
  VisionTransformer model(deit_tiny(nn::AttentionKind::softmax));
  std::map<std::string, Shape> shapes;
  for (const auto& [name, tensor] : model.state_dict()) shapes[name] = tensor.shape();
  CHECK(shapes.size() == 4 + 12 * 12 + 4);
  CHECK(shapes.at("cls_token") == Shape{1, 1, 192});
  CHECK(shapes.at("pos_embed") == Shape{1, 197, 192});
  CHECK(shapes.at("patch_embed.proj.weight") == Shape{192, 3, 16, 16});
  CHECK(shapes.at("blocks.11.norm1.weight") == Shape{192});
  CHECK(shapes.at("blocks.0.attn.qkv.weight") == Shape{576, 192});
  CHECK(shapes.at("blocks.0.attn.qkv.bias") == Shape{576});
  CHECK(shapes.at("blocks.0.attn.proj.bias") == Shape{192});
  CHECK(shapes.at("blocks.0.mlp.fc1.weight") == Shape{768, 192});
  CHECK(shapes.at("norm.weight") == Shape{192});
  CHECK(shapes.at("head.weight") == Shape{1000, 192});
}

TEST_CASE("vision transformer: starts as DeiT does") {
  manual_seed(1);
  VisionTransformer model(deit_tiny(nn::AttentionKind::fourier));
  for (const auto& parameter : model.parameters()) {
    const auto& name = parameter.first;
    const Tensor& tensor = parameter.second;
    if (name == "patch_embed.proj.bias" || name == "patch_embed.proj.weight") continue;
    INFO(name);
    if (name.ends_with(".R")) {
      CHECK(tensor.item<double>() == 1);
    } else if (name.find("norm") != std::string::npos && name.ends_with("weight")) {
      CHECK(min(tensor).item<double>() == 1);
    } else if (name.ends_with("bias")) {
      CHECK(max(abs(tensor)).item<double>() == 0);
    } else {
      CHECK(std::abs(mean(tensor).item<double>()) < 0.006);
      CHECK(std::sqrt(var(tensor).item<double>()) == doctest::Approx(0.02).epsilon(0.2));
    }
  }
  manual_seed(1);
  VisionTransformer twin(deit_tiny(nn::AttentionKind::fourier));
  CHECK(same_bits(model.head.weight.to_vector<float>(), twin.head.weight.to_vector<float>()));
}

TEST_CASE("vision transformer: a patch becomes a token, row by row of the image") {
  manual_seed(2);
  PatchEmbed embed(2, 3, 5);
  const Tensor image = randn({1, 2, 6, 9});
  const Tensor tokens = embed(image);
  REQUIRE(tokens.shape() == Shape{1, 6, 5});
  const auto pixels = image.to_vector<double>(), weight = embed.proj.weight.to_vector<double>(),
             bias = embed.proj.bias.to_vector<double>();
  std::vector<double> want;
  for (int down = 0; down < 2; ++down)
    for (int right = 0; right < 3; ++right)
      for (std::size_t o = 0; o < 5; ++o) {
        double value = bias[o];
        for (int c = 0; c < 2; ++c)
          for (int y = 0; y < 3; ++y)
            for (int x = 0; x < 3; ++x)
              value += weight[o * 18 + static_cast<std::size_t>(c * 9 + y * 3 + x)] *
                       pixels[static_cast<std::size_t>(c * 54 + (down * 3 + y) * 9 + right * 3 + x)];
        want.push_back(value);
      }
  const auto difference = largest_difference(tokens.to_vector<float>(), want, tokens.shape());
  CHECK_MESSAGE(difference.relative < 1e-6, difference.str());
}

TEST_CASE("vision transformer: logits depend on every pixel, and on an image's own alone") {
  for (const auto kind : kinds) {
    manual_seed(3);
    VisionTransformer model(small(kind));
    const Tensor images = randn({3, 2, 8, 8});
    const auto logits = model(images).to_vector<float>();
    REQUIRE(logits.size() == 9);
    for (std::int64_t pixel = 0; pixel < 128; pixel += 5) {
      const Tensor changed = images.copy();
      changed.data<float>()[128 + pixel] += 1;
      const auto other = model(changed).to_vector<float>();
      CHECK(!same_bits(std::span(logits).subspan(3, 3), std::span(other).subspan(3, 3)));
      CHECK(same_bits(std::span(logits).first(3), std::span(other).first(3)));
      CHECK(same_bits(std::span(logits).last(3), std::span(other).last(3)));
    }
  }
}

TEST_CASE("vision transformer: learns a handful of images by heart, the same at any thread count") {
  for (const auto kind : kinds) {
    std::vector<std::vector<float>> weights;
    for (const int threads : {1, 2, 4}) {
      set_num_threads(threads);
      manual_seed(4);
      VisionTransformer model(small(kind));
      optim::AdamW optimizer(model.parameters(), {.lr = 3e-3});
      const Tensor images = randn({12, 2, 8, 8}), labels = randint(0, 3, {12});
      double first = 0, last = 0;
      for (int step = 0; step < 60; ++step) {
        const Tensor loss = cross_entropy(model(images), labels);
        optimizer.zero_grad();
        loss.backward();
        optimizer.step();
        (step == 0 ? first : last) = loss.item<double>();
      }
      CHECK(first > 0.8);
      CHECK(last < 0.1);
      weights.emplace_back();
      for (const auto& [name, tensor] : model.parameters())
        for (const float w : tensor.to_vector<float>()) weights.back().push_back(w);
    }
    CHECK(same_bits(weights[0], weights[1]));
    CHECK(same_bits(weights[0], weights[2]));
  }
}

TEST_CASE("vision transformer: what does not fit is refused") {
  VisionModelConfig config = small(nn::AttentionKind::fourier);
  config.patch_size = 3;
  CHECK(error_of([&] { VisionTransformer model(config); }) ==
        "[VisionTransformer] patches of 3 do not divide an image of 8");
  VisionTransformer model(small(nn::AttentionKind::fourier));
  CHECK(
      error_of([&] {
        model(randn({1, 1, 8, 8}));
      }).starts_with("[VisionTransformer] images must be (B, 2, 8, 8); their shape is (1, 1, 8, 8) (at tests/models/"));
  CHECK(contains(error_of([&] { model(randn({2, 8, 8})); }), {"[VisionTransformer]", "(2, 8, 8)"}));
}
