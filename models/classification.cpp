#include "ff/models/classification.h"

#include <filesystem>
#include <sstream>

#include "ff/autograd/ops/ops.h"
#include "ff/core/check.h"
#include "ff/core/io/file.h"

namespace ff::models {

Figures classification_figures(const std::shared_ptr<BatchSource>& source, nn::Module& model,
                               const std::function<bool()>& stopped, int workers) {
  constexpr std::int64_t few = 5;
  DataLoader loader(source, {.end_epoch = 1, .workers = workers});
  double loss = 0;
  std::int64_t right = 0, among_few = 0, count = 0;
  bool many = false;
  while (const auto batch = loader.next()) {
    if (stopped()) return {};
    const Tensor logits = model(batch->inputs);
    loss += cross_entropy(logits, batch->targets, {.reduction = Loss::sum}).item<double>();
    right += sum(eq(argmax(logits, 1), batch->targets)).item<std::int64_t>();
    many = logits.size(1) > few;
    if (many) among_few += sum(eq(topk(logits, few).indices, unsqueeze(batch->targets, 1))).item<std::int64_t>();
    count += batch->count;
  }
  check(count > 0, "test", "none of the samples can be used");
  const auto share = [&](auto of) { return static_cast<double>(of) / static_cast<double>(count); };
  Figures figures{{"test_loss", share(loss)}, {"test_accuracy", share(right)}};
  if (many) figures.emplace_back("test_top5_accuracy", share(among_few));
  return figures;
}

void save_classes(const RunFolder& folder, const std::vector<std::string>& classes) {
  io::write_file(folder.classes(), fmt::format("{}\n", fmt::join(classes, "\n")));
}

std::vector<std::string> load_classes(const RunFolder& folder) {
  std::vector<std::string> classes;
  if (!std::filesystem::exists(folder.classes())) return classes;
  std::istringstream lines(io::read_file(folder.classes()));
  for (std::string line; std::getline(lines, line);) classes.push_back(line);
  return classes;
}

void check_classes(const RunFolder& folder, const std::vector<std::string>& classes) {
  const std::vector<std::string> own = load_classes(folder);
  check(own.empty() || own == classes, "run", "{}: the run's classes are {}; the data has {}", folder.path(),
        fmt::join(own, ", "), fmt::join(classes, ", "));
}

}  // namespace ff::models
