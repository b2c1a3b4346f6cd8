#include "ff/models/module_task.h"

#include <cmath>
#include <numeric>
#include <set>

#include <doctest/doctest.h>

#include "ff/autograd/ops/ops.h"
#include "ff/core/random.h"
#include "ff/models/tensor_batches.h"
#include "ff/models/trainer.h"
#include "ff/nn/nn.h"

#include "tests/support/errors.h"

using namespace ff;
using namespace ff::models;
using namespace ff::test;

namespace {

// Row i is (10 i, 10 i + 1), its target i.
std::shared_ptr<TensorBatches> rows(std::int64_t n, const BatchSamplerOptions& options) {
  std::vector<float> inputs;
  std::vector<std::int64_t> targets(static_cast<std::size_t>(n));
  std::iota(targets.begin(), targets.end(), 0);
  for (std::int64_t i = 0; i < n; ++i)
    for (int j = 0; j < 2; ++j) inputs.push_back(static_cast<float>(10 * i + j));
  return std::make_shared<TensorBatches>(Tensor::from(inputs, {n, 2}), Tensor::from(targets, {n}), options);
}

}  // namespace

TEST_CASE("tensor batches: in order, the last one smaller") {
  const auto batches = rows(7, {.batch_size = 3});
  REQUIRE(batches->batches_per_epoch() == 3);
  const Batch last = batches->make({.epoch = 5, .batch = 2});
  CHECK(last.count == 1);
  CHECK(last.inputs.shape() == Shape{1, 2});
  CHECK(last.inputs.to_vector<float>() == std::vector<float>{60, 61});
  CHECK(batches->make({.epoch = 0, .batch = 1}).targets.to_vector<std::int64_t>() ==
        std::vector<std::int64_t>{3, 4, 5});
  CHECK_THROWS_AS(batches->make({.epoch = 0, .batch = 3}), Error);
}

TEST_CASE("tensor batches: shuffled by seed and epoch alone, every sample at most once an epoch, with its target") {
  auto epoch = [](std::uint64_t seed, std::int64_t number) {
    const auto batches = rows(50, {.batch_size = 8, .shuffle = true, .seed = seed});
    std::vector<std::int64_t> targets;
    for (std::int64_t i = 0; i < batches->batches_per_epoch(); ++i) {
      batches->make({.epoch = number + 1, .batch = 0});  // another in between changes nothing
      const Batch batch = batches->make({.epoch = number, .batch = i});
      CHECK(batch.count == 8);
      for (std::int64_t j = 0; j < 8; ++j)
        CHECK(batch.inputs.to_vector<float>()[static_cast<std::size_t>(2 * j)] ==
              10.0f * batch.targets.to_vector<float>()[static_cast<std::size_t>(j)]);
      const auto found = batch.targets.to_vector<std::int64_t>();
      targets.insert(targets.end(), found.begin(), found.end());
    }
    return targets;
  };
  const auto first = epoch(1, 0);
  CHECK(first.size() == 48);
  CHECK(std::set<std::int64_t>(first.begin(), first.end()).size() == 48);
  CHECK(epoch(1, 0) == first);
  CHECK(epoch(1, 1) != first);
  CHECK(epoch(2, 0) != first);
}

TEST_CASE("tensor batches: what does not go together is refused") {
  const Tensor x = Tensor::empty({4, 2}, f32);
  CHECK(contains(error_of([&] { TensorBatches(x, Tensor::empty({3}, i64)); }), {"[tensor_batches]", "(4, 2)", "(3,)"}));
  CHECK(contains(error_of([&] { TensorBatches(x, Tensor::empty({}, i64)); }), {"()"}));
  CHECK(contains(error_of([&] { TensorBatches(x, x, {.batch_size = 5, .shuffle = true}); }), {"4 samples", "of 5"}));
  CHECK(contains(error_of([&] { TensorBatches(x, x, {.batch_size = 0}); }), {"got 0"}));
}

TEST_CASE("module task: losses and figures are means over all samples, also where batches differ in size") {
  manual_seed(1);
  nn::Linear net(2, 7);
  const auto batches = rows(7, {.batch_size = 3});
  ModuleTask task(net, batches, batches, {.also = {{"test_accuracy", accuracy}}});
  CHECK(task.batches_per_epoch() == 3);
  const Figures figures = task.evaluate([] { return false; });
  REQUIRE(figures.size() == 2);
  CHECK(task.evaluate([] { return true; }).empty());

  const Batch all = rows(7, {.batch_size = 7})->make({});
  const std::vector<double> logits = net(all.inputs).to_vector<double>();
  double loss = 0, right = 0;
  for (std::size_t i = 0; i < 7; ++i) {
    const double* row = logits.data() + 7 * i;
    double total = 0;
    for (int j = 0; j < 7; ++j) total += std::exp(row[j] - row[i]);
    loss += std::log(total) / 7;
    right += static_cast<std::size_t>(std::max_element(row, row + 7) - row) == i;
  }
  CHECK(figures[0].first == "test_loss");
  CHECK(figures[0].second == doctest::Approx(loss).epsilon(1e-5));
  CHECK(figures[1].first == "test_accuracy");
  CHECK(figures[1].second == doctest::Approx(right / 7).epsilon(1e-6));
}

TEST_CASE("module task: a regression of one's own is learnt, and goes on at any step") {
  manual_seed(1);
  const Tensor x = randn({64, 3}), y = matmul(x, Tensor::from(std::vector<float>{1, -2, 3}, {3, 1}));
  const auto train = std::make_shared<TensorBatches>(x, y, BatchSamplerOptions{.batch_size = 8, .shuffle = true});
  const auto test = std::make_shared<TensorBatches>(x, y);
  nn::Linear net(3, 1);
  const auto loss = [](const Tensor& outputs, const Tensor& targets) { return mse_loss(outputs, targets); };
  ModuleTask task(net, train, test, {.loss = loss, .items = "points"});
  CHECK(task.items() == "points");
  const TrainConfig config{.steps = 400, .lr = 0.1, .weight_decay = 0};
  const TrainResult result = Trainer(task, config).run();
  CHECK(result.figures.at(0).second < 1e-4);

  std::vector<double> losses;
  task.seek(0);
  for (int i = 0; i < 10; ++i) losses.push_back(task.next_loss().mean.item<double>());
  task.seek(9);
  CHECK(task.next_loss().mean.item<double>() == losses[9]);
  CHECK(contains(error_of([&] { ModuleTask(net, train, nullptr); }), {"[module_task]"}));
}
