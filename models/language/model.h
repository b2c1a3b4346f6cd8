#pragma once

#include <optional>

#include "ff/autograd/ops/loss.h"
#include "ff/models/block.h"
#include "ff/models/language/config.h"
#include "ff/nn/adaptive_softmax.h"
#include "ff/nn/containers.h"
#include "ff/nn/embedding.h"

namespace ff::models {

/// What a language model remembers of a text, a cache for each block.
using LanguageCache = std::vector<nn::KeyValueCache>;

/// Decoder-only transformer: tokens (B, N), i64, N <= context, to logits (B, N, vocabulary) of the token that follows
/// each. Post-norm, sinusoidal positions, embeddings scaled by sqrt(width), ReLU, the output tied to the embedding with
/// a bias of its own for each token; options: an adaptive softmax in place of the plain one, its clusters and their
/// embeddings all at full width (div_val 1), pre-norm (with a norm after the last block). Weights start normal (0.02),
/// biases at 0.
class LanguageModel : public nn::Module {
 public:
  /// Of a vocabulary of that many tokens, which must be more than the last of config.cutoffs. Attention is causal
  /// whatever config.attention says.
  LanguageModel(const LanguageModelConfig& config, std::int64_t vocabulary_size);
  /// logits(hidden(tokens))
  Tensor forward(const Tensor& tokens) override;
  /// What the last block gives: (B, N) to (B, N, width). With a cache, of tokens that follow those whose keys and
  /// values are in it, to which theirs are added: positions go on, each token sees all before it, and all of them
  /// together are at most a context. For evaluation mode, under NoGrad.
  Tensor hidden(const Tensor& tokens, LanguageCache* cache = nullptr);
  /// An empty cache for `batch` texts of up to a context.
  LanguageCache make_cache(std::int64_t batch = 1) const;
  /// (.., width) to (.., vocabulary). Those of an adaptive softmax are log-probabilities.
  Tensor logits(const Tensor& hidden) const;

  /// Cross entropy of the tokens that follow, targets (B, N) with -100 for those that do not count: the mean, or the
  /// sum. label_smoothing is for a plain softmax alone.
  Tensor loss(const Tensor& tokens, const Tensor& targets, const CrossEntropyOptions& options = {});

  std::int64_t vocabulary_size() const { return embed.weight.size(0); }
  const LanguageModelConfig& config() const { return config_; }

  nn::Embedding embed;
  Tensor positions;  ///< (context, width), not learned
  nn::Dropout drop;
  nn::ModuleList<Block> blocks;
  std::optional<nn::LayerNorm> norm;            ///< of pre-norm alone
  Tensor bias;                                  ///< (vocabulary), of a plain softmax
  std::optional<nn::TiedAdaptiveSoftmax> crit;  ///< of an adaptive one

 private:
  void initialize();

  LanguageModelConfig config_;
};

/// The positions of Vaswani et al. 2017 as (count, width): in row t the sines of t / 10000^(2 i / width), i = 0, 1, ..,
/// then the cosines.
Tensor sinusoidal_positions(std::int64_t count, std::int64_t width);

}  // namespace ff::models
