#pragma once

#include <cstdint>
#include <string>

#include "ff/models/language/config.h"
#include "ff/models/language/text_parts.h"

namespace ff::models {

/// What texts are on the disk, to tell whether they have changed: names, sizes, times and stretches.
std::string describe_sources(const TextParts& parts);

/// The file for the tokens of data, see load_corpus(), whose name ends with label ("words") and ".tokens"; its folder
/// is made if need be. Empty where they are not to be kept. Throws Error where data.cache cannot be made.
std::string token_cache_path(const LanguageDataConfig& data, const TextParts& parts, const std::string& label);

}  // namespace ff::models
