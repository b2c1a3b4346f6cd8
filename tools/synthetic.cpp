#include "tools/synthetic.h"

#include "ff/autograd/ops/ops.h"
#include "ff/models/language/model.h"

namespace ff::tools {

models::Batch synthetic_batch(const models::RunConfig& config, const nn::Module& model, std::int64_t size) {
  if (config.task == models::Task::vision) {
    const models::VisionModelConfig& vision = config.vision.model;
    const Tensor images = randn({size, vision.channels, vision.image_size, vision.image_size});
    return {images, randint(0, vision.classes, {size}), size};
  }
  const std::int64_t tokens = dynamic_cast<const models::LanguageModel&>(model).bias.numel();
  const std::int64_t context = config.language.model.context;
  const Tensor texts = randint(0, tokens, {size, context});
  return {texts, randint(0, tokens, {size, context}), size * context};
}

Tensor loss_of(nn::Module& model, const models::RunConfig& config, const models::Batch& batch) {
  const CrossEntropyOptions options{.label_smoothing = config.train.label_smoothing};
  const Tensor logits = model(batch.inputs);
  if (config.task == models::Task::vision) return cross_entropy(logits, batch.targets, options);
  return cross_entropy(flatten(logits, 0, 1), flatten(batch.targets), options);
}

}  // namespace ff::tools
