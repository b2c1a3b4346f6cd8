// Vision transformers against PyTorch's logits and gradients, which tools/golden/deit.py wrote.

#include <cstdlib>
#include <filesystem>

#include <doctest/doctest.h>

#include "ff/autograd/ops/ops.h"
#include "ff/core/io/safetensors.h"
#include "ff/models/vision/model.h"

#include "tests/support/compare.h"

using namespace ff;
using namespace ff::models;
using namespace ff::test;

namespace {

namespace fs = std::filesystem;

std::vector<fs::path> golden_files() {
  std::vector<fs::path> files, folders{FF_SOURCE_DIR "/tests/golden"};
  if (const char* more = std::getenv("FF_GOLDEN_DIR")) folders.emplace_back(more);
  for (const fs::path& folder : folders)
    for (const auto& entry : fs::directory_iterator(folder))
      if (entry.path().filename().string().starts_with("deit_")) files.push_back(entry.path());
  return files;
}

VisionModelConfig config_of(const fs::path& file) {
  VisionModelConfig config;
  read_config([&](Fields& fields) { config.visit(fields); }, load_safetensors_metadata(file.string()).at("config"),
              file.string());
  return config;
}

// Relative to the largest of the gradient itself; those that are 0 but for rounding, as that of the keys' bias in
// softmax attention, to the largest of all.
void check_gradients(const VisionTransformer& model, const TensorMap& golden) {
  double largest = 0;
  for (const auto& [name, tensor] : model.parameters())
    largest = std::max(largest, max(abs(golden.at("grad." + name))).item<double>());
  double worst = 0;
  for (const auto& [name, tensor] : model.parameters()) {
    REQUIRE_MESSAGE(tensor.grad().defined(), name);
    const Tensor want = golden.at("grad." + name);
    const auto d = largest_difference(tensor.grad().to_vector<float>(), want.to_vector<float>(), want.shape());
    const double scale = std::max(max(abs(want)).item<double>(), 1e-4 * largest);
    CHECK_MESSAGE(d.absolute <= 1e-3 * scale, name << ": " << d.str());
    worst = std::max(worst, d.absolute / scale);
  }
  MESSAGE("gradients: largest relative difference " << worst);
}

}  // namespace

TEST_CASE("vision transformers that PyTorch made: its logits to 1e-4, its gradients to 1e-3") {
  const auto files = golden_files();
  CHECK(files.size() >= 3);
  for (const fs::path& file : files) {
    INFO(file.string());
    TensorMap golden = load_safetensors(file.string()), weights;
    for (const auto& [name, tensor] : golden)
      if (name != "images" && name != "labels" && name != "logits" && !name.starts_with("grad."))
        weights[name] = tensor;
    VisionTransformer model(config_of(file));
    model.load_state_dict(weights);

    const VisionLogits logits = model.logits(golden.at("images"));
    const Tensor heads = model.head_dist ? stack({logits.head, logits.head_dist}, 0) : unsqueeze(logits.head, 0);
    const Tensor want = golden.at("logits");
    const auto d = largest_difference(heads.to_vector<float>(), want.to_vector<double>(), want.shape());
    CHECK_MESSAGE(d.absolute <= 1e-4, d.str());
    MESSAGE(file.filename().string() << ": logits: " << d.str());

    Tensor loss = cross_entropy(logits.head, golden.at("labels"));
    if (model.head_dist) loss = loss + cross_entropy(logits.head_dist, golden.at("labels"));
    loss.backward();
    check_gradients(model, golden);
  }
}
