#include "ff/optim/optimizer.h"

#include <cmath>
#include <limits>
#include <memory>

#include <doctest/doctest.h>

#include "ff/autograd/ops/ops.h"
#include "ff/core/error.h"
#include "ff/optim/adam.h"
#include "ff/optim/sgd.h"

#include "tests/support/compare.h"
#include "tests/support/strided_arrays.h"

using namespace ff;

namespace {

Tensor parameter(const Shape& shape, double value = 1) { return full(shape, value, {.requires_grad = true}); }

std::vector<std::string> names(const NamedTensors& tensors) {
  std::vector<std::string> all;
  for (const auto& [name, tensor] : tensors) all.push_back(name);
  return all;
}

using Names = std::vector<std::string>;

// A gradient of its own for each parameter and step.
void give_gradients(const NamedTensors& parameters, int step) {
  Generator generator(static_cast<std::uint64_t>(step));
  for (const auto& [name, p] : parameters) {
    Tensor grad = Tensor::empty(p.shape());
    fill_normal(grad.data<float>(), grad.numel(), generator.next(static_cast<std::uint64_t>(grad.numel())));
    p.set_grad(grad);
  }
}

}  // namespace

TEST_CASE("no_decay_groups: vectors, scalars and named parameters are not decayed") {
  const NamedTensors parameters{
      {"a.weight", parameter({2, 2})},         {"a.bias", parameter({2})},        {"R", parameter({})},
      {"enc.pos_embed", parameter({1, 2, 2})}, {"xpos_embed", parameter({2, 2})}, {"b.weight", parameter({2, 2})}};
  const auto groups = optim::no_decay_groups(parameters, 0.05, {"pos_embed", "b.weight"});
  REQUIRE(groups.size() == 2);
  CHECK(names(groups[0].parameters) == Names{"a.weight", "xpos_embed"});
  CHECK(groups[0].weight_decay == 0.05);
  CHECK(names(groups[1].parameters) == Names{"a.bias", "R", "enc.pos_embed", "b.weight"});
  CHECK(groups[1].weight_decay == 0);
  CHECK(optim::no_decay_groups({{"a", parameter({2})}}, 0.05).size() == 1);

  // With a zero gradient, AdamW moves what is decayed alone.
  optim::AdamW adamw(groups, {.lr = 0.5});
  for (const auto& [name, p] : parameters) p.set_grad(zeros_like(p));
  adamw.step();
  for (const auto& [name, p] : parameters)
    CHECK(p.to_vector<float>()[0] == (name == "a.weight" || name == "xpos_embed" ? 0.975f : 1.0f));
}

TEST_CASE("optimizer: groups have their own learning rate, and scale_lr scales the first one") {
  const Tensor fast = parameter({2}), slow = parameter({2});
  optim::SGD sgd(
      std::vector<optim::ParamGroup>{{.parameters = {{"fast", fast}}, .lr = 0.5}, {.parameters = {{"slow", slow}}}},
      {.lr = 0.1});
  CHECK(sgd.groups()[0].lr == 0.5);
  CHECK(sgd.groups()[1].lr == 0.1);
  for (int i = 0; i < 2; ++i) sgd.scale_lr(0.5);
  CHECK(sgd.groups()[0].lr == 0.25);
  CHECK(sgd.groups()[1].lr == 0.05);
  fast.set_grad(ones({2}));
  slow.set_grad(ones({2}));
  sgd.step();
  CHECK(fast.to_vector<float>()[0] == 0.75f);
  CHECK(slow.to_vector<float>()[0] == 0.95f);
}

TEST_CASE("optimizer: a parameter without a gradient is left, and counts no step") {
  const Tensor used = parameter({2}), idle = parameter({2});
  optim::Adam adam({{"used", used}, {"idle", idle}});
  used.set_grad(ones({2}));
  const auto version = used.version();
  adam.step();
  CHECK(used.version() > version);
  CHECK(idle.to_vector<float>() == std::vector<float>{1, 1});
  const TensorMap state = adam.state_dict();
  CHECK(state.at("used.step").item<std::int64_t>() == 1);
  CHECK(state.count("idle.step") == 0);
  adam.zero_grad();
  CHECK_FALSE(used.grad().defined());
  adam.step();
  CHECK(adam.state_dict().at("used.step").item<std::int64_t>() == 1);
}

TEST_CASE("optimizer: a strided gradient is used as it reads") {
  const Tensor p = parameter({2, 3}, 0);
  p.set_grad(transpose(Tensor::from({1.0f, 2.0f, 3.0f, 4.0f, 5.0f, 6.0f}).as_strided({3, 2}, {2, 1}), 0, 1));
  optim::SGD({{"p", p}}, {.lr = 1}).step();
  CHECK(p.to_vector<float>() == std::vector<float>{-1, -3, -5, -2, -4, -6});
}

TEST_CASE("optimizer: saved state, loaded into another, goes on to the same bits") {
  auto run = [](auto make) {
    auto fresh = [] {
      manual_seed(3);
      return NamedTensors{{"a.weight", randn({40, 30}, {.requires_grad = true})},
                          {"b", randn({7}, {.requires_grad = true})}};
    };
    NamedTensors whole = fresh(), first = fresh(), second = fresh();
    auto straight = make(whole), before = make(first), after = make(second);
    for (int step = 0; step < 3; ++step) {
      give_gradients(whole, step);
      give_gradients(first, step);
      straight->step();
      before->step();
    }
    TensorMap saved;
    for (const auto& [name, tensor] : before->state_dict()) saved.emplace(name, tensor.copy());
    for (std::size_t i = 0; i < 2; ++i) second[i].second.assign(first[i].second);
    after->groups()[0].lr = 77;
    after->load_state_dict(saved);
    give_gradients(first, 50);  // what was loaded is a copy
    before->step();
    for (int step = 3; step < 6; ++step) {
      give_gradients(whole, step);
      give_gradients(second, step);
      straight->step();
      after->step();
    }
    for (std::size_t i = 0; i < 2; ++i)
      CHECK(whole[i].second.to_vector<float>() == second[i].second.to_vector<float>());
  };
  run([](const NamedTensors& p) { return std::make_unique<optim::AdamW>(p, optim::AdamWOptions{.lr = 0.01}); });
  run([](const NamedTensors& p) {
    return std::make_unique<optim::SGD>(p, optim::SGDOptions{.lr = 0.01, .momentum = 0.9});
  });
  run([](const NamedTensors& p) { return std::make_unique<optim::SGD>(p, optim::SGDOptions{.lr = 0.01}); });
}

TEST_CASE("optimizer: a state that does not fit is refused whole") {
  const Tensor a = parameter({2}), b = parameter({3});
  optim::Adam adam({{"a", a}, {"b", b}});
  a.set_grad(ones({2}));
  b.set_grad(ones({3}));
  adam.step();
  TensorMap state;
  for (const auto& [name, tensor] : adam.state_dict()) state.emplace(name, tensor.copy());
  state["a.exp_avg"] = zeros({3});
  state["b.exp_avg_sq"] = zeros({3}, {.dtype = f64});
  state["c.step"] = zeros({}, {.dtype = i64});
  state.erase("b.step");
  state["lr"] = zeros({1}, {.dtype = f64});
  std::string error;
  try {
    adam.load_state_dict(state);
  } catch (const Error& e) {
    error = e.what();
  }
  CHECK(error ==
        "[load_state_dict] the state does not fit the optimiser; nothing was loaded:\n"
        "  a.exp_avg: shape (3,) and dtype f32; (2,) and f32 are needed\n"
        "  b.step: missing\n"
        "  b.exp_avg_sq: shape (3,) and dtype f64; (3,) and f32 are needed\n"
        "  c.step: not of this optimiser's state");
  CHECK(adam.groups()[0].lr == 1e-3);
  CHECK(adam.state_dict().at("a.step").item<std::int64_t>() == 1);
  CHECK_THROWS_AS(adam.load_state_dict({}), Error);

  // A parameter that the state does not know starts afresh.
  adam.load_state_dict({{"lr", full({1}, 0.5, {.dtype = f64})}});
  CHECK(adam.groups()[0].lr == 0.5);
  CHECK(adam.state_dict().size() == 1);
}

TEST_CASE("optimizer: bad parameters and options throw") {
  const Tensor p = parameter({2, 3});
  CHECK_THROWS_WITH_AS(optim::SGD(NamedTensors{}), "[optimizer] there are no parameters", Error);
  CHECK_THROWS_WITH_AS(optim::SGD({{"p", Tensor()}}), "[optimizer] parameter \"p\" is undefined", Error);
  CHECK_THROWS_AS(optim::SGD({{"p", zeros({2}, {.dtype = i64})}}), Error);
  CHECK_THROWS_AS(optim::SGD({{"p", p * 2.0}}), Error);
  CHECK_THROWS_AS(optim::SGD({{"p", transpose(zeros({2, 3}), 0, 1)}}), Error);
  CHECK_THROWS_WITH_AS(optim::SGD({{"p", p}, {"p", parameter({1})}}), "[optimizer] two parameters are named \"p\"",
                       Error);
  CHECK_THROWS_WITH_AS(optim::SGD({{"p", p}, {"q", p}}), "[optimizer] \"p\" and \"q\" are one parameter", Error);
  CHECK_THROWS_AS(optim::SGD({{"p", p}}, {.lr = -1}), Error);
  CHECK_THROWS_AS(optim::SGD({{"p", p}}, {.lr = std::numeric_limits<double>::quiet_NaN()}), Error);
  CHECK_THROWS_AS(optim::SGD({{"p", p}}, {.weight_decay = -1}), Error);
}

TEST_CASE("optimizer: parameters of all sizes are updated as each alone, to the same bits at any number of threads") {
  const std::vector<Shape> shapes{{300, 301}, {1}, {0}, {65536}, {17}};
  const auto run = [&](bool together) {
    NamedTensors parameters;
    for (const Shape& shape : shapes) parameters.emplace_back(std::to_string(parameters.size()), parameter(shape));
    std::vector<std::unique_ptr<optim::AdamW>> optimizers;
    if (together)
      optimizers.push_back(std::make_unique<optim::AdamW>(parameters));
    else
      for (const auto& entry : parameters) optimizers.push_back(std::make_unique<optim::AdamW>(NamedTensors{entry}));
    for (int step = 1; step <= 3; ++step) {
      give_gradients(parameters, step);
      for (const auto& optimizer : optimizers) optimizer->step();
    }
    std::vector<float> all;
    for (const auto& [name, p] : parameters) {
      const auto values = p.to_vector<float>();
      all.insert(all.end(), values.begin(), values.end());
    }
    return all;
  };
  CHECK(test::same_bits(run(true), run(false)));
  CHECK(test::same_at_any_thread_count([&] { return run(true); }));
}

TEST_CASE("optimizer: step(scale) is the step by gradients times scale, which stay as they are") {
  const auto run = [](auto make, bool folded) {
    const NamedTensors parameters{{"a", parameter({7, 5})}, {"b", parameter({3})}};
    const auto optimizer = make(parameters);
    for (int step = 1; step <= 3; ++step) {
      give_gradients(parameters, step);
      if (!folded)
        for (const auto& [name, p] : parameters) p.set_grad(p.grad() * 0.3);
      const auto before = parameters[0].second.grad().to_vector<float>();
      optimizer->step(folded ? 0.3 : 1);
      CHECK(parameters[0].second.grad().to_vector<float>() == before);
    }
    return parameters[0].second.to_vector<float>();
  };
  const auto adam = [](const NamedTensors& p) {
    return std::make_unique<optim::Adam>(p, optim::AdamOptions{.lr = 0.1, .weight_decay = 0.1});
  };
  CHECK(test::same_bits(run(adam, true), run(adam, false)));
  for (bool nesterov : {false, true}) {
    const auto sgd = [=](const NamedTensors& p) {
      return std::make_unique<optim::SGD>(
          p, optim::SGDOptions{.lr = 0.1, .momentum = nesterov ? 0.9 : 0.0, .nesterov = nesterov});
    };
    CHECK(test::same_bits(run(sgd, true), run(sgd, false)));
  }
}
