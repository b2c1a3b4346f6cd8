#include <fmt/format.h>

#include "ff/autograd/graph.h"

namespace ff::autograd {
namespace {

// text between quotes of the DOT language, "\n" staying the end of a line of a label.
std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    if (c == '\n')
      out += "\\n";
    else if (static_cast<unsigned char>(c) >= ' ')
      out += c;
  }
  return out + '"';
}

std::string label(const Graph::Node& node) {
  std::string text = !node.is_leaf ? node.op : node.name.empty() ? "leaf" : node.name;
  for (const Graph::Output& output : node.outputs) {
    text += fmt::format("\n{} {}", output.shape.str(), name(output.dtype));
    if (output.gradient) text += fmt::format("\n|grad| {:.4g}", output.gradient->norm);
  }
  return text;
}

// The parts that stand directly in each scope, outside of all first.
struct Parts {
  std::vector<std::size_t> nodes, scopes;
};

std::vector<Parts> parts_of(const Graph& graph) {
  std::vector<Parts> parts(graph.scopes.size() + 1);
  for (std::size_t i = 0; i < graph.nodes.size(); ++i)
    parts[static_cast<std::size_t>(graph.nodes[i].scope + 1)].nodes.push_back(i);
  for (std::size_t i = 0; i < graph.scopes.size(); ++i)
    parts[static_cast<std::size_t>(graph.scopes[i].parent + 1)].scopes.push_back(i);
  return parts;
}

void write_parts(const Graph& graph, const std::vector<Parts>& parts, std::size_t place, int depth, std::string& out) {
  const std::string indent(static_cast<std::size_t>(2 * depth + 2), ' ');
  for (const std::size_t i : parts[place].nodes) {
    const Graph::Node& node = graph.nodes[i];
    out += fmt::format("{}n{} [label={}, tooltip={}{}];\n", indent, i, quoted(label(node)), quoted(node.site.str()),
                       node.is_leaf ? ", style=\"rounded,filled\", fillcolor=\"#e8f0e4\"" : "");
  }
  for (const std::size_t i : parts[place].scopes) {
    const Graph::Scope& scope = graph.scopes[i];
    out += fmt::format("{}subgraph cluster_{} {{\n{}  label={};\n", indent, i, indent,
                       quoted(scope.path.empty() ? scope.type : scope.path + "  " + scope.type));
    write_parts(graph, parts, i + 1, depth + 1, out);
    out += indent + "}\n";
  }
}

}  // namespace

std::string to_dot(const Graph& graph) {
  std::string out =
      "digraph {\n"
      "  node [shape=box, style=rounded, fontname=\"sans-serif\", fontsize=10];\n"
      "  graph [fontname=\"sans-serif\", fontsize=10, color=\"#999999\"];\n"
      "  edge [color=\"#666666\", arrowsize=0.6];\n";
  write_parts(graph, parts_of(graph), 0, 0, out);
  for (const Graph::Edge& edge : graph.edges) out += fmt::format("  n{} -> n{};\n", edge.from, edge.to);
  return out + "}\n";
}

}  // namespace ff::autograd
