#pragma once

// What kinds of values there are, in words; shared by the sources of config.h.

#include <string>
#include <string_view>
#include <vector>

#include "ff/models/config.h"

namespace ff::models {

std::string integer_type(const IntegerRange& range);
std::string number_type(const NumberRange& range);
std::string numbers_type(const NumberRange& range, std::size_t least, std::size_t most);
std::string integers_type(const IntegerRange& range, std::size_t most);
std::string choice_type(const std::vector<std::string>& names);

/// "train.lr" of "train" and "lr", "lr" of "" and "lr".
std::string joined_path(std::string_view section, std::string_view key);

}  // namespace ff::models
