#include <doctest/doctest.h>

#include "ff/autograd/ops/ops.h"
#include "ff/core/error.h"
#include "ff/nn/containers.h"
#include "ff/nn/linear.h"
#include "ff/nn/module.h"

using namespace ff;

namespace {

struct Net : nn::Module {
  nn::Linear a{2, 3}, b{2, 3, {.bias = false}};
  Tensor count = zeros({1}, {.dtype = i64}), cache = zeros({4});
  explicit Net(bool tied = true) {
    add("a", a);
    add("b", b);
    add_buffer("count", count);
    add_buffer("cache", cache, false);
    if (tied) b.weight = a.weight;
  }
};

TensorMap copied(const TensorMap& state) {
  TensorMap copies;
  for (const auto& [name, tensor] : state) copies.emplace(name, tensor.copy());
  return copies;
}

std::string error_of(nn::Module& module, const TensorMap& state, bool strict = true) {
  try {
    module.load_state_dict(state, strict);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

bool mentions(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("state_dict: parameters and persistent buffers, detached, a shared one under each name") {
  Net net;
  const TensorMap state = net.state_dict();
  std::vector<std::string> names;
  for (const auto& [name, tensor] : state) {
    names.push_back(name);
    CHECK_FALSE(tensor.requires_grad());
  }
  CHECK(names == std::vector<std::string>{"a.bias", "a.weight", "b.weight", "count"});
  CHECK(state.at("b.weight").raw() == net.a.weight.raw());
}

TEST_CASE("state_dict: a round trip keeps every value, the tensors themselves and their gradients' need") {
  manual_seed(1);
  Net from, to;
  from.count.fill(5);
  const Tensor held = to.a.weight;
  const auto version = held.version();
  CHECK(held.to_vector<float>() != from.a.weight.to_vector<float>());
  const nn::LoadReport report = to.load_state_dict(copied(from.state_dict()));
  CHECK(report.missing.empty());
  CHECK(report.unexpected.empty());
  CHECK(to.a.weight.is(held));
  CHECK(to.b.weight.is(held));
  CHECK(held.requires_grad());
  CHECK(held.version() > version);
  for (const auto& [name, tensor] : from.state_dict())
    CHECK(to.state_dict().at(name).to_vector<double>() == tensor.to_vector<double>());
  CHECK(error_of(from, from.state_dict()).empty());  // its own memory
}

TEST_CASE("state_dict: floating dtypes are converted") {
  Net net;
  TensorMap state = copied(net.state_dict());
  state["a.weight"] = state["b.weight"] = full({3, 2}, 0.1, {.dtype = f64});
  net.load_state_dict(state);
  CHECK(net.a.weight.dtype() == f32);
  CHECK(net.a.weight.to_vector<float>() == std::vector<float>(6, 0.1f));
}

TEST_CASE("state_dict: everything wrong is listed in one error, and nothing is loaded") {
  Net net(false);
  TensorMap state = copied(net.state_dict());
  state["a.bias"] = zeros({3});
  state["a.weight"] = zeros({2, 3});
  state["count"] = zeros({1});
  state["extra"] = zeros({1});
  state.erase("b.weight");
  const auto before = net.a.bias.to_vector<float>();
  const std::string error = error_of(net, state);
  CHECK(error ==
        "[load_state_dict] the state does not fit the module; nothing was loaded:\n"
        "  count: dtype i64 in the module, f32 in the state\n"
        "  a.weight: shape (3, 2) in the module, (2, 3) in the state\n"
        "  b.weight: missing from the state\n"
        "  extra: in the state, but not in the module");
  CHECK(net.a.bias.to_vector<float>() == before);

  // Leniency is for names, not for shapes.
  const std::string lenient = error_of(net, state, false);
  CHECK(mentions(lenient, "a.weight: shape"));
  CHECK_FALSE(mentions(lenient, "extra"));
  CHECK(net.a.bias.to_vector<float>() == before);
}

TEST_CASE("state_dict: if not strict, missing and unexpected names are reported and the rest is loaded") {
  Net net(false);
  const auto kept = net.b.weight.to_vector<float>();
  const nn::LoadReport report =
      net.load_state_dict({{"a.bias", full({3}, 2)}, {"a.weight", full({3, 2}, 3)}, {"x", zeros({1})}}, false);
  CHECK(report.missing == std::vector<std::string>{"count", "b.weight"});
  CHECK(report.unexpected == std::vector<std::string>{"x"});
  CHECK(net.a.bias.to_vector<float>() == std::vector<float>(3, 2));
  CHECK(net.b.weight.to_vector<float>() == kept);
}

TEST_CASE("state_dict: one name of a shared tensor is enough; two must agree") {
  Net net;
  TensorMap state = copied(net.state_dict());
  state.erase("a.weight");
  state["b.weight"] = full({3, 2}, 4);
  CHECK(error_of(net, state).empty());
  CHECK(net.a.weight.to_vector<float>() == std::vector<float>(6, 4));

  state["a.weight"] = full({3, 2}, 4);
  CHECK(error_of(net, state).empty());
  state["a.weight"] = full({3, 2}, 5);
  CHECK(mentions(error_of(net, state), "b.weight: the module shares this tensor"));
  state.erase("a.weight");
  state.erase("b.weight");
  CHECK(mentions(error_of(net, state), "a.weight: missing"));
}

TEST_CASE("state_dict: an undefined entry is an error") {
  Net net;
  TensorMap state = net.state_dict();
  state["a.bias"] = Tensor();
  CHECK(mentions(error_of(net, state), "a.bias: the entry is undefined"));
}

TEST_CASE("state_dict: blocks are numbered as in published checkpoints") {
  struct Stack : nn::Module {
    nn::ModuleList<nn::Linear> blocks;
    Stack() {
      add("blocks", blocks);
      for (int i = 0; i < 2; ++i) blocks.emplace(1, 1);
    }
  } stack;
  CHECK(stack.parameters()[0].first == "blocks.0.weight");
  CHECK(stack.parameters()[3].first == "blocks.1.bias");
}
