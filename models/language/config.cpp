#include "ff/models/language/config.h"

#include <algorithm>
#include <functional>

#include <fmt/ranges.h>

namespace ff::models {

void LanguageModelConfig::visit(Fields& f) {
  f.choice<TokenKind>("vocabulary", vocabulary,
                      {{"bytes", TokenKind::bytes}, {"words", TokenKind::words}, {"bpe", TokenKind::bpe}},
                      "what a token is: a byte, a word between spaces, or what byte pairs are merged to");
  f.integer("layers", layers, {.min = 1}, "blocks");
  f.integer("heads", heads, {.min = 1}, "attention heads of a block");
  f.integer("width", width, {.min = 1}, "features of a token");
  f.integer("inner_width", inner_width, {.min = 1}, "inner width of the feed-forward part");
  f.integer("context", context, {.min = 1}, "tokens that are seen at once, in training and evaluation");
  f.integer(
      "vocabulary_size", vocabulary_size, {.min = 0},
      "tokens that the data must have, words with <eos> and <unk>; 0: as many as it has. Byte pairs are learnt until "
      "there are so many. What needs no data needs this");
  f.integers(
      "cutoffs", cutoffs, {.min = 1}, 16,
      "where the clusters of an adaptive softmax begin, of the words by falling frequency; none: a plain softmax");
  f.choice<NormOrder>("norm_order", norm_order, {{"before", NormOrder::before}, {"after", NormOrder::after}},
                      "whether a block normalises the input of its parts, or their sums with it");
  visit_attention(f, attention);
  f.number("dropout", dropout, {.min = 0, .below = 1},
           "share dropped of the embedding, the attention's output and the feed-forward part");
  f.number("drop_path", drop_path, {.min = 0, .below = 1},
           "share of the samples that skip a branch of the last block; rises from 0 in the first (stochastic depth)");

  f.require(width % heads == 0, "heads", fmt::format("{} heads do not divide width {}", heads, width));
  f.require(std::adjacent_find(cutoffs.begin(), cutoffs.end(), std::greater_equal<>()) == cutoffs.end(), "cutoffs",
            fmt::format("{} do not ascend", fmt::join(cutoffs, ", ")));
  f.require(cutoffs.empty() || vocabulary == TokenKind::words, "cutoffs",
            "an adaptive softmax is for words, which are numbered by frequency, not for bytes or byte pairs");
  f.require(vocabulary_size == 0 || vocabulary != TokenKind::bytes, "vocabulary_size", "bytes are 256, always");
  f.require(vocabulary_size == 0 || vocabulary != TokenKind::bpe || vocabulary_size >= 256, "vocabulary_size",
            fmt::format("{} are fewer tokens than there are bytes", vocabulary_size));
  f.require(vocabulary_size == 0 || cutoffs.empty() || cutoffs.back() < vocabulary_size, "cutoffs",
            fmt::format("{} are not all below vocabulary_size {}", fmt::join(cutoffs, ", "), vocabulary_size));
  f.require(width % 2 == 0, "width", fmt::format("{} is odd, but sinusoidal positions need an even width", width));
}

void LanguageDataConfig::visit(Fields& f) {
  f.text("path", path,
         "file of the text to train on, plain or gzip; or a folder with texts to train on, to validate and to test on, "
         "train.txt, valid.txt, test.txt or wiki.train.tokens, ..");
  f.text("held_out_path", held_out_path,
         "file of the text to evaluate on; none: the end of the training file is held out");
  f.number("held_out_fraction", held_out_fraction, {.above = 0, .below = 1},
           "share of the training file, at its end, that is held out where there is no held_out_path");
  f.integer("max_vocabulary", max_vocabulary, {.min = 0},
            "most words that are kept, the more frequent before the others; 0: all. Words alone");
  f.text("tokenizer", tokenizer,
         "folder of byte pairs, encoder.json and vocab.bpe as `fourierformer tokenizer train` writes them or a run has "
         "them; none: they are learnt from the text to train on. Byte pairs alone");
  f.text("cache", cache,
         "folder where the tokens of words and byte pairs are kept, so that they need not be made again; none given: "
         "beside the text or, where that cannot be written to, the user's cache folder; \"none\": nowhere");
  f.integer("evaluation_stride", evaluation_stride, {.min = 0},
            "tokens scored of an evaluation window, its last; 0: all of them, windows one after the other");
}

}  // namespace ff::models
