#include "ff/models/language/task.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "ff/autograd/ops/ops.h"
#include "ff/core/check.h"
#include "ff/core/io/safetensors.h"
#include "ff/models/language/data.h"

namespace ff::models {
namespace {

// Data with a vocabulary of the size that the model is told to have.
Corpus checked(Corpus corpus, const LanguageConfig& config) {
  const std::int64_t wanted = config.model.vocabulary_size, size = corpus.vocabulary.size();
  check(wanted == 0 || wanted == size, "language", "{}: {} {}; model.vocabulary_size says {}", config.data.path, size,
        corpus.vocabulary.kind() == TokenKind::words ? "words" : "tokens", wanted);
  return corpus;
}

// The model's weights. A vocabulary that has come from elsewhere is told from them by its size.
TensorMap load_weights(const RunFolder& folder, const Vocabulary& vocabulary) {
  TensorMap weights = load_safetensors(folder.model());
  const auto table = weights.find("embed.weight");
  check(table == weights.end() || table->second.rank() != 2 || table->second.size(0) == vocabulary.size(), "run",
        "{}: its vocabulary has {} tokens, its model {}: they are not of one run", folder.path(), vocabulary.size(),
        table == weights.end() ? 0 : table->second.size(0));
  return weights;
}

}  // namespace

LanguageTask::LanguageTask(const LanguageConfig& config, const TrainConfig& train, const Corpus& corpus)
    : vocabulary_(corpus.vocabulary),
      train_(std::make_shared<TextWindows>(corpus.train, config.model.context, train.batch_size,
                                           static_cast<std::uint64_t>(train.seed))),
      held_out_{std::make_shared<TextSegments>(corpus.held_out, corpus.before_held_out, config.model.context,
                                               config.data.evaluation_stride, train.batch_size),
                corpus.held_out_size},
      model_(config.model, vocabulary_.size()),
      label_smoothing_(train.label_smoothing) {
  if (!corpus.test.defined()) return;
  test_ = {std::make_shared<TextSegments>(corpus.test, vocabulary_.end_of_line(), config.model.context,
                                          config.data.evaluation_stride, train.batch_size),
           corpus.test_size};
  unigram_perplexity_ = unigram_perplexity(corpus.train, corpus.test, vocabulary_.size());
}

LanguageTask::LanguageTask(const LanguageConfig& config, const TrainConfig& train, const LoadListener& listener)
    : LanguageTask(
          config, train,
          checked(load_corpus(config.data, config.model.vocabulary, config.model.vocabulary_size, listener), config)) {}

LanguageTask::LanguageTask(const LanguageConfig& config, const TrainConfig& train, const RunFolder& folder,
                           const LoadListener& listener)
    : LanguageTask(
          config, train,
          checked(load_corpus(config.data, load_vocabulary(folder, config.model.vocabulary), listener), config)) {
  model_.load_state_dict(load_weights(folder, vocabulary_));
}

BatchLoss LanguageTask::next_loss() {
  const Batch batch = train_.next();
  return {model_.loss(batch.inputs, batch.targets, {.label_smoothing = label_smoothing_}), batch.count};
}

// None if stopped() became true on the way.
std::optional<TextLoss> LanguageTask::loss_of(const Text& text, const std::function<bool()>& stopped) {
  DataLoader loader(text.batches, {.end_epoch = 1});
  TextLoss loss;
  while (const auto batch = loader.next()) {
    if (stopped()) return std::nullopt;
    loss.sum += model_.loss(batch->inputs, batch->targets, {.reduction = Loss::sum}).item<double>();
    loss.tokens += batch->count;
  }
  return loss;
}

Figures LanguageTask::test_figures(const Text& text, const TextLoss& loss) const {
  Figures figures{{"test_loss", loss.mean()}, {"perplexity", std::exp(loss.mean())}};
  const Figures others = text_figures(vocabulary_.kind(), text.size, loss);
  figures.insert(figures.end(), others.begin(), others.end());
  return figures;
}

// What is held out is test data where there is no other.
Figures LanguageTask::evaluate(const std::function<bool()>& stopped) {
  const std::optional<TextLoss> loss = loss_of(held_out_, stopped);
  if (!loss) return {};
  if (!test_.batches) return test_figures(held_out_, *loss);
  return {{"valid_loss", loss->mean()}, {"valid_perplexity", std::exp(loss->mean())}};
}

std::optional<Figures> LanguageTask::test(const std::function<bool()>& stopped) {
  if (!test_.batches) return Figures{};
  const std::optional<TextLoss> loss = loss_of(test_, stopped);
  if (!loss) return std::nullopt;
  Figures figures = test_figures(test_, *loss);
  figures.insert(figures.begin() + 2, {"unigram_perplexity", unigram_perplexity_});
  return figures;
}

void LanguageTask::save_companions(const RunFolder& folder) const {
  if (vocabulary_.kind() == TokenKind::words) vocabulary_.save(folder.vocabulary());
  if (vocabulary_.pairs() != nullptr) vocabulary_.pairs()->save(folder.path());
}

Figures text_figures(TokenKind kind, const TextSize& size, const TextLoss& loss) {
  if (size.unknown > 0) return {};
  const double bits = loss.sum / std::numbers::ln2;
  Figures figures{{"bits_per_byte", bits / static_cast<double>(size.bytes)},
                  {"bits_per_character", bits / static_cast<double>(std::max<std::int64_t>(size.characters, 1))}};
  if (kind == TokenKind::bpe && size.words > 0)
    figures.emplace_back("word_perplexity", std::exp(loss.sum / static_cast<double>(size.words)));
  return figures;
}

Vocabulary load_vocabulary(const RunFolder& folder, TokenKind kind) {
  if (kind == TokenKind::words) return Vocabulary::load(folder.vocabulary());
  return kind == TokenKind::bytes ? Vocabulary::bytes() : Vocabulary::byte_pairs(BytePairs::load(folder.path()));
}

TrainedLanguageModel load_language_model(const RunFolder& folder) {
  folder.check_complete();
  const RunConfig config = RunConfig::read(folder.config());
  check(config.task == Task::language, "run", "{}: not a run of a language model", folder.path());
  Vocabulary vocabulary = load_vocabulary(folder, config.language.model.vocabulary);
  auto model = std::make_unique<LanguageModel>(config.language.model, vocabulary.size());
  model->load_state_dict(load_weights(folder, vocabulary));
  model->eval();
  return {std::move(vocabulary), std::move(model)};
}

}  // namespace ff::models
