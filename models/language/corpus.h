#pragma once

#include "ff/models/language/config.h"
#include "ff/models/language/text_parts.h"
#include "ff/models/language/vocabulary.h"
#include "ff/models/load_listener.h"

namespace ff::models {

/// A text as tokens, 1-D u8 or i32, divided into what is trained on, what is evaluated on meanwhile, and, of a folder
/// alone, what is tested on in the end.
struct Corpus {
  Vocabulary vocabulary;
  Tensor train, held_out, test{};
  TextSize held_out_size, test_size{};
  /// The token before the first held-out one: the last training token where they are of one file, else the end of a
  /// line.
  std::int64_t before_held_out = 0;
};

/// Reads the text that data names. Words and byte pairs are those of the training part, vocabulary_size byte pairs,
/// unless data.tokenizer names some. Held out is the end of the file (from the beginning of a line on, unless tokens
/// are bytes), or a file of its own. A folder is laid out as WikiText is, held out being its validation text.
///
/// Text that becomes words or byte pairs is read piece by piece, once to learn them and once to encode it, and its
/// tokens go to a file, which the tensors are a view of. The next time it is read in place of the text, if it is whole
/// and was made of these texts, to judge by their names, sizes and times, with this vocabulary; else it is made anew.
/// It is in data.cache; where that is empty beside the text ("TEXT.words.tokens", "FOLDER/bpe-8000.tokens"), or, where
/// that cannot be written to, in $XDG_CACHE_HOME/fourierformer (~/.cache/fourierformer), but only of texts of a MiB or
/// more. Where it is "none", or there is no place for a file, tokens are in memory.
///
/// Throws Error naming the file where a part is empty or missing.
Corpus load_corpus(const LanguageDataConfig& data, TokenKind kind, std::int64_t vocabulary_size = 0,
                   const LoadListener& listener = {});
/// The same with a vocabulary that is there already.
Corpus load_corpus(const LanguageDataConfig& data, const Vocabulary& vocabulary, const LoadListener& listener = {});

}  // namespace ff::models
