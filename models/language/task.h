#pragma once

#include "ff/models/data_loader.h"
#include "ff/models/language/data.h"
#include "ff/models/language/model.h"
#include "ff/models/training_task.h"

namespace ff::models {

/// Prediction of the next token of a text.
class LanguageTask : public TrainingTask {
 public:
  /// See make_training_task().
  LanguageTask(const LanguageConfig& config, const TrainConfig& train);
  /// See load_trained_task().
  LanguageTask(const LanguageConfig& config, const TrainConfig& train, const RunFolder& folder);

  nn::Module& model() override { return model_; }
  std::string_view items() const override { return "tokens"; }
  std::int64_t steps_per_epoch() const override;
  void seek(std::int64_t step) override;
  BatchLoss next_loss() override;
  Figures evaluate(const std::function<bool()>& stopped) override;
  std::optional<Figures> test(const std::function<bool()>& stopped) override;
  void save_companions(const RunFolder& folder) const override;

 private:
  LanguageTask(const LanguageConfig& config, const TrainConfig& train, const Corpus& corpus);

  std::optional<double> loss_of(const std::shared_ptr<BatchSource>& text, const std::function<bool()>& stopped);

  Vocabulary vocabulary_;
  std::shared_ptr<BatchSource> train_, held_out_, test_;  // test_: null where there is no such text
  double unigram_perplexity_ = 0;                         // of it
  std::unique_ptr<DataLoader> loader_;
  LanguageModel model_;
  double label_smoothing_;
};

/// A trained language model, in evaluation mode, and what its tokens stand for.
struct TrainedLanguageModel {
  Vocabulary vocabulary;
  std::unique_ptr<LanguageModel> model;
};

/// Reads it from the folder of a run. Throws Error where that is no run of a language model.
TrainedLanguageModel load_language_model(const RunFolder& folder);

}  // namespace ff::models
