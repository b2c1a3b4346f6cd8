#include "tests/support/errors.h"

#include <algorithm>

#include <doctest/doctest.h>

namespace ff::test {

bool contains(std::string_view text, std::initializer_list<std::string_view> parts) {
  return std::all_of(parts.begin(), parts.end(),
                     [&](std::string_view part) { return text.find(part) != std::string_view::npos; });
}

void check_says(const std::string& text, std::string_view part) {
  CHECK_MESSAGE(contains(text, {part}), "\"", part, "\" is not in: ", text);
}

}  // namespace ff::test
