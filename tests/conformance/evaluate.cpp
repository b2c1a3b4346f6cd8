#include "tests/conformance/evaluate.h"

#include "ff/autograd/ops/ops.h"
#include "ff/core/check.h"

namespace ff::conformance {

const Tensor& Call::operator[](std::size_t i) const {
  static const Tensor none;
  return i < inputs_.size() ? inputs_[i] : none;
}

const Attribute* Call::find(const std::string& attribute) const {
  read_.insert(attribute);
  const auto found = node_.attributes.find(attribute);
  return found == node_.attributes.end() ? nullptr : &found->second;
}

std::int64_t Call::integer(const std::string& attribute, std::int64_t otherwise) const {
  const Attribute* found = find(attribute);
  return found ? found->integer : otherwise;
}

double Call::number(const std::string& attribute, double otherwise) const {
  const Attribute* found = find(attribute);
  return found ? found->number : otherwise;
}

std::string Call::text(const std::string& attribute, const std::string& otherwise) const {
  const Attribute* found = find(attribute);
  return found ? found->text : otherwise;
}

Tensor Call::tensor(const std::string& attribute) const {
  const Attribute* found = find(attribute);
  return found ? found->tensor : Tensor();
}

std::vector<std::int64_t> Call::integers(const std::string& attribute, std::vector<std::int64_t> otherwise) const {
  const Attribute* found = find(attribute);
  return found ? found->integers : otherwise;
}

std::vector<float> Call::numbers(const std::string& attribute) const {
  const Attribute* found = find(attribute);
  return found ? found->numbers : std::vector<float>();
}

std::optional<std::string> Call::unread() const {
  for (const auto& [name, attribute] : node_.attributes)
    if (!read_.count(name)) return name;
  return {};
}

const Operators& operators() {
  static const Operators all = [] {
    Operators table;
    for (Operators (*family)() : {arithmetic_operators, elementwise_operators, reduce_operators, shape_operators,
                                  indexing_operators, matmul_operators, network_operators, resample_operators,
                                  recurrent_operators, loss_operators, quantized_operators})
      for (const auto& [name, op] : family()) internal_check(table.emplace(name, op).second, "two operators of a name");
    return table;
  }();
  return all;
}

std::vector<Tensor> evaluate(const Model& model, const std::vector<Tensor>& inputs) {
  check(inputs.size() == model.inputs.size(), "conformance", "{} inputs for a model of {}", inputs.size(),
        model.inputs.size());
  std::map<std::string, Tensor> values{{"", Tensor()}};
  for (const auto& [name, tensor] : model.constants) values[name] = tensor;
  for (std::size_t i = 0; i < inputs.size(); ++i) values[model.inputs[i]] = inputs[i];
  const auto value = [&](const std::string& name) {
    const auto found = values.find(name);
    check(found != values.end(), "conformance", "nothing computes the value '{}'", name);
    return found->second;
  };

  for (const Node& node : model.nodes) {
    const auto op = operators().find(node.op);
    check(op != operators().end(), "conformance", "no operator {}", node.op);
    std::vector<Tensor> arguments;
    for (const std::string& name : node.inputs) arguments.push_back(value(name));
    const Call call(node, arguments);
    const std::vector<Tensor> results = op->second(call).tensors;
    if (const auto attribute = call.unread())
      fail("conformance", "{} does not know the attribute '{}'", node.op, *attribute);
    check(results.size() >= node.outputs.size(), "conformance", "{} gives {} outputs of {}", node.op, results.size(),
          node.outputs.size());
    for (std::size_t i = 0; i < node.outputs.size(); ++i)
      if (!node.outputs[i].empty()) values[node.outputs[i]] = results[i];
  }

  std::vector<Tensor> outputs;
  for (const std::string& name : model.outputs) outputs.push_back(value(name));
  return outputs;
}

std::vector<std::int64_t> integers_of(const Tensor& x) { return x.to_vector<std::int64_t>(); }

Dims dims_of(const std::vector<std::int64_t>& integers) { return {integers.begin(), integers.end()}; }

Shape shape_of(const std::vector<std::int64_t>& integers) { return Shape(std::span(integers)); }

std::vector<std::int64_t> attribute_or_input(const Call& call, const std::string& name, std::size_t i) {
  return call.has(i) ? integers_of(call[i]) : call.integers(name);
}

Tensor move_dim(const Tensor& x, int from, int to) {
  from = normalize_dim("conformance", from, x.rank());
  to = normalize_dim("conformance", to, x.rank());
  Dims order;
  for (int i = 0; i < x.rank(); ++i)
    if (i != from) order.push_back(i);
  order.insert(order.begin() + to, from);
  return permute(x, order);
}

Tensor wrap_index(const Tensor& index, std::int64_t size) {
  return where(lt(index, 0.0), add(index, static_cast<double>(size)), index);
}

}  // namespace ff::conformance
