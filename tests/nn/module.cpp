#include "ff/nn/module.h"

#include <doctest/doctest.h>

#include "ff/autograd/node.h"
#include "ff/autograd/ops/ops.h"
#include "ff/core/error.h"
#include "ff/nn/containers.h"
#include "ff/nn/linear.h"
#include "ff/nn/norm.h"

using namespace ff;

namespace {

struct Block : nn::Module {
  nn::Linear fc{3, 3};
  nn::LayerNorm norm{3};
  Tensor scale = ones({3}), seen = zeros({1}), table = zeros({2});
  Block() {
    add("fc", fc);
    add_parameter("scale", scale);
    add("norm", norm);
    add_buffer("seen", seen);
    add_buffer("table", table, false);
  }
  Tensor forward(const Tensor& x) override { return norm(fc(x)) * scale; }
};

struct Net : nn::Module {
  Block first, second;
  nn::Linear out{3, 3, {.bias = false}};
  Net() {
    add("first", first);
    add("second", second);
    add("out", out);
    out.weight = first.fc.weight;  // tied
  }
  Tensor forward(const Tensor& x) override { return out(second(first(x))); }
};

std::vector<std::string> names(const NamedTensors& tensors) {
  std::vector<std::string> all;
  for (const auto& [name, tensor] : tensors) all.push_back(name);
  return all;
}

using Names = std::vector<std::string>;

}  // namespace

TEST_CASE("module: parameters have full names, own ones first, in order, a tied one once") {
  Net net;
  CHECK(names(net.parameters()) == Names{"first.scale", "first.fc.weight", "first.fc.bias", "first.norm.weight",
                                         "first.norm.bias", "second.scale", "second.fc.weight", "second.fc.bias",
                                         "second.norm.weight", "second.norm.bias"});
  CHECK(names(net.buffers()) == Names{"first.seen", "first.table", "second.seen", "second.table"});
  CHECK(net.num_parameters() == 2 * (9 + 3 + 3 + 3 + 3));
  for (const auto& [name, tensor] : net.parameters()) CHECK(tensor.requires_grad());
  for (const auto& [name, tensor] : net.buffers()) CHECK_FALSE(tensor.requires_grad());
}

TEST_CASE("module: named_modules comes each before its parts, a shared one once") {
  struct Shared : nn::Module {
    Block block;
    Shared() {
      add("a", block);
      add("b", block);
    }
  } shared;
  Names paths;
  for (const auto& [path, module] : shared.named_modules()) paths.push_back(path);
  CHECK(paths == Names{"", "a", "a.fc", "a.norm"});
  CHECK(shared.parameters().size() == 5);
  CHECK(shared.state_dict().count("b.fc.weight") == 1);

  Names visited;
  shared.apply([&](nn::Module& module) { visited.push_back(dynamic_cast<nn::Linear*>(&module) ? "linear" : "other"); });
  CHECK(visited == Names{"other", "other", "linear", "other"});
}

TEST_CASE("module: what is registered is the member, whatever is assigned to it later") {
  Block block;
  block.scale = full({3}, 7);
  CHECK(block.parameters()[0].second.is(block.scale));
  CHECK(block.state_dict().at("scale").to_vector<float>() == std::vector<float>(3, 7));
}

TEST_CASE("module: bad registrations throw") {
  Block block;
  nn::Linear part{1, 1};
  Tensor tensor = zeros({1}), undefined, integer = zeros({1}, {.dtype = i64});
  CHECK_THROWS_WITH_AS(block.add("fc", part), "[module] the name \"fc\" is registered already", Error);
  CHECK_THROWS_AS(block.add("scale", part), Error);
  CHECK_THROWS_AS(block.add_parameter("seen", tensor), Error);
  CHECK_THROWS_AS(block.add_buffer("norm", tensor), Error);
  CHECK_THROWS_WITH_AS(block.add("a.b", part), "[module] a name must not be empty or have a dot: \"a.b\"", Error);
  CHECK_THROWS_AS(block.add("", part), Error);
  CHECK_THROWS_WITH_AS(block.add_parameter("p", undefined), "[module] parameter \"p\" is undefined", Error);
  CHECK_THROWS_WITH_AS(block.add_parameter("p", integer), "[module] parameter \"p\" must be floating; its dtype is i64",
                       Error);
  CHECK_THROWS_AS(block.add_buffer("p", undefined), Error);
  CHECK_THROWS_WITH_AS(block.add("self", block), "[module] \"self\" would be a part of itself", Error);
  Block inner;
  inner.add("outer", block);
  CHECK_THROWS_AS(block.add("inner", inner), Error);
  CHECK(block.parameters().size() == 5);  // nothing was registered by halves
}

TEST_CASE("module: without a forward of one tensor, calling it throws") {
  nn::Module module;
  CHECK_THROWS_AS(module(zeros({2})), Error);
}

TEST_CASE("module: train and eval reach every part") {
  Net net;
  CHECK(net.second.norm.training());
  net.eval();
  for (const auto& [path, module] : net.named_modules()) CHECK_FALSE(module->training());
  net.second.train();
  CHECK_FALSE(net.training());
  CHECK(net.second.fc.training());
  CHECK_FALSE(net.first.fc.training());
}

TEST_CASE("module: gradients are found, listed where missing, and dropped") {
  Net net;
  CHECK(net.parameters_without_grad().size() == 10);
  sum(square(net.first.fc(ones({2, 3})))).backward();
  CHECK(net.parameters_without_grad() == Names{"first.scale", "first.norm.weight", "first.norm.bias", "second.scale",
                                               "second.fc.weight", "second.fc.bias", "second.norm.weight",
                                               "second.norm.bias"});
  sum(square(net(rand({2, 3})))).backward();
  CHECK(net.parameters_without_grad().empty());
  net.zero_grad();
  CHECK(net.parameters_without_grad().size() == 10);

  net.first.requires_grad_(false);
  net.second.fc.requires_grad_(false);
  CHECK(net.parameters_without_grad() == Names{"second.scale", "second.norm.weight", "second.norm.bias"});
}

TEST_CASE("module: to() converts what is floating and keeps what is shared shared") {
  Net net;
  Tensor count = zeros({1}, {.dtype = i64});
  net.add_buffer("count", count);
  const auto before = net.first.fc.weight.to_vector<double>();
  net.second.requires_grad_(false);
  net.to(f64);
  for (const auto& [name, tensor] : net.parameters()) CHECK(tensor.dtype() == f64);
  CHECK(net.first.seen.dtype() == f64);
  CHECK(count.dtype() == i64);
  CHECK(net.out.weight.is(net.first.fc.weight));
  CHECK(net.first.fc.weight.to_vector<double>() == before);
  CHECK(net.first.fc.weight.requires_grad());
  CHECK_FALSE(net.second.fc.weight.requires_grad());
  CHECK_FALSE(net.first.seen.requires_grad());
  CHECK(net(rand({2, 3}, {.dtype = f64})).dtype() == f64);
  CHECK_THROWS_AS(net.to(i32), Error);
}

TEST_CASE("module: hooks see and change input and output, in order, until removed") {
  struct Double : nn::Module {
    Tensor forward(const Tensor& x) override { return x * 2.0; }
  } twice;
  std::string calls;
  const int add_one = twice.register_forward_pre_hook([&](nn::Module& module, const Tensor& x) {
    CHECK(&module == &twice);
    calls += "a";
    return x + 1.0;
  });
  twice.register_forward_pre_hook([&](nn::Module&, const Tensor& x) {
    CHECK(x.item<float>() == 4);
    calls += "b";
    return Tensor();
  });
  const int look = twice.register_forward_hook([&](nn::Module&, const Tensor& x, const Tensor& y) {
    CHECK(x.item<float>() == 4);
    CHECK(y.item<float>() == 8);
    calls += "c";
    return Tensor();
  });
  const int minus = twice.register_forward_hook([&](nn::Module&, const Tensor&, const Tensor& y) {
    calls += "d";
    return -y;
  });
  const Tensor x = full({1}, 3);
  CHECK(twice(x).item<float>() == -8);
  CHECK(calls == "abcd");
  CHECK(twice.forward(x).item<float>() == 6);
  CHECK(calls == "abcd");

  twice.remove_hook(look);
  twice.remove_hook(minus);
  CHECK(twice(x).item<float>() == 8);
  CHECK(calls == "abcdab");
  twice.remove_hook(add_one);
  int once = 0;
  once = twice.register_forward_hook([&](nn::Module& module, const Tensor&, const Tensor&) {
    module.remove_hook(once);
    return full({1}, 100);
  });
  twice.register_forward_hook([](nn::Module&, const Tensor&, const Tensor& y) { return y + 1.0; });
  const Tensor four = full({1}, 4);
  CHECK(twice(four).item<float>() == 101);
  CHECK(twice(four).item<float>() == 9);
}

TEST_CASE("backward hooks see the gradients of a module's output and input, and may change them") {
  manual_seed(1);
  nn::Linear layer(2, 3);
  const Tensor x = randn({4, 2}, {.requires_grad = true});
  Tensor grad_input, grad_output;
  int calls = 0;
  const int id = layer.register_full_backward_hook([&](nn::Module& module, const Tensor& dx, const Tensor& dy) {
    CHECK(&module == &layer);
    grad_input = dx, grad_output = dy, ++calls;
    return Tensor();
  });
  sum(layer(x) * 2).backward();
  CHECK(calls == 1);
  CHECK(grad_output.to_vector<float>() == std::vector<float>(12, 2));
  CHECK(grad_input.to_vector<float>() == x.grad().to_vector<float>());
  layer.remove_hook(id);

  // The pre-hook doubles what goes in, the hook zeroes what goes out.
  layer.register_full_backward_pre_hook([](nn::Module&, const Tensor& dy) { return dy * 2; });
  layer.register_full_backward_hook([](nn::Module&, const Tensor& dx, const Tensor&) { return dx * 0; });
  x.set_grad({});
  const std::vector<float> before = layer.weight.grad().to_vector<float>();
  layer.zero_grad();
  sum(layer(x) * 2).backward();
  const std::vector<float> after = layer.weight.grad().to_vector<float>();
  for (std::size_t i = 0; i < before.size(); ++i) CHECK(after[i] == doctest::Approx(2 * before[i]));
  CHECK(x.grad().to_vector<float>() == std::vector<float>(8, 0));
  CHECK(calls == 1);

  // An input without a gradient.
  nn::Linear other(2, 1);
  bool undefined = false;
  other.register_full_backward_hook([&](nn::Module&, const Tensor& dx, const Tensor&) {
    undefined = !dx.defined();
    return Tensor();
  });
  sum(other(x.detach())).backward();
  CHECK(undefined);
  CHECK(other.weight.grad().defined());
}

TEST_CASE("ops know the module they were computed in, by path, type and line") {
  struct Inner : nn::Module {
    nn::Linear fc{2, 2};
    Inner() { add("fc", fc); }
    Tensor forward(const Tensor& x) override { return fc(x); }
  };
  struct Outer : nn::Module {
    nn::ModuleList<Inner> layers;
    Outer() {
      layers.emplace();
      layers.emplace();
      add("layers", layers);
    }
    Tensor forward(const Tensor& x) override { return layers[1](layers[0](x)); }
  };
  Outer outer;
  const int line = __LINE__ + 1;
  const Tensor y = outer(ones({1, 2}));
  std::vector<std::string> path;
  const auto& innermost = y.grad_fn()->scope;
  for (auto scope = innermost; scope; scope = scope->outer) path.push_back(scope->name + ": " + scope->type);
  CHECK(path == std::vector<std::string>{"fc: Linear", "layers.1: Inner", ": Outer"});
  CHECK(innermost->outer->outer->site.str() == "tests/nn/module.cpp:" + std::to_string(line));
}
