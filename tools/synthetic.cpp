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
  if (config.task == models::Task::time_series) {
    const models::TimeSeriesModelConfig& series = config.time_series.model;
    return {randn({size, series.dimensions, series.length}), randint(0, series.classes, {size}), size};
  }
  const std::int64_t tokens = dynamic_cast<const models::LanguageModel&>(model).vocabulary_size();
  const std::int64_t context = config.language.model.context;
  const auto draw = [&] {
    if (config.language.model.cutoffs.empty()) return randint(0, tokens, {size, context});
    // Words by falling frequency, 1 / rank as Zipf found: what an adaptive softmax is made for.
    const Tensor rank = pow(static_cast<double>(tokens) + 1, rand({size, context}, {.dtype = f64}));
    return clamp(cast(floor(rank), i64) - 1, 0, static_cast<double>(tokens - 1));
  };
  const Tensor texts = draw();
  return {texts, draw(), size * context};
}

Tensor loss_of(nn::Module& model, const models::RunConfig& config, const models::Batch& batch) {
  const CrossEntropyOptions options{.label_smoothing = config.train.label_smoothing};
  if (config.task != models::Task::language) return cross_entropy(model(batch.inputs), batch.targets, options);
  return dynamic_cast<models::LanguageModel&>(model).loss(batch.inputs, batch.targets, options);
}

}  // namespace ff::tools
