#include "ff/models/language/task.h"

#include <cmath>
#include <numbers>

#include "ff/autograd/ops/ops.h"
#include "ff/core/check.h"
#include "ff/core/io/safetensors.h"

namespace ff::models {
namespace {

Vocabulary load_vocabulary(const RunFolder& folder, TokenKind kind) {
  return kind == TokenKind::bytes ? Vocabulary::bytes() : Vocabulary::load(folder.vocabulary());
}

// Data with a vocabulary of the size that the model is told to have.
Corpus checked(Corpus corpus, const LanguageConfig& config) {
  const std::int64_t wanted = config.model.vocabulary_size, size = corpus.vocabulary.size();
  check(wanted == 0 || wanted == size, "language", "{}: {} words; model.vocabulary_size says {}", config.data.path,
        size, wanted);
  return corpus;
}

}  // namespace

LanguageTask::LanguageTask(const LanguageConfig& config, const TrainConfig& train, const Corpus& corpus)
    : vocabulary_(corpus.vocabulary),
      train_(std::make_shared<TextWindows>(corpus.train, config.model.context, train.batch_size,
                                           static_cast<std::uint64_t>(train.seed))),
      held_out_(std::make_shared<TextSegments>(corpus.held_out, corpus.before_held_out, config.model.context,
                                               config.data.evaluation_stride, train.batch_size)),
      model_(config.model, vocabulary_.size()),
      label_smoothing_(train.label_smoothing) {
  if (!corpus.test.defined()) return;
  test_ = std::make_shared<TextSegments>(corpus.test, vocabulary_.end_of_line(), config.model.context,
                                         config.data.evaluation_stride, train.batch_size);
  unigram_perplexity_ = unigram_perplexity(corpus.train, corpus.test, vocabulary_.size());
}

LanguageTask::LanguageTask(const LanguageConfig& config, const TrainConfig& train)
    : LanguageTask(config, train, checked(load_corpus(config.data, config.model.vocabulary), config)) {}

LanguageTask::LanguageTask(const LanguageConfig& config, const TrainConfig& train, const RunFolder& folder)
    : LanguageTask(config, train,
                   checked(load_corpus(config.data, load_vocabulary(folder, config.model.vocabulary)), config)) {
  model_.load_state_dict(load_safetensors(folder.model()));
}

std::int64_t LanguageTask::steps_per_epoch() const { return train_->batches_per_epoch(); }

void LanguageTask::seek(std::int64_t step) {
  const DataPosition start{.epoch = step / steps_per_epoch(), .batch = step % steps_per_epoch()};
  loader_ = std::make_unique<DataLoader>(train_, DataLoaderOptions{.start = start});
}

BatchLoss LanguageTask::next_loss() {
  if (!loader_) seek(0);
  const Batch batch = loader_->next().value();
  return {model_.loss(batch.inputs, batch.targets, {.label_smoothing = label_smoothing_}), batch.count};
}

// The mean over the tokens; none if stopped() became true on the way.
std::optional<double> LanguageTask::loss_of(const std::shared_ptr<BatchSource>& text,
                                            const std::function<bool()>& stopped) {
  DataLoader loader(text, {.end_epoch = 1});
  double loss = 0;
  std::int64_t count = 0;
  while (const auto batch = loader.next()) {
    if (stopped()) return std::nullopt;
    loss += model_.loss(batch->inputs, batch->targets, {.reduction = Loss::sum}).item<double>();
    count += batch->count;
  }
  return loss / static_cast<double>(count);
}

// What is held out is test data where there is no other.
Figures LanguageTask::evaluate(const std::function<bool()>& stopped) {
  const std::optional<double> loss = loss_of(held_out_, stopped);
  if (!loss) return {};
  if (test_) return {{"valid_loss", *loss}, {"valid_perplexity", std::exp(*loss)}};
  Figures figures{{"test_loss", *loss}, {"perplexity", std::exp(*loss)}};
  if (vocabulary_.kind() == TokenKind::bytes) figures.emplace_back("bits_per_byte", *loss / std::numbers::ln2);
  return figures;
}

std::optional<Figures> LanguageTask::test(const std::function<bool()>& stopped) {
  if (!test_) return Figures{};
  const std::optional<double> loss = loss_of(test_, stopped);
  if (!loss) return std::nullopt;
  Figures figures{{"test_loss", *loss}, {"perplexity", std::exp(*loss)}, {"unigram_perplexity", unigram_perplexity_}};
  if (vocabulary_.kind() == TokenKind::bytes) figures.emplace_back("bits_per_byte", *loss / std::numbers::ln2);
  return figures;
}

void LanguageTask::save_companions(const RunFolder& folder) const {
  if (vocabulary_.kind() == TokenKind::words) vocabulary_.save(folder.vocabulary());
}

TrainedLanguageModel load_language_model(const RunFolder& folder) {
  folder.check_complete();
  const RunConfig config = RunConfig::read(folder.config());
  check(config.task == Task::language, "run", "{}: not a run of a language model", folder.path());
  Vocabulary vocabulary = load_vocabulary(folder, config.language.model.vocabulary);
  auto model = std::make_unique<LanguageModel>(config.language.model, vocabulary.size());
  model->load_state_dict(load_safetensors(folder.model()));
  model->eval();
  return {std::move(vocabulary), std::move(model)};
}

}  // namespace ff::models
