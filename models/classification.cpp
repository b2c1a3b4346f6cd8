#include "ff/models/classification.h"

#include "ff/autograd/ops/ops.h"

namespace ff::models {

Figures classification_figures(const std::shared_ptr<BatchSource>& source, nn::Module& model,
                               const std::function<bool()>& stopped) {
  DataLoader loader(source, {.end_epoch = 1});
  double loss = 0;
  std::int64_t right = 0, count = 0;
  while (const auto batch = loader.next()) {
    if (stopped()) return {};
    const Tensor logits = model(batch->inputs);
    loss += cross_entropy(logits, batch->targets, {.reduction = Loss::sum}).item<double>();
    right += sum(eq(argmax(logits, 1), batch->targets)).item<std::int64_t>();
    count += batch->count;
  }
  return {{"test_loss", loss / static_cast<double>(count)},
          {"test_accuracy", static_cast<double>(right) / static_cast<double>(count)}};
}

}  // namespace ff::models
