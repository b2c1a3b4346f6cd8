#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "ff/models/language/model.h"
#include "ff/models/language/vocabulary.h"

namespace ff::models {

struct GenerateOptions {
  std::int64_t max_tokens = 200;  ///< how many to write
  double temperature = 1;         ///< what the logits are divided by; 0: always the likeliest token
  std::int64_t top_k = 0;         ///< choose among the k likeliest tokens alone; 0: among all
  std::uint64_t seed = 1;         ///< with the same one comes the same text
};

/// Writes on from prompt: the text that follows it, without the prompt itself. Of a text longer than the model's
/// context its end is looked at; an empty prompt stands for the end of a line. The model is put into evaluation mode
/// for it. Throws Error where an option makes no sense, or the model's logits are not finite.
std::string generate(LanguageModel& model, const Vocabulary& vocabulary, std::string_view prompt,
                     const GenerateOptions& options = {});

}  // namespace ff::models
