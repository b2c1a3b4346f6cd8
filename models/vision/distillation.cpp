#include "ff/models/vision/distillation.h"

#include "ff/autograd/ops/ops.h"
#include "ff/core/check.h"
#include "ff/core/io/safetensors.h"
#include "ff/models/run_folder.h"

namespace ff::models {
namespace {

constexpr const char* op = "teacher";

// The number of each channel.
std::vector<double> by_channel(const std::vector<double>& numbers, std::int64_t channels) {
  return numbers.size() == 1 ? std::vector<double>(static_cast<std::size_t>(channels), numbers[0]) : numbers;
}

}  // namespace

Tensor distillation_loss(const Tensor& student, const Tensor& teacher, DistillationKind kind, double tau) {
  check(student.rank() == 2 && student.shape() == teacher.shape(), "distillation_loss",
        "logits must be (B, classes), those of the student {} and of the teacher {} alike", student.shape().str(),
        teacher.shape().str());
  if (kind == DistillationKind::hard) return cross_entropy(student, argmax(teacher, 1));
  internal_check(kind == DistillationKind::soft, "a loss of no distillation was asked for");
  const Tensor divergence = kl_div(log_softmax(student / tau, 1), log_softmax(teacher / tau, 1),
                                   {.log_target = true, .reduction = Loss::mean});
  return divergence * (tau * tau);
}

std::unique_ptr<VisionTransformer> load_teacher(const std::string& folder, const VisionConfig& student) {
  const RunFolder run(folder);
  run.check_complete();
  const RunConfig config = RunConfig::read(run.config());
  check(config.task == Task::vision, op, "{}: not a run of a vision model", folder);
  const VisionModelConfig &its = config.vision.model, &ours = student.model;
  check(its.image_size == ours.image_size && its.channels == ours.channels && its.classes == ours.classes, op,
        "{}: takes {} channels, {} x {}, and knows {} classes; the student takes {} channels, {} x {}, and knows {}",
        folder, its.channels, its.image_size, its.image_size, its.classes, ours.channels, ours.image_size,
        ours.image_size, ours.classes);
  const auto same = [&](const std::vector<double>& a, const std::vector<double>& b) {
    return by_channel(a, its.channels) == by_channel(b, its.channels);
  };
  const ImageTransform &its_data = config.vision.data.transform, &our_data = student.data.transform;
  check(same(its_data.mean, our_data.mean) && same(its_data.std, our_data.std), op,
        "{}: its images are normalised otherwise than the student's: mean {} and std {}, not {} and {}", folder,
        fmt::join(its_data.mean, ", "), fmt::join(its_data.std, ", "), fmt::join(our_data.mean, ", "),
        fmt::join(our_data.std, ", "));
  auto model = std::make_unique<VisionTransformer>(its);
  model->load_state_dict(load_safetensors(run.model()));
  model->eval();
  return model;
}

}  // namespace ff::models
