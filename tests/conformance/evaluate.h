#pragma once

#include <functional>
#include <initializer_list>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ff/autograd/ops/dims.h"
#include "ff/core/tensor.h"

#include "tests/conformance/onnx_model.h"

namespace ff::conformance {

/// One use of an operator: its inputs, and its attributes with their defaults. Every attribute that a node has must be
/// read, or the case fails: none is overlooked.
class Call {
 public:
  Call(const Node& node, std::vector<Tensor> inputs) : node_(node), inputs_(std::move(inputs)) {}

  /// Input i; undefined where it was left out.
  const Tensor& operator[](std::size_t i) const;
  bool has(std::size_t i) const { return (*this)[i].defined(); }
  const std::vector<Tensor>& inputs() const { return inputs_; }
  /// How many outputs are asked for.
  std::size_t outputs() const { return node_.outputs.size(); }

  bool has(const std::string& attribute) const { return find(attribute) != nullptr; }
  std::int64_t integer(const std::string& attribute, std::int64_t otherwise) const;
  double number(const std::string& attribute, double otherwise) const;
  std::string text(const std::string& attribute, const std::string& otherwise) const;
  Tensor tensor(const std::string& attribute) const;
  std::vector<std::int64_t> integers(const std::string& attribute, std::vector<std::int64_t> otherwise = {}) const;
  std::vector<float> numbers(const std::string& attribute) const;
  /// The attribute is of no consequence here.
  void ignore(const std::string& attribute) const { find(attribute); }

  /// An attribute of the node that nobody read.
  std::optional<std::string> unread() const;

 private:
  const Attribute* find(const std::string& attribute) const;

  const Node& node_;
  std::vector<Tensor> inputs_;
  mutable std::set<std::string> read_;
};

/// What an operator gives: often one tensor.
struct Outputs {
  std::vector<Tensor> tensors;
  Outputs(const Tensor& tensor) : tensors{tensor} {}
  Outputs(std::vector<Tensor> several) : tensors(std::move(several)) {}
  Outputs(std::initializer_list<Tensor> several) : tensors(several) {}
};

using Operator = std::function<Outputs(const Call&)>;
using Operators = std::map<std::string, Operator>;

/// ONNX's operators by name, each in functions of the library: nothing is computed here that they do not compute.
const Operators& operators();

// What each file of this folder contributes.
Operators arithmetic_operators();
Operators elementwise_operators();
Operators reduce_operators();
Operators shape_operators();
Operators indexing_operators();
Operators matmul_operators();
Operators network_operators();
Operators resample_operators();
Operators recurrent_operators();
Operators loss_operators();
Operators quantized_operators();

/// The outputs of a model.
std::vector<Tensor> evaluate(const Model& model, const std::vector<Tensor>& inputs);

// What the files of operators share.

/// The elements of an integer tensor, as sizes or dimensions.
std::vector<std::int64_t> integers_of(const Tensor& x);
Dims dims_of(const std::vector<std::int64_t>& integers);
Shape shape_of(const std::vector<std::int64_t>& integers);
/// Attribute `name` in older opsets, input i in newer ones; empty where neither is given.
std::vector<std::int64_t> attribute_or_input(const Call& call, const std::string& name, std::size_t i);
/// x with dimension `from` moved to `to`.
Tensor move_dim(const Tensor& x, int from, int to);
/// Indices along a dimension of that size, negative ones counted from its end.
Tensor wrap_index(const Tensor& index, std::int64_t size);
/// The convolution that the attributes of call describe, of tensors that need not be its inputs.
Tensor convolve(const Call& call, const Tensor& x, const Tensor& weight, const Tensor& bias);

}  // namespace ff::conformance
