#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "ff/models/language/model.h"
#include "ff/models/language/sampling.h"
#include "ff/models/language/vocabulary.h"

namespace ff::models {

struct GenerateOptions {
  std::int64_t max_tokens = 200;  ///< how many to write
  SamplingOptions sampling{};
  std::uint64_t seed = 1;  ///< with the same one comes the same text
};

/// Told of each token as it is chosen: the text that it adds (of bytes, perhaps a part of a character). No more are
/// written where it returns false.
using TextListener = std::function<bool(std::string_view piece)>;

/// Writes on from prompt: the text that follows it, without the prompt itself. An empty prompt stands for the end of a
/// line. The model is put into evaluation mode for it.
/// The keys and values of the text are kept from token to token (see LanguageModel::hidden). A model sees no more than
/// its context: of a longer prompt the end, context tokens, and each time that they are context tokens and one more is
/// needed, the newer half of them (rounded up) is kept, its positions counted anew from 0. Until then tokens are the
/// same as without a cache. The repetition penalty counts the whole text, prompt included.
/// Throws Error where an option makes no sense, or the model's logits are not finite.
std::string generate(LanguageModel& model, const Vocabulary& vocabulary, std::string_view prompt,
                     const GenerateOptions& options = {}, const TextListener& listener = {});

}  // namespace ff::models
