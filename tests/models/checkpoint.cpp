#include "ff/models/checkpoint.h"

#include <doctest/doctest.h>

#include "ff/core/io/safetensors.h"

#include "tests/support/compare.h"
#include "tests/support/errors.h"
#include "tests/support/files.h"

using namespace ff;
using namespace ff::models;
using namespace ff::test;

namespace {

Checkpoint sample() {
  Checkpoint checkpoint;
  TrainState& state = checkpoint.state;
  state.step = 123456789012;
  checkpoint.generator = {.seed = 18446744073709551615u, .offset = 42};
  state.seconds = 0.1 + 0.2;
  checkpoint.metrics_bytes = 77;
  state.evaluated = 5;
  state.window = {.loss = 1.0 / 3, .seconds = 2, .steps = 3, .items = 4};
  state.best = {.step = 6, .figure = -1e-300, .worse = 7};
  state.non_finite = {.updates = 8, .in_a_row = 9, .factor = 0.5};
  state.plateau = {.factor = 0.1, .best = 2.0 / 3, .improvements = 10, .bad = 11, .cooldown = 12};
  checkpoint.config = R"({"train": {"lr": 0.1}})";
  checkpoint.model["head.weight"] = Tensor::from<float>({1, 2, 3});
  checkpoint.optimizer["head.weight.exp_avg"] = Tensor::from<float>({0.5, 0.25});
  checkpoint.average["head.weight"] = Tensor::from<float>({4, 5, 6});
  checkpoint.optimizer["lr"] = Tensor::from<double>({1e-3});
  return checkpoint;
}

}  // namespace

TEST_CASE("checkpoint: comes back as it was saved") {
  const TempDir folder;
  const std::string path = folder.path("state.safetensors");
  save_checkpoint(path, sample());
  const Checkpoint read = load_checkpoint(path);
  CHECK(read.state.step == 123456789012);
  CHECK(read.generator.seed == 18446744073709551615u);
  CHECK(read.generator.offset == 42);
  CHECK(read.state.seconds == 0.1 + 0.2);
  CHECK(read.metrics_bytes == 77);
  CHECK(read.state.evaluated == 5);
  CHECK(read.state.window.loss == 1.0 / 3);
  CHECK(read.state.window.seconds == 2);
  CHECK(read.state.window.steps == 3);
  CHECK(read.state.window.items == 4);
  CHECK(read.state.best.step == 6);
  CHECK(read.state.best.figure == -1e-300);
  CHECK(read.state.best.worse == 7);
  CHECK(read.state.non_finite.updates == 8);
  CHECK(read.state.non_finite.in_a_row == 9);
  CHECK(read.state.non_finite.factor == 0.5);
  CHECK(read.state.plateau.factor == 0.1);
  CHECK(read.state.plateau.best == 2.0 / 3);
  CHECK(read.state.plateau.improvements == 10);
  CHECK(read.state.plateau.bad == 11);
  CHECK(read.state.plateau.cooldown == 12);
  CHECK(read.config == R"({"train": {"lr": 0.1}})");
  CHECK(read.model.size() == 1);
  CHECK(read.optimizer.size() == 2);
  CHECK(read.average.at("head.weight").to_vector<float>() == std::vector<float>{4, 5, 6});
  CHECK(read.optimizer.at("lr").item<double>() == 1e-3);
  CHECK(read.model.at("head.weight").to_vector<float>() == std::vector<float>{1, 2, 3});
}

TEST_CASE("checkpoint: anything else is refused") {
  const TempDir folder;
  const std::string path = folder.path("state.safetensors");
  save_safetensors(path, {{"head.weight", Tensor::from<float>({1})}});
  CHECK(error_of([&] { load_checkpoint(path); }) == "[checkpoint] " + path + ": not a checkpoint of this version");
  FileMetadata metadata{{"format", "fourierformer checkpoint 2"}, {"config", "{}"}, {"step", "12x"}};
  save_safetensors(path, {}, metadata);
  CHECK(contains(error_of([&] { load_checkpoint(path); }), {"[checkpoint]", path, "step", "12x"}));
  metadata["step"] = "12";
  save_safetensors(path, {}, metadata);
  CHECK(contains(error_of([&] { load_checkpoint(path); }), {"[checkpoint]", path, "no evaluated"}));
  save_checkpoint(path, sample());
  const FileMetadata right = load_safetensors_metadata(path);
  save_safetensors(path, {{"other", Tensor::from<float>({1})}}, right);
  CHECK(contains(error_of([&] { load_checkpoint(path); }), {"[checkpoint]", path, "\"other\""}));
  CHECK(contains(error_of([&] { load_checkpoint(folder.path("none")); }), {"none"}));
}
