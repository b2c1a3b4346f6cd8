#include "ff/models/trainer.h"

#include <cmath>
#include <filesystem>
#include <limits>
#include <map>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "ff/autograd/ops/ops.h"
#include "ff/core/io/safetensors.h"
#include "ff/core/parallel.h"
#include "ff/core/random.h"
#include "ff/nn/nn.h"

#include "tests/models/line_task.h"
#include "tests/support/compare.h"
#include "tests/support/errors.h"
#include "tests/support/files.h"

using namespace ff;
using namespace ff::models;
using namespace ff::test;

namespace {

std::string tiny_images(const TempDir& folder) {
  std::string pixels, labels;
  for (int i = 0; i < 24; ++i) {
    labels += static_cast<char>(i % 3);
    for (int pixel = 0; pixel < 64; ++pixel)
      pixels += static_cast<char>(pixel % 3 == i % 3 ? 200 + i : (i * 7 + pixel) % 50);
  }
  folder.write("images", idx_file(0x08, {24, 8, 8}, pixels));
  folder.write("labels", idx_file(0x08, {24}, labels));
  const nlohmann::json config{{"task", "vision"},
                              {"model",
                               {{"image_size", 8},
                                {"patch_size", 4},
                                {"classes", 3},
                                {"width", 16},
                                {"depth", 2},
                                {"heads", 2},
                                {"dropout", 0.1},
                                {"drop_path", 0.1}}},
                              {"data",
                               {{"train_images", folder.path("images")},
                                {"train_labels", folder.path("labels")},
                                {"test_images", folder.path("images")},
                                {"test_labels", folder.path("labels")},
                                {"crop_padding", 1},
                                {"horizontal_flip", true}}},
                              {"train",
                               {{"steps", 20},
                                {"batch_size", 7},
                                {"lr", 0.003},
                                {"warmup", 4},
                                {"log_interval", 3},
                                {"clip_norm", 1.0},
                                {"label_smoothing", 0.1},
                                {"eval_interval", 8}}}};
  return folder.write("config.json", config.dump());
}

std::string tiny_text(const TempDir& folder) {
  std::string text;
  for (int i = 0; i < 60; ++i) text += "the quick brown fox number " + std::to_string(i * i) + " jumps\n";
  folder.write("text", text);
  const nlohmann::json config{
      {"task", "language"},
      {"model", {{"layers", 2}, {"heads", 2}, {"width", 16}, {"inner_width", 32}, {"context", 16}}},
      {"data", {{"path", folder.path("text")}}},
      {"train",
       {{"steps", 20},
        {"batch_size", 4},
        {"optimizer", "adam"},
        {"log_interval", 3},
        {"clip_norm", 0.25},
        {"eval_interval", 8}}}};
  return folder.write("config.json", config.dump());
}

// Trains into a folder of that name; the run's model file.
std::string trained(const TempDir& folder, const std::string& name, const RunConfig& config) {
  const auto task = make_training_task(config);
  const RunFolder run(folder.path(name));
  const auto made = run.create(config.text(), false);
  Trainer trainer(*task, config.train, {.folder = &run});
  CHECK(trainer.run().finished);
  return slurp(run.model());
}

// Trains into run, is stopped after an update, and goes on; the run's model file.
std::string stopped_and_resumed(const RunFolder& run, const RunConfig& config, std::int64_t stop_after) {
  const auto made = run.create(config.text(), false);
  {
    const auto task = make_training_task(config);
    Watcher watcher;
    watcher.stop_after = stop_after;
    Trainer trainer(*task, config.train, {.folder = &run, .observer = &watcher, .stop = &watcher.stop});
    CHECK(!trainer.run().finished);
  }
  const auto task = make_training_task(config);
  Trainer trainer(*task, config.train, {.folder = &run});
  trainer.resume();
  CHECK(trainer.run().finished);
  return slurp(run.model());
}

std::vector<nlohmann::json> lines_of(const std::string& path) {
  std::vector<nlohmann::json> lines;
  std::istringstream file(slurp(path));
  for (std::string line; std::getline(file, line);) lines.push_back(nlohmann::json::parse(line));
  return lines;
}

}  // namespace

TEST_CASE("trainer: steps, logs and evaluates as configured") {
  LineTask task;
  Watcher watcher;
  Trainer trainer(task, sgd(25), {.observer = &watcher});
  CHECK(trainer.steps() == 25);
  const TrainResult result = trainer.run();
  CHECK(result.finished);
  CHECK(result.steps == 25);
  REQUIRE(result.figures.size() == 1);
  CHECK(result.figures[0].second < 0.01);
  CHECK(task.evaluations == 3);  // after 10, 20 and 25
  CHECK(!task.evaluated_in_training);
  CHECK(task.line.training());

  REQUIRE(watcher.steps.size() == 25);
  CHECK(watcher.steps[0].lr == doctest::Approx(0.1 / 5));  // warm-up, then half a cosine to 0
  CHECK(watcher.steps[4].lr == doctest::Approx(0.1));
  CHECK(watcher.steps[15].lr == doctest::Approx(0.05));
  CHECK(watcher.steps[24].lr < 0.001);
  CHECK(watcher.steps[14].epoch == doctest::Approx(1.5));
  CHECK(watcher.steps[24].loss < 0.1 * watcher.steps[0].loss);

  std::vector<std::int64_t> logged, evaluated;
  for (const auto& record : watcher.records)
    (record.contains("test_loss") ? evaluated : logged).push_back(record["step"].get<std::int64_t>());
  CHECK(logged == std::vector<std::int64_t>{4, 8, 12, 16, 20, 24, 25});
  CHECK(evaluated == std::vector<std::int64_t>{10, 20, 25});
  const double mean_loss =
      (watcher.steps[4].loss + watcher.steps[5].loss + watcher.steps[6].loss + watcher.steps[7].loss) / 4;
  CHECK(watcher.records[1]["loss"].get<double>() == doctest::Approx(mean_loss).epsilon(1e-12));
  CHECK(watcher.records[1]["items_per_second"].get<double>() > 0);
}

TEST_CASE("trainer: epochs count where steps do not") {
  LineTask task;
  TrainConfig config = sgd(0);
  config.epochs = 3;
  CHECK(Trainer(task, config).steps() == 30);
}

TEST_CASE("trainer: a schedule of constant rate, and a warm-up that a short run does not finish") {
  TrainConfig config = sgd(10);
  config.schedule = ScheduleKind::constant;
  auto schedule = make_schedule(config, 10);
  CHECK(schedule(0) == doctest::Approx(0.2));
  CHECK(schedule(9) == 1);
  config.schedule = ScheduleKind::cosine;
  config.min_lr = 0.01;
  schedule = make_schedule(config, 105);
  CHECK(schedule(55) == doctest::Approx((1 + 0.1) / 2));
  CHECK(schedule(105) == doctest::Approx(0.1));
  CHECK(make_schedule(config, 3)(2) == doctest::Approx(0.6));
}

TEST_CASE("trainer: the gradient is clipped") {
  LineTask task;
  Watcher watcher;
  TrainConfig config = sgd(1);
  config.warmup = 0;
  config.clip_norm = 1e-3;
  const auto before = task.line.weight.to_vector<double>();
  Trainer(task, config, {.observer = &watcher}).run();
  const auto after = task.line.weight.to_vector<double>();
  double moved = 0;
  for (std::size_t i = 0; i < 3; ++i) moved += (after[i] - before[i]) * (after[i] - before[i]);
  CHECK(std::sqrt(moved) <= 1e-4 * 1.01);
  CHECK(watcher.steps[0].grad_norm > 0.01);
}

TEST_CASE("trainer: an update of several batches goes by their mean gradient, and counts all of them") {
  TrainConfig config = sgd(0);
  config.warmup = 0, config.accumulate = 4, config.epochs = 3;
  manual_seed(3);
  LineTask task;
  Watcher watcher;
  watcher.stop_after = 1;
  Trainer trainer(task, config, {.observer = &watcher, .stop = &watcher.stop});
  CHECK(trainer.steps() == 8);  // 3 epochs of 10 batches
  trainer.run();
  manual_seed(3);
  LineTask same;
  Tensor total = zeros({});
  for (int i = 0; i < 4; ++i) total = total + same.next_loss().mean;
  (total / 4.0).backward();
  const Tensor want = same.line.weight.detach() - 0.1 * same.line.weight.grad();
  const auto d = largest_difference(task.line.weight.to_vector<float>(), want.to_vector<float>(), want.shape());
  CHECK_MESSAGE(d.relative < 1e-6, d.str());
  REQUIRE(watcher.steps.size() == 1);
  CHECK(watcher.steps[0].items == 32);
  CHECK(watcher.steps[0].loss == doctest::Approx(total.item<double>() / 4).epsilon(1e-6));
  CHECK(watcher.steps[0].epoch == doctest::Approx(0.4));
}

TEST_CASE("trainer: the average of the weights is what is evaluated and saved, the weights go on") {
  const TempDir folder;
  RunConfig config = RunConfig::read(tiny_images(folder));
  trained(folder, "plain", config);
  config.train.ema_decay = 0.8;
  trained(folder, "averaged", config);
  const RunFolder plain(folder.path("plain")), averaged(folder.path("averaged"));
  const Checkpoint checkpoint = newest(averaged);
  const TensorMap saved = load_safetensors(averaged.model()), without = load_safetensors(plain.model());
  for (const auto& [name, tensor] : saved) {
    CHECK(same_bits(tensor.to_vector<float>(), checkpoint.average.at(name).to_vector<float>()));
    CHECK(same_bits(checkpoint.model.at(name).to_vector<float>(), without.at(name).to_vector<float>()));
  }
  CHECK(!same_bits(saved.at("head.weight").to_vector<float>(), without.at("head.weight").to_vector<float>()));
  const auto loaded = load_trained_task(config, averaged);
  loaded->model().eval();
  CHECK(loaded->evaluate([] { return false; })[0].second == averaged.read_summary()["test_loss"].get<double>());
}

TEST_CASE("trainer: a loss or a gradient that is not finite ends the run, with step and rate") {
  LineTask task;
  task.poisoned = 7;
  CHECK(contains(error_of([&] { Trainer(task, sgd(25)).run(); }), {"[train] the loss is nan in step 7", "rate 0.09"}));
  LineTask other;
  other.exploding = 3;
  CHECK(contains(error_of([&] { Trainer(other, sgd(25)).run(); }), {"[train]", "gradient", "in step 3", "rate 0.06"}));
}

TEST_CASE("trainer: a parameter that the gradient does not reach is told") {
  struct Task : LineTask {
    nn::Linear spare_line{2, 2};
    Task() { line.add("forgotten", spare_line); }
  } task;
  CHECK(error_of([&] { Trainer(task, sgd(5)).run(); }) ==
        "[train] no gradient reached forgotten.weight, forgotten.bias");
}

TEST_CASE("trainer: stops when told, keeping the model") {
  const TempDir folder;
  LineTask task;
  const RunFolder run(folder.path("run"));
  const auto made = run.create("{}", false);
  Watcher watcher;
  watcher.stop_after = 7;
  const TrainResult result =
      Trainer(task, sgd(25), {.folder = &run, .observer = &watcher, .stop = &watcher.stop}).run();
  CHECK(!result.finished);
  CHECK(result.steps == 7);
  CHECK(result.figures.empty());
  CHECK(load_safetensors(run.model()).at("weight").to_vector<float>() == task.line.weight.to_vector<float>());
  CHECK(newest(run).state.step == 7);
  const auto summary = run.read_summary();
  CHECK(summary["steps"] == 7);
  CHECK(summary["finished"] == false);
  CHECK(!summary.contains("test_loss"));
}

// The lines of a log without what depends on the clock.
std::vector<nlohmann::json> timeless(std::vector<nlohmann::json> lines) {
  for (auto& line : lines)
    for (const char* key : {"seconds", "items_per_second"}) line.erase(key);
  return lines;
}

TEST_CASE("trainer: a run stopped and resumed is the run that was never stopped") {
  const TempDir folder;
  for (const bool vision : {true, false}) {
    RunConfig config = RunConfig::read(vision ? tiny_images(folder) : tiny_text(folder));
    if (vision) config.train.accumulate = 2, config.train.ema_decay = 0.9;
    const std::string name = vision ? "vision" : "language";
    const std::string whole = trained(folder, name, config);
    for (const std::int64_t stop_after : {3, 8, 11, 20}) {
      const RunFolder run(folder.path(name + std::to_string(stop_after)));
      CHECK(stopped_and_resumed(run, config, stop_after) == whole);
      CHECK(timeless(lines_of(run.metrics())) == timeless(lines_of(folder.path(name + "/metrics.jsonl"))));
      const auto task = make_training_task(config);
      Trainer again(*task, config.train, {.folder = &run});
      CHECK(contains(error_of([&] { again.resume(); }), {"[train]", run.path(), "all 20 steps"}));
    }
  }
}

TEST_CASE("trainer: the same weights to the last bit at any thread count") {
  const TempDir folder;
  for (const bool vision : {true, false})
    for (const auto attention : {nn::AttentionKind::fourier, nn::AttentionKind::softmax}) {
      RunConfig config = RunConfig::read(vision ? tiny_images(folder) : tiny_text(folder));
      (vision ? config.vision.model.attention : config.language.model.attention).attention = attention;
      std::vector<std::string> models;
      for (const int threads : {1, 2, 4}) {
        set_num_threads(threads);
        models.push_back(trained(folder, "run", config));
        std::filesystem::remove_all(folder.path("run"));
      }
      CHECK(models[0] == models[1]);
      CHECK(models[0] == models[2]);
      config.train.seed = 2;
      CHECK(trained(folder, "run", config) != models[0]);
      std::filesystem::remove_all(folder.path("run"));
    }
}

TEST_CASE("trainer: seeds of initialisation, data and dropout, each alone or all by one") {
  const TempDir folder;
  RunConfig config = RunConfig::read(tiny_images(folder));
  int runs = 0;
  auto weights = [&] { return trained(folder, "run" + std::to_string(++runs), config); };
  auto initial = [&] {
    const auto task = make_training_task(config);
    return task->model().state_dict().at("head.weight").to_vector<float>();
  };
  const auto first = initial();
  const std::string one = weights();
  TrainConfig& train = config.train;
  train.seed = 7, train.init_seed = train.data_seed = train.dropout_seed = 1;
  CHECK(weights() == one);
  train.init_seed = 2;
  CHECK(initial() != first);
  CHECK(default_generator().state().seed == 1);  // dropout's
  CHECK(weights() != one);
  train.init_seed = 1, train.data_seed = 2;
  CHECK(initial() == first);
  CHECK(weights() != one);
  train.data_seed = 1, train.dropout_seed = 2;
  CHECK(initial() == first);
  CHECK(weights() != one);
}

TEST_CASE("trainer: a run's folder holds all of it") {
  const TempDir folder;
  const RunConfig config = RunConfig::read(tiny_text(folder));
  trained(folder, "run", config);
  const RunFolder run(folder.path("run"));
  CHECK(RunConfig::read(run.config()).text() == config.text());
  CHECK(newest(run).state.step == 20);
  const auto lines = lines_of(run.metrics());
  CHECK(lines.size() == 7 + 3);  // every 3 steps and the last; evaluations after 8, 16 and 20
  for (const auto& line : lines) CHECK((line.contains("loss") || line.contains("test_loss")));
  const auto summary = run.read_summary();
  for (const char* key :
       {"test_loss", "perplexity", "bits_per_byte", "parameters", "steps", "training_seconds", "peak_memory_bytes"})
    CHECK_MESSAGE(summary.contains(key), key);
  const double loss = summary["test_loss"].get<double>();
  CHECK(summary["perplexity"].get<double>() == doctest::Approx(std::exp(loss)));
  CHECK(summary["bits_per_byte"].get<double>() == doctest::Approx(loss / std::log(2.0)));
  CHECK(summary["peak_memory_bytes"].get<double>() > 1e6);

  // What was trained is what is loaded.
  const auto loaded = load_trained_task(config, run);
  loaded->model().eval();
  const Figures figures = loaded->evaluate([] { return false; });
  CHECK(figures[0].second == loss);
}

TEST_CASE("trainer: images by heart") {
  const TempDir folder;
  for (const auto attention : {nn::AttentionKind::fourier, nn::AttentionKind::softmax}) {
    RunConfig config = RunConfig::read(tiny_images(folder), {"train.steps=120", "data.crop_padding=0"});
    config.vision.model.attention.attention = attention;
    const auto task = make_training_task(config);
    const TrainResult result = Trainer(*task, config.train).run();
    REQUIRE(result.figures.size() == 2);
    CHECK(result.figures[1].first == "test_accuracy");
    CHECK(result.figures[1].second > 0.9);
  }
}

// A run of words with an adaptive softmax, in the layout of WikiText.
std::string tiny_words(const TempDir& folder) {
  std::filesystem::create_directories(folder.path("corpus"));
  for (const char* part : {"wiki.train.tokens", "valid.txt", "test.txt"}) {
    std::string text;
    for (int i = 0; i < 60; ++i) text += " the fox number " + std::to_string(i * i % 23) + " jumps \n";
    folder.write(std::string("corpus/") + part, text);
  }
  const nlohmann::json config{{"task", "language"},
                              {"model",
                               {{"vocabulary", "words"},
                                {"layers", 1},
                                {"heads", 2},
                                {"width", 16},
                                {"inner_width", 32},
                                {"context", 16},
                                {"cutoffs", {4, 9}}}},
                              {"data", {{"path", folder.path("corpus")}}},
                              {"train",
                               {{"steps", 20},
                                {"batch_size", 4},
                                {"optimizer", "adam"},
                                {"weight_decay", 0},
                                {"clip_norm", 0.25},
                                {"eval_interval", 8}}}};
  return folder.write("words.json", config.dump());
}

TEST_CASE("trainer: words with an adaptive softmax, resumed and at any thread count, to the same bytes") {
  const TempDir folder;
  for (const char* optimizer : {"adam", "sparse_adam"}) {
    const RunConfig config = RunConfig::read(tiny_words(folder), {"train.optimizer=" + std::string(optimizer)});
    const std::string name = optimizer, whole = trained(folder, name, config);
    CHECK(stopped_and_resumed(RunFolder(folder.path(name + "_stopped")), config, 11) == whole);
    const int threads = num_threads();
    for (const int n : {1, 4}) {
      set_num_threads(n);
      CHECK(trained(folder, name + std::to_string(n), config) == whole);
    }
    set_num_threads(threads);
  }
}

TEST_CASE("trainer: a folder's validation text is evaluated on the way, its test text in the end") {
  const TempDir folder;
  const RunConfig config = RunConfig::read(tiny_words(folder));
  trained(folder, "run", config);
  const RunFolder run(folder.path("run"));
  int tested = 0;
  for (const auto& line : lines_of(run.metrics())) tested += line.contains("test_loss");
  CHECK(tested == 1);
  const auto summary = run.read_summary();
  for (const char* key : {"valid_loss", "valid_perplexity", "test_loss", "perplexity", "unigram_perplexity"})
    CHECK_MESSAGE(summary.contains(key), key);
  CHECK(summary["valid_loss"] == summary["test_loss"]);  // the same text
  CHECK(summary["perplexity"].get<double>() == doctest::Approx(std::exp(summary["test_loss"].get<double>())));
  const auto loaded = load_trained_task(config, run);
  loaded->model().eval();
  const auto never = [] { return false; };
  CHECK(loaded->test(never).value()[0].second == summary["test_loss"].get<double>());
  CHECK(!loaded->test([] { return true; }));

  const RunConfig hopeless = RunConfig::read(folder.path("words.json"), {"train.lr=1e-30", "train.patience=1"});
  trained(folder, "early", hopeless);
  const auto early = RunFolder(folder.path("early")).read_summary();
  CHECK(early["steps"] == 16);
  CHECK(early["stopped_early"] == true);
  CHECK(early.contains("test_loss"));

  RunConfig other = config;
  other.language.model.vocabulary_size = 7;
  CHECK(contains(error_of([&] { make_training_task(other); }), {folder.path("corpus"), "words", "says 7"}));
}

TEST_CASE("trainer: the loss of words by heart falls below the unigram model's") {
  const TempDir folder;
  const RunConfig config = RunConfig::read(tiny_words(folder), {"train.steps=150", "train.lr=0.01", "model.dropout=0"});
  const auto task = make_training_task(config);
  const TrainResult result = Trainer(*task, config.train).run();
  std::map<std::string, double> figures(result.figures.begin(), result.figures.end());
  CHECK(figures.at("perplexity") < 0.5 * figures.at("unigram_perplexity"));
}
