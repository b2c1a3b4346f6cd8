#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "ff/core/tensor.h"

#include "tests/conformance/exclusions.h"

namespace ff::conformance {

/// What became of a case.
struct Result {
  std::string name;  ///< "abs", of the folder test_abs
  std::string op;    ///< the ONNX operator it is of; for an expanded one, that of the case it expands
  bool passed = false;
  std::string what;      ///< of one that did not: why
  std::string excluded;  ///< the reason why it need not pass, or ""
  double error = 0;      ///< of one that passed: the largest part of its tolerance that was used
};

/// Throws Error unless got has the dtype, the shape and the elements of want: integers and booleans exactly, floating
/// ones to tolerance. Returns the largest part of the tolerance that an element uses.
double compare(const Tensor& got, const Tensor& want, const Tolerance& tolerance = {});

/// Runs every case of the folder, also those that are excluded, by name.
std::vector<Result> run_cases(const std::filesystem::path& folder);

/// Writes conformance.md and conformance.json into the folder: for each operator its cases, how many passed, and why
/// others need not.
void write_scorecard(const std::filesystem::path& folder, const std::vector<Result>& results);

}  // namespace ff::conformance
