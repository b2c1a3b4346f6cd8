#include <algorithm>
#include <cmath>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "ff/autograd/ops/ops.h"
#include "ff/core/io/safetensors.h"
#include "ff/core/random.h"
#include "ff/models/run_folder.h"
#include "ff/models/trainer.h"
#include "ff/models/vision/data.h"
#include "ff/models/vision/distillation.h"
#include "ff/models/vision/load_images.h"

#include "tests/models/train_run.h"
#include "tests/support/compare.h"
#include "tests/support/errors.h"
#include "tests/support/files.h"

using namespace ff;
using namespace ff::models;
using namespace ff::test;

namespace {

// softmax of a row at a temperature.
std::vector<double> softened(const double* row, std::int64_t classes, double tau) {
  std::vector<double> p;
  double total = 0;
  for (std::int64_t c = 0; c < classes; ++c) total += p.emplace_back(std::exp(row[c] / tau));
  for (double& x : p) x /= total;
  return p;
}

// What DeiT's loss is, and its gradient by the student's logits, in plain loops.
struct Expected {
  double loss = 0;
  std::vector<double> gradient;

  Expected(const Tensor& student, const Tensor& teacher, DistillationKind kind, double tau) {
    const std::int64_t rows = student.size(0), classes = student.size(1);
    for (std::int64_t r = 0; r < rows; ++r) {
      const double *s = student.data<double>() + r * classes, *t = teacher.data<double>() + r * classes;
      if (kind == DistillationKind::hard) {
        const auto p = softened(s, classes, 1);
        const std::int64_t chosen = std::max_element(t, t + classes) - t;
        loss -= std::log(p[static_cast<std::size_t>(chosen)]) / static_cast<double>(rows);
        for (std::int64_t c = 0; c < classes; ++c)
          gradient.push_back((p[static_cast<std::size_t>(c)] - (c == chosen)) / static_cast<double>(rows));
        continue;
      }
      const auto p = softened(s, classes, tau), q = softened(t, classes, tau);
      const auto count = static_cast<double>(rows * classes);
      for (std::size_t c = 0; c < p.size(); ++c) {
        loss += q[c] * (std::log(q[c]) - std::log(p[c])) * tau * tau / count;
        gradient.push_back((p[c] - q[c]) * tau / count);
      }
    }
  }
};

// Images of three classes that tell themselves apart, and the configuration of a small model of them.
nlohmann::json small_config(const TempDir& folder) {
  std::string pixels, labels;
  for (int i = 0; i < 24; ++i) {
    labels += static_cast<char>(i % 3);
    for (int pixel = 0; pixel < 64; ++pixel) pixels += static_cast<char>(pixel % 3 == i % 3 ? 200 + i : pixel % 50);
  }
  const std::string images = folder.write("images", idx_file(0x08, {24, 8, 8}, pixels)),
                    names = folder.write("labels", idx_file(0x08, {24}, labels));
  return {
      {"task", "vision"},
      {"model", {{"image_size", 8}, {"classes", 3}, {"width", 16}, {"depth", 1}, {"heads", 2}}},
      {"data", {{"train_images", images}, {"train_labels", names}, {"test_images", images}, {"test_labels", names}}},
      {"train", {{"steps", 60}, {"batch_size", 8}, {"lr", 0.005}}}};
}

RunConfig read(const TempDir& folder, const nlohmann::json& json, const Overrides& overrides = {}) {
  return RunConfig::read(folder.write("config.json", json.dump()), overrides);
}

}  // namespace

TEST_CASE("distillation_loss: DeiT's formulas, against plain loops") {
  manual_seed(3);
  const Tensor teacher = randn({4, 6}, {.dtype = f64}) * 2.0;
  for (const DistillationKind kind : {DistillationKind::soft, DistillationKind::hard})
    for (double tau : {1.0, 3.0}) {
      const Tensor student = randn({4, 6}, {.dtype = f64}).requires_grad_();
      const Tensor loss = distillation_loss(student, teacher, kind, tau);
      loss.backward();
      const Expected expected(student.detach(), teacher, kind, tau);
      CHECK(loss.item<double>() == doctest::Approx(expected.loss).epsilon(1e-12));
      const auto d = largest_difference(student.grad().to_vector<double>(), expected.gradient);
      CHECK_MESSAGE(d.absolute < 1e-14, d.str());
    }
  CHECK(distillation_loss(teacher, teacher, DistillationKind::soft, 2).item<double>() == doctest::Approx(0));
  CHECK(contains(error_of([&] {
                   distillation_loss(randn({4, 5}), randn({4, 6}), DistillationKind::soft, 1);
                 }),
                 {"[distillation_loss]", "(4, 5)", "(4, 6)"}));
}

TEST_CASE("distillation: the loss of a step is that of the labels and of the teacher, in their shares") {
  const TempDir folder;
  const nlohmann::json json = small_config(folder);
  train_run(read(folder, json), folder.path("teacher"));
  for (const std::string distilled : {"true", "false"}) {
    const RunConfig config =
        read(folder, json,
             {"train.distillation=soft", "train.distillation_alpha=0.3", "train.distillation_tau=2",
              "train.label_smoothing=0.1", "train.teacher=" + folder.path("teacher"), "model.distilled=" + distilled});
    const auto task = make_training_task(config);
    task->seek(2);
    const Tensor loss = task->next_loss().mean;
    loss.backward();

    auto& student = dynamic_cast<VisionTransformer&>(task->model());
    const Batch batch = ImageBatches(load_images(config.vision, ImagePart::train, {}), config.vision,
                                     ImageBatches::Mode::training, 8, 1)
                            .make({0, 2});
    const auto teacher = load_teacher(folder.path("teacher"), config.vision);
    CHECK(!teacher->training());
    const VisionLogits logits = student.logits(batch.inputs);
    const Tensor& pupil = distilled == "true" ? logits.head_dist : logits.head;
    const double labels = cross_entropy(logits.head, batch.targets, {.label_smoothing = 0.1}).item<double>(),
                 answers = distillation_loss(pupil, (*teacher)(batch.inputs), DistillationKind::soft, 2).item<double>();
    CHECK(loss.item<double>() == doctest::Approx(0.7 * labels + 0.3 * answers).epsilon(1e-6));
    CHECK(student.parameters_without_grad().empty());
  }
}

TEST_CASE("distillation: a student of wrong labels learns from its teacher what is right") {
  const TempDir folder;
  nlohmann::json json = small_config(folder);
  const TrainResult taught = train_run(read(folder, json), folder.path("teacher"));
  CHECK(taught.figures.at(1).second == 1);
  // Every label is 0: only the teacher knows better.
  json["data"]["train_labels"] = folder.write("zeros", idx_file(0x08, {24}, std::string(24, '\0')));
  json["model"]["distilled"] = true;
  for (const std::string kind : {"soft", "hard"}) {
    const TrainResult learnt =
        train_run(read(folder, json,
                       {"train.distillation=" + kind, "train.distillation_alpha=1", "train.lr=0.01", "train.steps=120",
                        "train.teacher=" + folder.path("teacher")}),
                  folder.path(kind));
    CHECK(learnt.figures.at(1).first == "test_accuracy");
    CHECK(learnt.figures.at(1).second > 0.9);
  }
}

TEST_CASE("load_teacher refuses what cannot teach") {
  const TempDir folder;
  const nlohmann::json json = small_config(folder);
  train_run(read(folder, json, {"train.steps=1"}), folder.path("teacher"));
  auto error = [&](const Overrides& overrides) {
    const RunConfig config = read(folder, json, overrides);
    return error_of([&] { load_teacher(folder.path("teacher"), config.vision); });
  };
  CHECK(error({}) == "(no error)");
  CHECK(contains(error({"model.classes=4"}), {"[teacher]", folder.path("teacher"), "knows 3 classes", "knows 4"}));
  CHECK(contains(error({"model.image_size=12"}), {"8 x 8", "12 x 12"}));
  CHECK(contains(error({"data.mean=[0.25]"}), {"normalised otherwise", "0.5", "0.25"}));
  const RunConfig config = read(folder, json);
  CHECK(contains(error_of([&] { load_teacher(folder.path("nowhere"), config.vision); }), {folder.path("nowhere")}));
  CHECK(contains(error_of([&] { read(folder, json, {"train.distillation=soft"}); }), {"train.teacher", "needs one"}));
  CHECK(contains(error_of([&] { read(folder, json, {"train.teacher=x"}); }), {"train.teacher", "teaches nothing"}));
  CHECK(contains(error_of([&] {
                   read(folder, {{"task", "language"}}, {"train.distillation=soft", "train.teacher=x"});
                 }),
                 {"train.distillation", "vision alone"}));
}
