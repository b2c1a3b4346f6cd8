#include "ff/autograd/graph.h"

#include <cmath>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "ff/autograd/engine.h"
#include "ff/autograd/ops/ops.h"
#include "ff/autograd/scope.h"

#include "tests/support/errors.h"
#include "tests/support/files.h"

using namespace ff;
using autograd::explain;
using autograd::ExplainOptions;
using autograd::Graph;
using ff::test::contains;
using ff::test::error_of;
using Json = nlohmann::json;

namespace {

Tensor leaf(std::initializer_list<double> values) { return Tensor::from(values).requires_grad_(); }

// The node of that op, or the leaf of that name; there must be one.
const Graph::Node& find(const Graph& graph, const std::string& what) {
  const Graph::Node* found = nullptr;
  for (const Graph::Node& node : graph.nodes)
    if ((node.is_leaf ? node.name : node.op) == what) {
      CHECK(found == nullptr);
      found = &node;
    }
  REQUIRE_MESSAGE(found != nullptr, what);
  return *found;
}

int index_of(const Graph& graph, const Graph::Node& node) { return static_cast<int>(&node - graph.nodes.data()); }

std::vector<double> values(const Graph::Values& some) {
  REQUIRE(some.has_value());
  return *some;
}

std::shared_ptr<autograd::Scope> scope(std::string name, std::string type) {
  return std::make_shared<autograd::Scope>(
      autograd::Scope{std::move(name), std::move(type), Where(), autograd::current_scope()});
}

// What stands between `before` and `after`, the first time.
std::string between(const std::string& text, const std::string& before, const std::string& after) {
  const std::size_t begin = text.find(before);
  REQUIRE(begin != std::string::npos);
  const std::size_t end = text.find(after, begin + before.size());
  REQUIRE(end != std::string::npos);
  return text.substr(begin + before.size(), end - begin - before.size());
}

}  // namespace

TEST_CASE("explain: nodes in the order of computation, with lines, shapes, values and edges") {
  const Tensor w = leaf({1, 2, 3}), x = Tensor::from({4.0, 5.0, 6.0});
  const int line = __LINE__ + 1;
  const Tensor y = w * x;
  const Tensor loss = sum(y);
  const Graph graph = explain(loss, {.names = {{"w", w}}});

  REQUIRE(graph.nodes.size() == 3);
  CHECK(graph.nodes[0].op == "accumulate_grad");
  CHECK(graph.nodes[0].is_leaf);
  CHECK(graph.nodes[0].name == "w");
  CHECK(values(graph.nodes[0].outputs[0].values) == std::vector<double>{1, 2, 3});
  CHECK(graph.nodes[1].op == "mul");
  CHECK(!graph.nodes[1].is_leaf);
  CHECK(graph.nodes[1].site.line == line);
  CHECK(contains(graph.nodes[1].site.str(), {"tests/autograd/graph.cpp"}));
  CHECK(graph.nodes[1].outputs[0].shape == Shape{3});
  CHECK(graph.nodes[1].outputs[0].dtype == f64);
  CHECK(graph.nodes[2].op == "sum");
  CHECK(graph.nodes[2].outputs[0].shape == Shape{});
  CHECK(values(graph.nodes[2].outputs[0].values) == std::vector<double>{32});

  REQUIRE(graph.edges.size() == 2);
  CHECK(graph.edges[0].from == 0);
  CHECK(graph.edges[0].to == 1);
  CHECK(graph.edges[0].input == 0);
  CHECK(graph.edges[1].from == 1);
  CHECK(graph.edges[1].to == 2);
  for (const Graph::Node& node : graph.nodes) {
    CHECK(node.scope == -1);
    CHECK(!node.outputs[0].gradient.has_value());
  }
}

TEST_CASE("explain: edges tell which output of which node") {
  const Tensor x = leaf({1, 2, 3, 4});
  const auto parts = split(x, {2, 2});
  const Graph graph = explain(sum(parts[1] / parts[0]));
  const int at_split = index_of(graph, find(graph, "split")), at_div = index_of(graph, find(graph, "div"));
  CHECK(graph.nodes[static_cast<std::size_t>(at_split)].outputs.size() == 2);
  std::vector<std::pair<int, int>> outputs_and_inputs;
  for (const Graph::Edge& edge : graph.edges)
    if (edge.from == at_split && edge.to == at_div) outputs_and_inputs.emplace_back(edge.output, edge.input);
  CHECK(outputs_and_inputs == std::vector<std::pair<int, int>>{{1, 0}, {0, 1}});
}

TEST_CASE("explain: saved tensors, their bytes, versions and changes in place") {
  const Tensor w = leaf({1, 2, 3}), x = Tensor::from({4.0, 5.0, 6.0});
  const Tensor y = exp(w * x);
  const Tensor loss = sum(y);
  {
    const Graph graph = explain(loss);
    const Graph::Node& mul = find(graph, "mul");
    REQUIRE(mul.saved.size() == 1);  // w is not needed: x has no gradient
    CHECK(mul.saved[0].shape == Shape{3});
    CHECK(mul.saved[0].bytes == 24);
    CHECK(values(mul.saved[0].values) == std::vector<double>{4, 5, 6});
    for (const Graph::Saved& saved : mul.saved) CHECK(!saved.changed());
    // What exp keeps, its result, is known as such; x counts as memory kept, w, a leaf, does not.
    CHECK(values(find(graph, "exp").outputs[0].values) == y.to_vector<double>());
    CHECK(graph.saved_bytes == x.storage()->bytes() + y.storage()->bytes());
  }
  const auto before = x.version();
  x.fill(7);
  const Graph graph = explain(loss);
  const Graph::Saved& saved = find(graph, "mul").saved[0];
  CHECK(saved.changed());
  CHECK(saved.version == before);
  CHECK(saved.version_now == x.version());
  CHECK(values(saved.values) == std::vector<double>{7, 7, 7});
}

TEST_CASE("explain before backward, after it, and with a pass of its own") {
  const Tensor w = leaf({3, 4}), v = leaf({1, 1});
  int calls = 0;
  const Tensor y = w * 2, loss = sum(y * v);
  y.register_hook([&](const Tensor&) {
    ++calls;
    return Tensor();
  });
  const ExplainOptions named{.names = {{"w", w}, {"v", v}}};
  CHECK(!find(explain(loss, named), "w").outputs[0].gradient.has_value());

  // Its own: no leaf's gradient is touched, no hook stays, the graph is kept.
  const Tensor old = Tensor::from({9.0, 9.0});
  w.set_grad(old);
  ExplainOptions with_gradients = named;
  with_gradients.gradients = true;
  for (int again = 0; again < 2; ++again) {
    const Graph graph = explain(loss, with_gradients);
    CHECK(find(graph, "w").outputs[0].gradient->norm == doctest::Approx(std::sqrt(8.0)));
    CHECK(values(find(graph, "v").outputs[0].gradient->values) == std::vector<double>{6, 8});
    CHECK(find(graph, "sum").outputs[0].gradient->norm == 1);
    for (const Graph::Node& node : graph.nodes) CHECK(node.outputs[0].gradient.has_value());
    CHECK(w.grad().is(old));
    CHECK(old.to_vector<double>() == std::vector<double>{9, 9});
    CHECK(!v.grad().defined());
    CHECK(calls == again + 1);
  }

  w.set_grad({});
  loss.backward();
  CHECK(calls == 3);
  const Graph after = explain(loss, named);
  CHECK(values(find(after, "w").outputs[0].gradient->values) == std::vector<double>{2, 2});
  CHECK(find(after, "v").outputs[0].gradient->norm == 10);
  CHECK(!find(after, "sum").outputs[0].gradient.has_value());
  for (const Graph::Node& node : after.nodes) CHECK(node.released == !node.is_leaf);
  CHECK(after.saved_bytes == 0);
  CHECK(contains(error_of([&] { explain(loss, with_gradients); }), {"[mul]", "backward a second time", "graph.cpp"}));
  CHECK(w.grad().to_vector<double>() == std::vector<double>{2, 2});  // also after an error
}

TEST_CASE("explain: gradients of special values and of large ones") {
  const double inf = std::numeric_limits<double>::infinity();
  const auto norm_of_gradient = [](std::initializer_list<double> factors) {
    const Tensor x = ones({static_cast<std::int64_t>(factors.size())}, {.dtype = f64, .requires_grad = true});
    return find(explain(sum(x * Tensor::from(factors)), {.names = {{"x", x}}, .gradients = true}), "x")
        .outputs[0]
        .gradient->norm;
  };
  CHECK(norm_of_gradient({3e200, 4e200}) == doctest::Approx(5e200));
  CHECK(norm_of_gradient({0, 0}) == 0);
  CHECK(norm_of_gradient({inf, 1}) == inf);
  CHECK(std::isnan(norm_of_gradient({1, std::nan(""), inf})));
}

TEST_CASE("explain: only small tensors show their values") {
  const Tensor x = zeros({65}, {.dtype = f64, .requires_grad = true}), loss = sum(x * 2);
  Graph graph = explain(loss, {.names = {{"x", x}}, .gradients = true});
  CHECK(!find(graph, "x").outputs[0].values.has_value());
  CHECK(!find(graph, "x").outputs[0].gradient->values.has_value());
  CHECK(find(graph, "x").outputs[0].gradient->norm == doctest::Approx(2 * std::sqrt(65.0)));
  graph = explain(loss, {.names = {{"x", x}}, .most_values = 65});
  CHECK(find(graph, "x").outputs[0].values->size() == 65);
}

TEST_CASE("explain: modules, and leaves where they are used") {
  const Tensor a = leaf({1}), b = leaf({2}), c = leaf({3});
  Tensor y;
  {
    const autograd::ScopeGuard model(scope("", "Model"));
    {
      const autograd::ScopeGuard block(scope("blocks.0", "Block"));
      const autograd::ScopeGuard linear(scope("linear", "Linear"));
      y = exp(a * c);
    }
    const autograd::ScopeGuard block(scope("blocks.1", "Block"));
    y = sin(y * c * b);
  }
  const Graph graph = explain(sum(y), {.names = {{"a", a}, {"b", b}, {"c", c}}});
  REQUIRE(graph.scopes.size() == 4);
  const auto place = [&](const std::string& what) {
    const int i = find(graph, what).scope;
    return i < 0
               ? ""
               : graph.scopes[static_cast<std::size_t>(i)].type + ":" + graph.scopes[static_cast<std::size_t>(i)].path;
  };
  CHECK(place("exp") == "Linear:blocks.0.linear");
  CHECK(place("sin") == "Block:blocks.1");
  CHECK(place("sum") == "");
  CHECK(place("a") == "Linear:blocks.0.linear");
  CHECK(place("b") == "Block:blocks.1");
  CHECK(place("c") == "Model:");  // used in both blocks
  for (std::size_t i = 0; i < graph.scopes.size(); ++i) CHECK(graph.scopes[i].parent < static_cast<int>(i));
}

TEST_CASE("explain: a leaf by itself, and a tensor without a graph") {
  const Tensor x = leaf({2});
  const Graph graph = explain(x, {.gradients = true});
  REQUIRE(graph.nodes.size() == 1);
  CHECK(graph.nodes[0].is_leaf);
  CHECK(graph.nodes[0].outputs[0].gradient->norm == 1);
  CHECK(contains(error_of([] {
                   explain(Tensor::from({1.0, 2.0}));
                 }),
                 {"[explain]", "(2,)", "does not require a gradient", "tests/autograd/graph.cpp"}));
  CHECK(contains(error_of([] { explain(leaf({1, 2}) * 2, {.gradients = true}); }), {"not a scalar", "(2,)"}));
}

TEST_CASE("explain: the graph of a backward pass") {
  const Tensor x = leaf({2});
  const Tensor dx = grad({x * x * x}, {x}, {}, {.create_graph = true})[0];
  const Graph graph = explain(dx, {.names = {{"x", x}}, .gradients = true});
  CHECK(values(find(graph, "x").outputs[0].gradient->values) == std::vector<double>{12});
  for (const Graph::Edge& edge : graph.edges) CHECK(edge.from < edge.to);
}

TEST_CASE("explain: a graph of a hundred thousand nodes in a chain") {
  const Tensor x = leaf({1});
  Tensor y = x;
  for (int i = 0; i < 100000; ++i) y = y + 1;
  const Graph graph = explain(y, {.names = {{"x", x}}, .gradients = true});
  CHECK(graph.nodes.size() == 100001);
  CHECK(graph.edges.size() == 100000);
  CHECK(find(graph, "x").outputs[0].gradient->norm == 1);
}

// ---------------------------------------------------------------------------------------------------------- writers

TEST_CASE("a graph as JSON") {
  const Tensor w = Tensor::from({0.1f, 2.0f}).requires_grad_();
  Tensor loss;
  {
    const autograd::ScopeGuard model(scope("part", "Part"));
    loss = sum(w * Tensor::from({1.0f, std::numeric_limits<float>::infinity()}));
  }
  const Json json = Json::parse(to_json(explain(loss, {.names = {{"w\"\xff", w}}, .gradients = true})));
  REQUIRE(json.at("nodes").size() == 3);
  const Json& node = json["nodes"][0];
  CHECK(node["name"] == "w\"\xef\xbf\xbd");  // what is no UTF-8 is replaced
  CHECK(node["is_leaf"] == true);
  CHECK(node["outputs"][0]["shape"] == Json::array({2}));
  CHECK(node["outputs"][0]["dtype"] == "f32");
  CHECK(node["outputs"][0]["values"].dump() == "[0.1,2]");
  CHECK(node["outputs"][0]["gradient"]["norm"] == "inf");
  CHECK(node["outputs"][0]["gradient"]["values"].dump() == "[1,\"inf\"]");
  CHECK(json["nodes"][1]["saved"][0]["bytes"] == 8);
  CHECK(contains(json["nodes"][1]["site"].get<std::string>(), {"tests/autograd/graph.cpp:"}));
  CHECK(json["edges"].size() == 2);
  CHECK(json["edges"][0].dump() == R"({"from":0,"input":0,"output":0,"to":1})");
  CHECK(json["scopes"][0]["path"] == "part");
  CHECK(json["scopes"][0]["type"] == "Part");
  CHECK(json["nodes"][0]["scope"] == 0);
}

TEST_CASE("a graph in Graphviz's language") {
  const Tensor w = leaf({1});
  Tensor loss;
  {
    const autograd::ScopeGuard outer(scope("a\"b", "Outer"));
    const autograd::ScopeGuard inner(scope("c", "Inner"));
    loss = exp(w);
  }
  const std::string dot = to_dot(explain(sum(loss), {.names = {{"back\\slash \"w\"\n", w}}, .gradients = true}));
  CHECK(contains(dot, {"digraph {", "subgraph cluster_0", "subgraph cluster_1", R"(label="a\"b  Outer")",
                       R"(label="a\"b.c  Inner")", R"(label="back\\slash \"w\"\n\n(1,) f64\n|grad| 2.718")",
                       "n0 -> n1;", "n1 -> n2;"}));
  CHECK(dot.find("cluster_0") < dot.find("cluster_1"));
  CHECK(dot.find("cluster_1") < dot.find("n1 ["));
  CHECK(std::count(dot.begin(), dot.end(), '{') == std::count(dot.begin(), dot.end(), '}'));
}

TEST_CASE("a graph as a page that needs nothing else") {
  const Tensor w = leaf({1});
  const std::string name = "</script><script>alert(1)</script><!--";
  const std::string page = to_html(explain(exp(w), {.names = {{name, w}}}), "A & B </title>");
  CHECK(contains(page, {"<!doctype html>", "</html>"}));
  CHECK(page.find("{{") == std::string::npos);
  for (const char* other : {"https:", " src=", "<link", "@import", "fetch("})
    CHECK_MESSAGE(page.find(other) == std::string::npos, other);
  CHECK(page.find("http:") == page.rfind("http://www.w3.org/2000/svg"));  // a name, not an address
  const std::string data = between(page, "id=\"data\">", "</script>");
  CHECK(data.find('<') == std::string::npos);
  const Json json = Json::parse(data);
  CHECK(json["title"] == "A & B </title>");
  CHECK(json["graph"]["nodes"][0]["name"] == name);
  CHECK(page.find("alert(1)</script>") == std::string::npos);
}
