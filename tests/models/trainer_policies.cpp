// What a Trainer does beside making steps: it ends early, keeps the best, leaves updates out, is told another rate.

#include <cmath>
#include <filesystem>

#include <doctest/doctest.h>

#include "ff/core/io/safetensors.h"

#include "tests/models/line_task.h"
#include "tests/support/compare.h"
#include "tests/support/errors.h"
#include "tests/support/files.h"

using namespace ff;
using namespace ff::test;

namespace {

std::vector<float> weight_in(const std::string& path) { return load_safetensors(path).at("weight").to_vector<float>(); }

struct Outcome {
  TrainResult result;
  std::vector<float> weight;
  std::vector<nlohmann::ordered_json> records;
};

// Trains in a folder, interrupted after each of those steps and resumed by another Trainer of another task.
template <class Prepare>
Outcome train(const RunFolder& run, const TrainConfig& config, Prepare prepare,
              const std::vector<std::int64_t>& interruptions) {
  Outcome outcome;
  for (std::size_t i = 0; i <= interruptions.size(); ++i) {
    LineTask task;
    prepare(task);
    Watcher watcher;
    if (i < interruptions.size()) watcher.stop_after = interruptions[i];
    Trainer trainer(task, config, {.folder = &run, .observer = &watcher, .stop = &watcher.stop});
    const Resumed from = trainer.begin_or_resume();
    CHECK(from.step == (i == 0 ? 0 : interruptions[i - 1]));
    if (!task.scripted.empty()) {  // evaluations so far, one every ten steps
      task.evaluations = static_cast<int>(from.step / 10);
    }
    outcome.result = trainer.run();
    CHECK(outcome.result.finished == (i == interruptions.size()));
    outcome.weight = task.line.weight.to_vector<float>();
    outcome.records.insert(outcome.records.end(), watcher.records.begin(), watcher.records.end());
  }
  return outcome;
}

// The learning rates of a run by step.
std::vector<double> rates(LineTask& task, const TrainConfig& config) {
  Watcher watcher;
  Trainer(task, config, {.observer = &watcher}).run();
  std::vector<double> lr;
  for (const TrainStep& step : watcher.steps) lr.push_back(step.lr);
  return lr;
}

}  // namespace

TEST_CASE("trainer: ends where evaluations are no longer better, and keeps the best model and checkpoint") {
  const TempDir folder;
  TrainConfig config = sgd(200);
  config.patience = 3;
  config.keep_checkpoints = 1;
  const auto prepare = [](LineTask& task) { task.scripted = {5, 4, 4, std::nan(""), 4.5, 1, 1}; };
  for (const bool interrupted : {false, true}) {
    const RunFolder run(folder.path(interrupted ? "stopped" : "whole"));
    const Outcome outcome =
        train(run, config, prepare, interrupted ? std::vector<std::int64_t>{25, 43} : std::vector<std::int64_t>{});
    CHECK(outcome.result.early);
    CHECK(outcome.result.steps == 50);
    CHECK(outcome.result.figures.at(0).second == 4.5);
    const auto summary = run.read_summary();
    CHECK(summary["best_step"] == 20);
    CHECK(summary["best_loss"] == 4);
    CHECK(summary["finished"] == true);
    CHECK(summary["stopped_early"] == true);
    CHECK(weight_in(run.model()) == outcome.weight);
    CHECK(weight_in(run.best_model()) != outcome.weight);
    CHECK(weight_in(run.with_best_model().model()) == weight_in(run.best_model()));

    const auto kept = CheckpointFolder(run.checkpoints()).list();
    REQUIRE(kept.size() == 2);
    CHECK(kept[0].step == 20);
    CHECK(kept[0].best);
    CHECK(kept[1].step == 50);
    CHECK(!kept[1].best);
    const Checkpoint best = load_checkpoint(run.checkpoints() + "/" + kept[0].file);
    CHECK(best.model.at("weight").to_vector<float>() == weight_in(run.best_model()));

    LineTask task;
    Trainer again(task, config, {.folder = &run});
    CHECK(contains(error_of([&] { again.resume(); }), {"nothing left to do", "train.patience", "50 steps"}));
  }
  CHECK(slurp(folder.path("whole/model.safetensors")) == slurp(folder.path("stopped/model.safetensors")));
  CHECK(slurp(folder.path("whole/model-best.safetensors")) == slurp(folder.path("stopped/model-best.safetensors")));
}

TEST_CASE("trainer: the best may be the highest, and is told by the figure that is asked for") {
  LineTask task;
  task.scripted = {1, 3, 2};
  TrainConfig config = sgd(30);
  config.metric_goal = MetricGoal::max;
  const TempDir folder;
  const RunFolder run(folder.path("run"));
  Trainer trainer(task, config, {.folder = &run});
  trainer.begin_or_resume();
  trainer.run();
  CHECK(run.read_summary()["best_step"] == 20);
  config.metric = "test_accuracy";
  CHECK(config.high_is_better());
  config.metric_goal = MetricGoal::automatic;
  CHECK(config.high_is_better());
  LineTask other;
  CHECK(contains(error_of([&] { Trainer(other, config).run(); }), {"train.metric", "\"test_accuracy\"", "test_loss"}));
  config.metric_goal = MetricGoal::min;
  CHECK(!config.high_is_better());
  config.metric = "test_loss", config.metric_goal = MetricGoal::automatic;
  CHECK(!config.high_is_better());
}

TEST_CASE("trainer: an update that is not finite is left out, as if its batch had not been") {
  for (const bool gradient : {false, true}) {
    const TempDir folder;
    TrainConfig config = sgd(20);
    config.optimizer = OptimizerKind::adam;
    config.ema_decay = 0.9;
    config.non_finite = NonFinitePolicy::skip;
    const RunFolder run(folder.path("run")), stopped(folder.path("stopped"));
    const auto poison = [&](LineTask& task) { (gradient ? task.exploding : task.poisoned) = 7; };
    const Outcome outcome = train(run, config, poison, {});
    CHECK(outcome.result.steps == 20);
    CHECK(run.read_summary()["left_out_updates"] == 1);
    const Checkpoint checkpoint = newest(run);
    CHECK(checkpoint.state.non_finite.updates == 1);
    CHECK(checkpoint.state.non_finite.in_a_row == 0);
    CHECK(checkpoint.state.step == 20);
    CHECK(checkpoint.optimizer.at("weight.step").item<std::int64_t>() == 19);
    for (const TensorMap& tensors : {checkpoint.model, checkpoint.optimizer, checkpoint.average})
      for (const auto& item : tensors)
        for (const double value : item.second.to_vector<double>()) CHECK_MESSAGE(std::isfinite(value), item.first);
    int told = 0;
    for (const auto& record : outcome.records) {
      if (!record.contains("non_finite")) continue;
      ++told;
      CHECK(record["step"] == 7);
      CHECK(record["non_finite"] == (gradient ? "gradient" : "loss"));
      CHECK(record["left_out"] == 1);
    }
    CHECK(told == 1);
    CHECK(contains(slurp(run.metrics()), {"\"non_finite\""}));
    train(stopped, config, poison, {5, 8});
    CHECK(slurp(stopped.model()) == slurp(run.model()));
  }
}

TEST_CASE("trainer: the updates around one that is left out are those of a plain loop") {
  LineTask task;
  task.poisoned = 3;
  TrainConfig config = sgd(5);
  config.warmup = 0;
  config.schedule = ScheduleKind::constant;
  config.non_finite = NonFinitePolicy::back_off;
  Trainer(task, config).run();

  LineTask same;
  same.poisoned = 3;
  for (int step = 1; step <= 5; ++step) {
    const Tensor loss = same.next_loss().mean;
    if (step == 3) continue;
    for (const auto& item : same.line.parameters()) item.second.set_grad({});
    loss.backward();
    const double lr = step < 3 ? 0.1 : 0.05;
    for (const auto& item : same.line.parameters()) item.second.assign(item.second.detach() - lr * item.second.grad());
  }
  const auto d =
      largest_difference(task.line.weight.to_vector<float>(), same.line.weight.to_vector<float>(), Shape{1, 3});
  CHECK_MESSAGE(d.relative < 1e-6, d.str());
}

TEST_CASE("trainer: running statistics do not take in a batch of an update that is left out") {
  struct Normalised : LineTask {
    nn::BatchNorm1d norm{1};
    Normalised() { line.add("norm", norm); }
    BatchLoss next_loss() override {
      const BatchLoss batch = LineTask::next_loss();
      const double nothing = std::isfinite(batch.mean.item<double>()) ? 1 : std::nan("");
      return {batch.mean + sum(norm(randn({8, 1}) * nothing)) * 1e-3, batch.items};
    }
  } task;
  task.poisoned = 4;
  TrainConfig config = sgd(12);
  config.non_finite = NonFinitePolicy::skip;
  Trainer(task, config).run();
  CHECK(std::isfinite(task.norm.running_mean.item<double>()));
  CHECK(std::isfinite(task.norm.running_var.item<double>()));
}

TEST_CASE("trainer: weights that are lost end a run that leaves updates out") {
  struct Lost : LineTask {
    BatchLoss next_loss() override {
      BatchLoss batch = LineTask::next_loss();
      return {batch.mean * std::numeric_limits<double>::infinity(), batch.items};
    }
  } task;
  TrainConfig config = sgd(100);
  config.non_finite = NonFinitePolicy::back_off;
  Watcher watcher;
  CHECK(contains(error_of([&] { Trainer(task, config, {.observer = &watcher}).run(); }),
                 {"[train] the loss is inf in step 10", "10 updates in a row"}));
  CHECK(watcher.records.size() == 10);
}

TEST_CASE("trainer: the rate falls on a plateau, and does so where the run is interrupted") {
  TrainConfig config = sgd(80);
  config.schedule = ScheduleKind::reduce_on_plateau;
  config.plateau_factor = 0.5;
  config.plateau_patience = 1;
  config.min_lr = 0.03;
  const auto prepare = [](LineTask& t) { t.scripted = {3, 2, 2, 2, 2, 2, 2, 2}; };
  LineTask task;
  prepare(task);
  const std::vector<double> lr = rates(task, config);
  CHECK(lr[0] == doctest::Approx(0.02));  // warm-up as ever
  CHECK(lr[39] == doctest::Approx(0.1));
  CHECK(lr[40] == doctest::Approx(0.05));  // after the second evaluation that was no better
  CHECK(lr[59] == doctest::Approx(0.05));
  CHECK(lr[60] == doctest::Approx(0.03));
  const TempDir folder;
  const RunFolder whole(folder.path("whole")), stopped(folder.path("stopped"));
  CHECK(train(whole, config, prepare, {}).weight == train(stopped, config, prepare, {35, 52}).weight);
}

TEST_CASE("trainer: schedules of the configuration") {
  TrainConfig config = sgd(20);
  config.min_lr = 0.01;
  auto schedule = [&](ScheduleKind kind) {
    config.schedule = kind;
    return make_schedule(config, 20);
  };
  const auto linear = schedule(ScheduleKind::linear);
  CHECK(linear(4) == 1);
  CHECK(linear(20) == doctest::Approx(0.1));
  CHECK(linear(5) == 1);
  const auto root = schedule(ScheduleKind::inverse_sqrt);
  CHECK(root(4) == 1);
  CHECK(root(20) == doctest::Approx(0.5));
  config.restart_every = 4, config.restart_growth = 2;
  const auto restarts = schedule(ScheduleKind::cosine_restarts);
  CHECK(restarts(5) == 1);
  CHECK(restarts(8) < 0.3);
  CHECK(restarts(9) == 1);
  CHECK(restarts(17) == 1);
  const auto cycle = schedule(ScheduleKind::one_cycle);
  CHECK(cycle(0) == doctest::Approx(0.04));
  CHECK(cycle(4) == 1);
  CHECK(cycle(19) == doctest::Approx(0.1));
  config.warmup = 0;
  CHECK(schedule(ScheduleKind::one_cycle)(5) == 1);  // three tenths of all
  CHECK(!make_plateau(config));
}

TEST_CASE("trainer: stops when its time is up, and goes on from there") {
  const TempDir folder;
  TrainConfig config = sgd(40);
  const RunFolder whole(folder.path("whole")), timed(folder.path("timed"));
  train(whole, config, [](LineTask&) {}, {});
  std::int64_t before = 0;
  int runs = 0;
  for (bool finished = false; !finished; ++runs) {
    LineTask task;
    config.max_seconds = runs == 0 ? 1e-9 : 1e-3 * runs;
    Trainer trainer(task, config, {.folder = &timed});
    CHECK(trainer.begin_or_resume().step == before);
    const TrainResult result = trainer.run();
    finished = result.finished;
    before = result.steps;
    if (runs == 0) CHECK(!finished);
    REQUIRE(runs < 10000);
  }
  CHECK(slurp(timed.model()) == slurp(whole.model()));
}

TEST_CASE("trainer: a checkpoint of another configuration is refused, saying what differs") {
  const TempDir folder;
  const RunFolder run(folder.path("run"));
  TrainConfig config = sgd(20);
  Watcher watcher;
  watcher.stop_after = 7;
  {
    LineTask task;
    Trainer trainer(task, config, {.folder = &run, .observer = &watcher, .stop = &watcher.stop});
    trainer.begin_or_resume();
    trainer.run();
  }
  LineTask task;
  config.max_seconds = 3600;
  config.keep_checkpoints = 5;  // these two may differ
  CHECK(Trainer(task, config, {.folder = &run}).resume().step == 7);
  config.lr = 0.25;
  config.steps = 30;
  const std::string message = error_of([&] { Trainer(task, config, {.folder = &run}).resume(); });
  CHECK(contains(message, {"[train]", run.path(), "train.lr: 0.1 there, 0.25 here", "train.steps: 20 there, 30 here",
                           "--init-from"}));
  CHECK(!contains(message, {"max_seconds"}));
  config = sgd(20);
  config.metric = "test_loss";  // nothing has been judged by another yet
  CHECK(Trainer(task, config, {.folder = &run}).resume().step == 7);
}

TEST_CASE("trainer: an evaluation that throws leaves the model as it was trained") {
  LineTask task;
  task.scripted = {1};  // what there is for the second evaluation throws
  TrainConfig config = sgd(20);
  config.ema_decay = 0.9;
  config.eval_interval = 10;
  CHECK_THROWS_AS(Trainer(task, config).run(), std::out_of_range);
  CHECK(task.evaluations == 2);
  CHECK(task.line.training());
  LineTask plain;
  config.ema_decay = 0;
  Trainer(plain, config).run();
  CHECK(task.line.weight.to_vector<float>() == plain.line.weight.to_vector<float>());
}

TEST_CASE("trainer: a damaged checkpoint is passed over for the one before, to the same end") {
  const TempDir folder;
  const TrainConfig config = sgd(40);
  const auto nothing = [](LineTask&) {};
  const RunFolder whole(folder.path("whole")), run(folder.path("run"));
  train(whole, config, nothing, {});
  {
    LineTask task;
    Watcher watcher;
    watcher.stop_after = 25;
    Trainer trainer(task, config, {.folder = &run, .observer = &watcher, .stop = &watcher.stop});
    trainer.begin_or_resume();
    trainer.run();
  }
  const auto kept = CheckpointFolder(run.checkpoints()).list();
  const std::string newest_file = run.checkpoints() + "/" + kept.back().file;
  std::string bytes = slurp(newest_file);
  bytes[bytes.size() - 3] ^= 1;
  folder.write("run/checkpoint/" + kept.back().file, bytes);
  LineTask task;
  Trainer trainer(task, config, {.folder = &run});
  const Resumed from = trainer.resume();
  CHECK(from.step == 20);
  REQUIRE(from.damaged.size() == 1);
  CHECK(contains(from.damaged[0], {"[checkpoint]", newest_file, "damaged"}));
  CHECK(trainer.run().finished);
  CHECK(slurp(run.model()) == slurp(whole.model()));
}

TEST_CASE("trainer: a run that has no checkpoint yet begins at its beginning; one is not trained twice at once") {
  const TempDir folder;
  const RunFolder run(folder.path("run"));
  const auto made = run.create("{}", false);
  folder.write("run/metrics.jsonl", "half a li");
  folder.write("run/model.safetensors.tmp-1-2", "half a mod");
  folder.write("run/checkpoint/step-00000004.safetensors.tmp-1-1", "half");
  LineTask task;
  Trainer trainer(task, sgd(10), {.folder = &run});
  CHECK(trainer.resume().step == 0);
  CHECK(trainer.run().finished);
  CHECK(slurp(run.metrics()).front() == '{');
  CHECK(!std::filesystem::exists(folder.path("run/model.safetensors.tmp-1-2")));
  CHECK(!std::filesystem::exists(folder.path("run/checkpoint/step-00000004.safetensors.tmp-1-1")));
  Trainer other(task, sgd(10), {.folder = &run});
  CHECK(contains(error_of([&] { other.run(); }), {"[metrics]", run.metrics(), "another process"}));
}
