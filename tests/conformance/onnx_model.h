#pragma once

#include <filesystem>
#include <map>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "ff/core/tensor.h"

namespace ff::conformance {

/// What the library has no place for: the reason why a case cannot be run at all.
class Unsupported : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// One of these is set, by the attribute's type.
struct Attribute {
  std::int64_t integer = 0;
  double number = 0;
  std::string text;
  Tensor tensor;
  std::vector<std::int64_t> integers;
  std::vector<float> numbers;
};

struct Node {
  std::string op;
  std::vector<std::string> inputs, outputs;  ///< names of values; "" where an optional one is left out
  std::map<std::string, Attribute> attributes;
};

struct Model {
  std::vector<std::string> inputs, outputs;
  std::vector<std::pair<std::string, Tensor>> constants;
  std::vector<Node> nodes;  ///< in an order in which they can be computed
};

/// The operator a model ends with; for a model of one node, the one it tests. Reads files that read_model() cannot.
std::string last_operator(const std::filesystem::path& file);

// Both throw Unsupported where a value is no tensor of a dtype the library has, ff::Error where the file is bad.

/// A model.onnx, as ONNX's onnx.proto defines it.
Model read_model(const std::filesystem::path& file);
/// A TensorProto: the .pb files beside the models.
Tensor read_tensor(const std::filesystem::path& file);

/// ONNX's number for a dtype, as in the attribute `to` of Cast.
DType dtype_of_onnx(std::int64_t code);

}  // namespace ff::conformance
