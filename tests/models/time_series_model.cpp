#include <array>
#include <cmath>
#include <filesystem>
#include <limits>
#include <map>

#include <doctest/doctest.h>

#include "ff/autograd/grad_mode.h"
#include "ff/autograd/ops/ops.h"
#include "ff/core/parallel.h"
#include "ff/core/random.h"
#include "ff/models/classification.h"
#include "ff/models/time_series/model.h"
#include "ff/models/time_series/task.h"
#include "ff/models/trainer.h"

#include "tests/models/train_run.h"
#include "tests/support/compare.h"
#include "tests/support/errors.h"
#include "tests/support/files.h"

using namespace ff;
using namespace ff::models;
using namespace ff::test;

namespace {

constexpr auto kinds = {nn::AttentionKind::fourier, nn::AttentionKind::softmax};
constexpr double absent = std::numeric_limits<double>::quiet_NaN();

TimeSeriesModelConfig small(nn::AttentionKind attention) {
  TimeSeriesModelConfig config{.dimensions = 2, .length = 20, .classes = 3, .patch_size = 4, .stride = 2};
  config.width = 16;
  config.depth = 2;
  config.heads = 2;
  config.attention.attention = attention;
  return config;
}

// Series whose two classes go up and down, of 6 to 12 steps, as a .ts file.
std::string rising_and_falling(int n, unsigned seed) {
  std::string text = "@dimensions 2\n@equalLength false\n@classLabel true up down\n@data\n";
  Generator random(seed);
  for (int i = 0; i < n; ++i) {
    std::array<double, 24> noise{};
    fill_normal(noise.data(), 24, random.next(48));
    const int steps = 6 + i % 7;
    for (int d = 0; d < 2; ++d)
      for (int t = 0; t < steps; ++t) {
        const double slope = i % 2 == 0 ? 1 : -1;
        text += std::to_string(100 + slope * (d + 1) * t + 0.3 * noise[static_cast<std::size_t>(12 * d + t)]);
        text += t + 1 < steps ? "," : ":";
      }
    text += i % 2 == 0 ? "up\n" : "down\n";
  }
  return text;
}

RunConfig tiny_run(const TempDir& dir, nn::AttentionKind attention) {
  dir.write("TRAIN.ts", rising_and_falling(24, 1));
  dir.write("TEST.ts", rising_and_falling(10, 2));
  RunConfig config;
  config.task = Task::time_series;
  config.time_series.model = small(attention);
  config.time_series.model.classes = 2;
  config.time_series.data.path = dir.path("");
  config.time_series.data.jitter = 0.05;
  config.time_series.data.time_warp = 0.1;
  config.train.batch_size = 8;
  config.train.steps = 40;
  config.train.lr = 0.005;
  return config;
}

}  // namespace

TEST_CASE("time series transformer: parameters by name and shape") {
  TimeSeriesTransformer model(small(nn::AttentionKind::fourier));
  std::map<std::string, Shape> shapes;
  for (const auto& [name, tensor] : model.state_dict()) shapes[name] = tensor.shape();
  CHECK(shapes.at("patch_embed.weight") == Shape{16, 2, 4});
  CHECK(shapes.at("pos_embed") == Shape{1, 9, 16});
  CHECK(shapes.at("data_mean") == Shape{2});
  CHECK(shapes.at("blocks.1.attn.R") == Shape{});
  CHECK(shapes.at("head.weight") == Shape{3, 16});
  CHECK(model.tokens(1) == 1);
  CHECK(model.tokens(4) == 1);
  CHECK(model.tokens(5) == 2);
  CHECK(model.tokens(20) == 9);
}

TEST_CASE("time series transformer: padding changes nothing") {
  NoGrad no_grad;
  for (const auto kind : kinds) {
    manual_seed(3);
    TimeSeriesTransformer model(small(kind));
    model.eval();
    for (const std::int64_t steps : {1, 3, 4, 5, 6, 7, 11, 18}) {
      CAPTURE(steps);
      const Tensor series = randn({2, 2, steps});
      const Tensor padded = pad(series, {0, 20 - steps}, PadMode::constant, absent);
      const auto d = largest_difference(model(padded).to_vector<float>(), model(series).to_vector<float>());
      CHECK_MESSAGE(d.relative <= 1e-5, d.str());
    }
  }
}

TEST_CASE("time series transformer: values are standardised, missing ones the mean") {
  NoGrad no_grad;
  manual_seed(3);
  TimeSeriesTransformer model(small(nn::AttentionKind::fourier));
  model.eval();
  const Tensor series = randn({1, 2, 9});
  const std::vector<float> plain = model(series).to_vector<float>();
  model.data_mean.assign(Tensor::from({100.0f, -7.0f}));
  model.data_std.assign(Tensor::from({4.0f, 0.5f}));
  const Tensor raw = series * reshape(model.data_std, {2, 1}) + reshape(model.data_mean, {2, 1});
  auto d = largest_difference(model(raw).to_vector<float>(), plain);
  CHECK_MESSAGE(d.relative <= 1e-4, d.str());
  const Tensor missing = raw.copy(), filled = raw.copy();
  missing(0, 1, 3).fill(absent);
  filled(0, 1, 3).fill(-7);
  CHECK(same_bits(model(missing).to_vector<float>(), model(filled).to_vector<float>()));
  CHECK(model(missing).to_vector<float>() != model(raw).to_vector<float>());
  // Nothing but missing values is an answer all the same.
  for (const float logit : model(raw * absent).to_vector<float>()) CHECK(std::isfinite(logit));
}

TEST_CASE("time series transformer: gradients reach every parameter, the same at any thread count") {
  for (const auto kind : kinds) {
    std::map<int, std::vector<float>> found;
    for (const int threads : {1, 2, 4}) {
      set_num_threads(threads);
      manual_seed(5);
      TimeSeriesTransformer model(small(kind));
      const Tensor series = pad(randn({6, 2, 13}), {0, 3}, PadMode::constant, absent);
      cross_entropy(model(series), Tensor::from({0L, 1L, 2L, 0L, 1L, 2L})).backward();
      CHECK(model.parameters_without_grad().empty());
      for (const auto& [name, tensor] : model.parameters())
        for (const float g : tensor.grad().to_vector<float>()) {
          CHECK(std::isfinite(g));
          found[threads].push_back(g);
        }
    }
    CHECK(same_bits(found[1], found[2]));
    CHECK(same_bits(found[1], found[4]));
  }
  set_num_threads(2);
}

TEST_CASE("time series transformer: refuses what it cannot take") {
  TimeSeriesModelConfig config = small(nn::AttentionKind::softmax);
  TimeSeriesTransformer model(config);
  check_says(error_of([&] { model(randn({1, 3, 5})); }), "series must be (B, 2, up to 20); their shape is (1, 3, 5)");
  check_says(error_of([&] { model(randn({1, 2, 21})); }), "(1, 2, 21)");
  check_says(error_of([&] { model(randn({2, 5})); }), "(2, 5)");
  config.stride = 5;
  check_says(error_of([&] { TimeSeriesTransformer{config}; }), "must be 1 to 4 steps apart, not 5");
}

TEST_CASE("time series: a run learns, and is found again by its folder") {
  for (const auto kind : kinds) {
    const TempDir dir;
    const RunConfig config = tiny_run(dir, kind);
    CHECK(make_training_task(config)->items() == "series");
    const TrainResult result = train_run(config, dir.path("run"));
    const RunFolder folder(dir.path("run"));
    REQUIRE(result.finished);
    CHECK(result.figures.at(1).first == "test_accuracy");
    CHECK(result.figures.at(1).second == 1);
    // The training data, and their statistics, are not needed any more.
    std::filesystem::remove(dir.path("TRAIN.ts"));
    const auto trained = load_trained_task(RunConfig::read(folder.config()), folder);
    trained->model().eval();
    NoGrad no_grad;
    CHECK(trained->evaluate([] { return false; }) == result.figures);
    CHECK(trained->evaluate([] { return true; }).empty());
    // The same classes in another order are not what the outputs of the model stand for.
    std::vector<std::string> classes = load_classes(folder);
    CHECK(classes.size() == 2);
    save_classes(folder, {classes[1], classes[0]});
    CHECK(contains(error_of([&] { load_trained_task(RunConfig::read(folder.config()), folder); }),
                   {"[run]", folder.path(), classes[1] + ", " + classes[0]}));
  }
}

TEST_CASE("time series: files that do not belong together are refused") {
  const TempDir dir;
  const RunConfig config = tiny_run(dir, nn::AttentionKind::softmax);
  std::string text = rising_and_falling(4, 1);
  text.replace(text.find("up down"), 7, "down up");
  dir.write("TEST.ts", text);
  check_says(error_of([&] { make_training_task(config); }), "the classes of TRAIN.ts and TEST.ts are not the same");
}
