#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "ff/models/attention_config.h"
#include "ff/models/block.h"

namespace ff::models {

/// What a token is.
enum class TokenKind { bytes, words, bpe };

/// A decoder-only transformer.
struct LanguageModelConfig {
  TokenKind vocabulary = TokenKind::bytes;
  std::int64_t layers = 4, heads = 8, width = 128, inner_width = 512, context = 128;
  std::int64_t vocabulary_size = 0;   ///< that the data must have; 0: as many as it has
  std::vector<std::int64_t> cutoffs;  ///< of the adaptive softmax; none: a plain one
  NormOrder norm_order = NormOrder::after;
  nn::AttentionOptions attention{.proj_bias = false, .causal = true, .radius = 2};
  double dropout = 0.1, drop_path = 0;

  void visit(Fields& fields);
};

/// Text, and how it is divided.
struct LanguageDataConfig {
  std::string path = "/usr/share/doc/jargon-text/jargon.txt.gz";
  std::string held_out_path;
  std::string tokenizer;  ///< folder of byte pairs; empty: they are learnt
  std::string cache;      ///< see load_corpus()
  double held_out_fraction = 0.1;
  std::int64_t max_vocabulary = 0, evaluation_stride = 0;

  void visit(Fields& fields);
};

}  // namespace ff::models
