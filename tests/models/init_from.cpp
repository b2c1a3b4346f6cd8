#include "ff/models/init_from.h"

#include <doctest/doctest.h>

#include "ff/autograd/ops/ops.h"
#include "ff/core/io/safetensors.h"
#include "ff/core/random.h"
#include "ff/models/vision/model.h"

#include "tests/support/compare.h"
#include "tests/support/errors.h"
#include "tests/support/files.h"

using namespace ff;
using namespace ff::models;
using namespace ff::test;

namespace {

VisionModelConfig config_of(std::int64_t image_size, std::int64_t classes, bool distilled = false) {
  VisionModelConfig config{.image_size = image_size, .patch_size = 4, .channels = 1, .classes = classes};
  config.width = 8, config.depth = 1, config.heads = 2, config.distilled = distilled;
  return config;
}

bool equal(const Tensor& a, const Tensor& b) { return same_bits(a.to_vector<float>(), b.to_vector<float>()); }

}  // namespace

TEST_CASE("init_from: other classes and another image size") {
  manual_seed(1);
  VisionTransformer trained(config_of(16, 10)), model(config_of(24, 3));
  const Tensor head = model.head.weight.copy();
  TempDir dir;
  save_safetensors(dir.path("model.safetensors"), trained.state_dict());
  const InitReport report = init_from(model, dir.path("model.safetensors"));
  CHECK(report.missing.empty());
  CHECK(report.unexpected.empty());
  REQUIRE(report.reshaped.size() == 3);
  CHECK(report.reshaped[0].name == "head.bias");
  CHECK(report.reshaped[1].name == "head.weight");
  CHECK(report.reshaped[1].from == Shape{10, 8});
  CHECK(report.reshaped[1].to == Shape{3, 8});
  CHECK(!report.reshaped[1].interpolated);
  CHECK(report.reshaped[2].name == "pos_embed");
  CHECK(report.reshaped[2].interpolated);
  CHECK(report.loaded.size() + 3 == trained.state_dict().size());
  CHECK(equal(model.head.weight, head));  // as it was initialised
  CHECK(equal(model.patch_embed.proj.weight, trained.patch_embed.proj.weight));
  CHECK(equal(model.pos_embed(0, 0), trained.pos_embed(0, 0)));
  CHECK(equal(model.pos_embed(Slice(), Slice(1, {})),
              interpolate_positions(trained.pos_embed(Slice(), Slice(1, {})), 6)));
}

TEST_CASE("init_from: a distilled model from one that is not, and back") {
  manual_seed(2);
  VisionTransformer plain(config_of(16, 3)), distilled(config_of(16, 3, true));
  const Tensor start = distilled.pos_embed.copy();
  const InitReport there = init_from(distilled, plain.state_dict());
  CHECK(there.missing == std::vector<std::string>{"dist_token", "head_dist.bias", "head_dist.weight"});
  CHECK(equal(distilled.pos_embed(0, 0), plain.pos_embed(0, 0)));
  CHECK(equal(distilled.pos_embed(0, 1), start(0, 1)));
  CHECK(equal(distilled.pos_embed(0, Slice(2, {})), plain.pos_embed(0, Slice(1, {}))));
  VisionTransformer back(config_of(16, 3));
  const InitReport report = init_from(back, distilled.state_dict());
  CHECK(report.unexpected.size() == 3);
  CHECK(equal(back.pos_embed, plain.pos_embed));
}

TEST_CASE("interpolate_positions: rows are rows, a grid keeps its size, what is constant stays so") {
  manual_seed(4);
  const Tensor positions = randn({1, 16, 2});
  CHECK(equal(interpolate_positions(positions, 4), positions));
  const Tensor turned = reshape(transpose(reshape(positions, {4, 4, 2}), 0, 1), {1, 16, 2});
  const auto finer = interpolate_positions(positions, 7), finer_turned = interpolate_positions(turned, 7);
  const Tensor back = reshape(transpose(reshape(finer_turned, {7, 7, 2}), 0, 1), {1, 49, 2});
  const auto d = largest_difference(back.to_vector<float>(), finer.to_vector<float>(), finer.shape());
  CHECK_MESSAGE(d.relative < 1e-6, d.str());
  const Tensor rows =
      reshape(broadcast_to(reshape(arange(0, 4), {4, 1}), {4, 4}), {1, 16, 1});  // of the number of the row
  const Tensor wide = reshape(interpolate_positions(cast(rows, f32), 8), {8, 8});
  CHECK(max(abs(wide - wide(Slice(), Slice(0, 1)))).item<double>() < 1e-6);
  CHECK(min(wide(Slice(1, {})) - wide(Slice(0, -1))).item<double>() > 0);
  CHECK(contains(error_of([&] {
                   interpolate_positions(zeros({1, 15, 2}), 4);
                 }),
                 {"[interpolate_positions]", "(1, 15, 2)"}));
}

TEST_CASE("init_from: a state of another model is refused, and nothing changes") {
  manual_seed(3);
  VisionTransformer model(config_of(16, 3));
  const Tensor before = model.head.weight.copy();
  CHECK(contains(error_of([&] {
                   init_from(model, TensorMap{{"embed.weight", zeros({2, 2})}});
                 }),
                 {"[init_from]", "none of 1 tensors", "embed.weight"}));
  CHECK(
      contains(error_of([&] {
                 init_from(model, TensorMap{{"head.weight", zeros({3, 8}, {.dtype = i64})}, {"head.bias", ones({3})}});
               }),
               {"head.weight", "i64"}));
  CHECK(equal(model.head.weight, before));
  CHECK(max(model.head.bias).item<double>() == 0);
  CHECK(contains(error_of([&] { init_from(model, "no/such/file"); }), {"no/such/file"}));
}
