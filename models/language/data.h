#pragma once

#include "ff/models/data_loader.h"

namespace ff::models {

/// The perplexity on text of the model that gives each token the probability of its frequency in train, all of them
/// counted once more than they come.
double unigram_perplexity(const Tensor& train, const Tensor& text, std::int64_t vocabulary_size);

/// Windows from random places of a text, for training: inputs, i64 (B, T), and the tokens that follow each as targets.
/// An epoch draws as many tokens as the text has.
class TextWindows : public BatchSource {
 public:
  /// Throws Error where the text is not longer than context.
  TextWindows(Tensor tokens, std::int64_t context, std::int64_t batch_size, std::uint64_t seed);

  std::int64_t batches_per_epoch() const override;
  Batch make(DataPosition position) override;

 private:
  Tensor tokens_;
  std::int64_t context_, batch_size_;
  std::uint64_t seed_;
};

/// Windows that go through a text, for evaluation: every token is a target exactly once. Each window begins stride
/// tokens after the one before, and those that it shares with it serve as context, their targets being -100; stride 0
/// is context: windows one after the other. The last window is filled up with targets of -100, and the last batch may
/// have fewer windows.
class TextSegments : public BatchSource {
 public:
  /// before is the token before the first. Throws Error for an empty text or a stride beyond context.
  TextSegments(Tensor tokens, std::int64_t before, std::int64_t context, std::int64_t stride, std::int64_t batch_size);

  std::int64_t batches_per_epoch() const override;
  Batch make(DataPosition position) override;

 private:
  std::int64_t windows() const;

  Tensor tokens_;
  std::int64_t before_, context_, stride_, batch_size_;
};

}  // namespace ff::models
