#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

#include "ff/core/error.h"

namespace ff::test {

/// What the ff::Error that f throws says; "(no error)" if it throws none. Other exceptions pass.
template <class F>
std::string error_of(F f) {
  try {
    f();
  } catch (const Error& error) {
    return error.what();
  }
  return "(no error)";
}

/// Whether text contains each of the parts.
bool contains(std::string_view text, std::initializer_list<std::string_view> parts);

/// Fails the test, showing the text, unless it contains the part.
void check_says(const std::string& text, std::string_view part);

}  // namespace ff::test
