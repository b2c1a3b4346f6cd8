#include "ff/models/module_task.h"

#include "ff/autograd/ops/ops.h"
#include "ff/core/check.h"

namespace ff::models {

Tensor accuracy(const Tensor& logits, const Tensor& targets) {
  return mean(cast(eq(argmax(logits, 1), targets), logits.dtype()));
}

ModuleTask::ModuleTask(nn::Module& model, std::shared_ptr<BatchSource> train, std::shared_ptr<BatchSource> test,
                       ModuleTaskOptions options)
    : model_(model), train_(train), test_(std::move(test)), options_(std::move(options)) {
  check(train != nullptr && test_ != nullptr, "module_task", "there must be data to train on and to test on");
  if (!options_.loss)
    options_.loss = [](const Tensor& outputs, const Tensor& targets) { return cross_entropy(outputs, targets); };
}

BatchLoss ModuleTask::next_loss() {
  const Batch batch = train_.next();
  return {options_.loss(model_(batch.inputs), batch.targets), batch.count};
}

Figures ModuleTask::evaluate(const std::function<bool()>& stopped) {
  DataLoader loader(test_, {.end_epoch = 1});
  Figures figures{{"test_loss", 0}};
  for (const auto& [name, measure] : options_.also) figures.emplace_back(name, 0);
  double count = 0;
  while (const auto batch = loader.next()) {
    if (stopped()) return {};
    const Tensor outputs = model_(batch->inputs);
    const auto n = static_cast<double>(batch->count);
    count += n;
    figures[0].second += n * options_.loss(outputs, batch->targets).item<double>();
    for (std::size_t i = 0; i < options_.also.size(); ++i)
      figures[i + 1].second += n * options_.also[i].second(outputs, batch->targets).item<double>();
  }
  for (auto& [name, value] : figures) value /= count;
  return figures;
}

}  // namespace ff::models
