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
  checkpoint.step = 123456789012;
  checkpoint.generator = {.seed = 18446744073709551615u, .offset = 42};
  checkpoint.seconds = 0.1 + 0.2;
  checkpoint.metrics_bytes = 77;
  checkpoint.evaluated = 5;
  checkpoint.window = {.loss = 1.0 / 3, .seconds = 2, .steps = 3, .items = 4};
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
  CHECK(read.step == 123456789012);
  CHECK(read.generator.seed == 18446744073709551615u);
  CHECK(read.generator.offset == 42);
  CHECK(read.seconds == 0.1 + 0.2);
  CHECK(read.metrics_bytes == 77);
  CHECK(read.evaluated == 5);
  CHECK(read.window.loss == 1.0 / 3);
  CHECK(read.window.seconds == 2);
  CHECK(read.window.steps == 3);
  CHECK(read.window.items == 4);
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
  FileMetadata metadata{{"format", "fourierformer checkpoint 1"}, {"step", "12x"}};
  save_safetensors(path, {}, metadata);
  CHECK(contains(error_of([&] { load_checkpoint(path); }), {"[checkpoint]", path, "step", "12x"}));
  metadata["step"] = "12";
  save_safetensors(path, {}, metadata);
  CHECK(contains(error_of([&] { load_checkpoint(path); }), {"[checkpoint]", path, "generator_seed"}));
  save_checkpoint(path, sample());
  const FileMetadata right = load_safetensors_metadata(path);
  save_safetensors(path, {{"other", Tensor::from<float>({1})}}, right);
  CHECK(contains(error_of([&] { load_checkpoint(path); }), {"[checkpoint]", path, "\"other\""}));
  CHECK(contains(error_of([&] { load_checkpoint(folder.path("none")); }), {"none"}));
}
