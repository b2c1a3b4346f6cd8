#include <string_view>

#include <nlohmann/json.hpp>

#include "ff/autograd/graph.h"

namespace ff::autograd {

extern const std::string_view graph_page;  // graph_page.html with its style and script, put in by the build

namespace {

// A JSON text that may stand in a <script>: no tag or comment can begin or end in it.
std::string script_safe(const std::string& json) {
  std::string out;
  out.reserve(json.size());
  for (const char c : json) c == '<' ? out += "\\u003c" : out += c;
  return out;
}

std::string replaced(std::string_view page, std::string_view marker, const std::string& text) {
  std::string out(page);
  return out.replace(out.find(marker), marker.size(), text);
}

}  // namespace

std::string to_html(const Graph& graph, const std::string& title) {
  const nlohmann::json heading(title);
  const std::string json_title = heading.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  return replaced(graph_page, "\"{{data}}\"",
                  script_safe("{\"title\": " + json_title + ", \"graph\": " + to_json(graph) + "}"));
}

}  // namespace ff::autograd
