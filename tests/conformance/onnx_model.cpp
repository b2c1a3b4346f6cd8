// The only file that includes the generated code of onnx.proto, which is slow to compile.

#include "tests/conformance/onnx_model.h"

#include <cstring>
#include <fstream>

#include <onnx/onnx_pb.h>

#include "ff/core/check.h"

namespace ff::conformance {

namespace {

template <class Message>
Message parse(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  Message message;
  check(in.good() && message.ParseFromIstream(&in), "conformance", "cannot read {}", file.string());
  return message;
}

// Elements that are stored one a field, not as bytes.
template <class T, class Fields>
Tensor from_fields(const Fields& fields, const Shape& shape) {
  const Tensor y = Tensor::empty(shape, dtype_of<T>());
  check(fields.size() == y.numel(), "conformance", "a tensor {} of {} elements", shape.str(), fields.size());
  for (int i = 0; i < fields.size(); ++i) y.data<T>()[i] = static_cast<T>(fields[i]);
  return y;
}

Tensor convert(const onnx::TensorProto& proto) {
  const Shape shape(std::vector<std::int64_t>(proto.dims().begin(), proto.dims().end()));
  const DType dtype = dtype_of_onnx(proto.data_type());
  if (proto.has_raw_data()) {
    const Tensor y = Tensor::empty(shape, dtype);
    const std::string& bytes = proto.raw_data();
    check(bytes.size() == static_cast<std::size_t>(y.numel()) * size_of(dtype), "conformance",
          "a tensor {} of {} bytes", shape.str(), bytes.size());
    if (!bytes.empty()) std::memcpy(y.raw(), bytes.data(), bytes.size());
    return y;
  }
  switch (dtype) {
    case f32:
      return from_fields<float>(proto.float_data(), shape);
    case f64:
      return from_fields<double>(proto.double_data(), shape);
    case i64:
      return from_fields<std::int64_t>(proto.int64_data(), shape);
    case i32:
      return from_fields<std::int32_t>(proto.int32_data(), shape);
    case u8:
      return from_fields<std::uint8_t>(proto.int32_data(), shape);
    case boolean:
      break;
  }
  return from_fields<bool>(proto.int32_data(), shape);
}

Attribute convert(const onnx::AttributeProto& proto) {
  return {proto.i(),
          proto.f(),
          proto.s(),
          proto.has_t() ? convert(proto.t()) : Tensor(),
          {proto.ints().begin(), proto.ints().end()},
          {proto.floats().begin(), proto.floats().end()}};
}

Node convert(const onnx::NodeProto& proto) {
  Node node{proto.op_type(),
            {proto.input().begin(), proto.input().end()},
            {proto.output().begin(), proto.output().end()},
            {}};
  for (const onnx::AttributeProto& a : proto.attribute()) node.attributes[a.name()] = convert(a);
  return node;
}

// Throws unless the values are tensors of a dtype the library has.
template <class Values>
void check_types(const Values& values) {
  for (const onnx::ValueInfoProto& value : values) {
    if (!value.type().has_tensor_type()) throw Unsupported("sequences and optional values: the library has tensors");
    dtype_of_onnx(value.type().tensor_type().elem_type());
  }
}

}  // namespace

DType dtype_of_onnx(std::int64_t code) {
  switch (code) {
    case onnx::TensorProto::FLOAT:
      return f32;
    case onnx::TensorProto::DOUBLE:
      return f64;
    case onnx::TensorProto::INT32:
      return i32;
    case onnx::TensorProto::INT64:
      return i64;
    case onnx::TensorProto::UINT8:
      return u8;
    case onnx::TensorProto::BOOL:
      return boolean;
    default:
      throw Unsupported("dtype " + onnx::TensorProto::DataType_Name(static_cast<int>(code)));
  }
}

std::string last_operator(const std::filesystem::path& file) {
  const auto proto = parse<onnx::ModelProto>(file);
  check(proto.graph().node_size() > 0, "conformance", "{} has no nodes", file.string());
  return proto.graph().node(proto.graph().node_size() - 1).op_type();
}

Model read_model(const std::filesystem::path& file) {
  const auto proto = parse<onnx::ModelProto>(file);
  const onnx::GraphProto& graph = proto.graph();
  check_types(graph.input());
  check_types(graph.output());

  Model model;
  for (const auto& tensor : graph.initializer()) model.constants.emplace_back(tensor.name(), convert(tensor));
  for (const auto& input : graph.input()) model.inputs.push_back(input.name());
  for (const auto& output : graph.output()) model.outputs.push_back(output.name());
  for (const auto& node : graph.node()) model.nodes.push_back(convert(node));
  return model;
}

Tensor read_tensor(const std::filesystem::path& file) { return convert(parse<onnx::TensorProto>(file)); }

}  // namespace ff::conformance
