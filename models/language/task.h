#pragma once

#include "ff/models/data_loader.h"
#include "ff/models/language/corpus.h"
#include "ff/models/language/model.h"
#include "ff/models/training_task.h"

namespace ff::models {

/// Of the tokens of a text.
struct TextLoss {
  double sum = 0;  ///< of -log p, in nats
  std::int64_t tokens = 0;

  double mean() const { return sum / static_cast<double>(tokens); }
};

/// Prediction of the next token of a text.
class LanguageTask : public TrainingTask {
 public:
  /// See make_training_task().
  LanguageTask(const LanguageConfig& config, const TrainConfig& train, const LoadListener& listener = {});
  /// See load_trained_task().
  LanguageTask(const LanguageConfig& config, const TrainConfig& train, const RunFolder& folder,
               const LoadListener& listener = {});

  nn::Module& model() override { return model_; }
  std::string_view items() const override { return "tokens"; }
  std::int64_t batches_per_epoch() const override { return train_.batches_per_epoch(); }
  void seek(std::int64_t batch) override { train_.seek(batch); }
  BatchLoss next_loss() override;
  Figures evaluate(const std::function<bool()>& stopped) override;
  std::optional<Figures> test(const std::function<bool()>& stopped) override;
  void save_companions(const RunFolder& folder) const override;

 private:
  LanguageTask(const LanguageConfig& config, const TrainConfig& train, const Corpus& corpus);

  struct Text {
    std::shared_ptr<BatchSource> batches;
    TextSize size;
  };

  std::optional<TextLoss> loss_of(const Text& text, const std::function<bool()>& stopped);
  Figures test_figures(const Text& text, const TextLoss& loss) const;

  Vocabulary vocabulary_;
  BatchStream train_;
  Text held_out_, test_;           // test_: without batches where there is no such text
  double unigram_perplexity_ = 0;  // of it
  LanguageModel model_;
  double label_smoothing_;
};

/// A trained language model, in evaluation mode, and what its tokens stand for.
struct TrainedLanguageModel {
  Vocabulary vocabulary;
  std::unique_ptr<LanguageModel> model;
};

/// What a loss says of the text that it is of: bits_per_byte and bits_per_character, which can be compared whatever
/// tokens are, and of byte pairs word_perplexity, a word model's that gives the text the same probability. None for
/// words some of which are <unk> to the model alone: it does not tell what they are.
Figures text_figures(TokenKind kind, const TextSize& size, const TextLoss& loss);

/// The vocabulary that a run of such tokens has in its folder.
Vocabulary load_vocabulary(const RunFolder& folder, TokenKind kind);

/// Reads it from the folder of a run. Throws Error where that is no run of a language model.
TrainedLanguageModel load_language_model(const RunFolder& folder);

}  // namespace ff::models
