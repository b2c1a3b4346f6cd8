#include <cmath>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "ff/autograd/graph.h"

namespace ff::autograd {
namespace {

using Json = nlohmann::ordered_json;

// x as its dtype writes it: the float 0.1 as 0.1, not as the double next to it.
Json number(double x, DType dtype) {
  if (std::isnan(x)) return "nan";
  if (std::isinf(x)) return x > 0 ? "inf" : "-inf";
  if (!is_floating(dtype)) return static_cast<std::int64_t>(x);
  return dtype == f32 ? Json::parse(fmt::format("{}", static_cast<float>(x))) : Json(x);
}

Json shape_json(const Shape& shape) { return std::vector<std::int64_t>(shape.begin(), shape.end()); }

// Adds "values" where there are any.
void add_values(Json& json, const Graph::Values& values, DType dtype) {
  if (!values) return;
  Json list = Json::array();
  for (const double x : *values) list.push_back(number(x, dtype));
  json["values"] = std::move(list);
}

Json to_json(const Graph::Output& output) {
  Json json{{"shape", shape_json(output.shape)}, {"dtype", name(output.dtype)}};
  add_values(json, output.values, output.dtype);
  if (output.gradient) {
    json["gradient"]["norm"] = number(output.gradient->norm, f64);
    add_values(json["gradient"], output.gradient->values, output.dtype);
  }
  return json;
}

Json to_json(const Graph::Saved& saved) {
  Json json{{"shape", shape_json(saved.shape)},
            {"dtype", name(saved.dtype)},
            {"bytes", saved.bytes},
            {"version", saved.version},
            {"version_now", saved.version_now}};
  add_values(json, saved.values, saved.dtype);
  return json;
}

Json to_json(const Graph::Node& node) {
  Json json{{"op", node.op},       {"is_leaf", node.is_leaf},  {"name", node.name},      {"site", node.site.str()},
            {"scope", node.scope}, {"outputs", Json::array()}, {"saved", Json::array()}, {"released", node.released}};
  for (const Graph::Output& output : node.outputs) json["outputs"].push_back(to_json(output));
  for (const Graph::Saved& saved : node.saved) json["saved"].push_back(to_json(saved));
  return json;
}

}  // namespace

std::string to_json(const Graph& graph) {
  Json json{{"nodes", Json::array()},
            {"edges", Json::array()},
            {"scopes", Json::array()},
            {"saved_bytes", graph.saved_bytes}};
  for (const Graph::Node& node : graph.nodes) json["nodes"].push_back(to_json(node));
  for (const Graph::Edge& edge : graph.edges)
    json["edges"].push_back({{"from", edge.from}, {"output", edge.output}, {"to", edge.to}, {"input", edge.input}});
  for (const Graph::Scope& scope : graph.scopes)
    json["scopes"].push_back(
        {{"path", scope.path}, {"type", scope.type}, {"site", scope.site.str()}, {"parent", scope.parent}});
  // A name may be any bytes: what is no UTF-8 is replaced.
  return json.dump(-1, ' ', /*ensure_ascii=*/false, Json::error_handler_t::replace) + "\n";
}

}  // namespace ff::autograd
