#include "ff/nn/containers.h"

#include <doctest/doctest.h>

#include "ff/autograd/ops/ops.h"
#include "ff/core/error.h"
#include "ff/nn/activation.h"
#include "ff/nn/dropout.h"
#include "ff/nn/linear.h"

using namespace ff;

TEST_CASE("Sequential: applies its modules in order, with their hooks") {
  nn::Sequential net;
  const Tensor x = rand({4, 2});
  CHECK(net(x).is(x));
  auto& first = net.emplace<nn::Linear>(2, 3);
  net.emplace<nn::ReLU>();
  auto& last = net.emplace<nn::Linear>(3, 1);
  CHECK(net.size() == 3);
  CHECK(net(x).to_vector<float>() == last(relu(first(x))).to_vector<float>());
  CHECK(net.parameters()[2].first == "2.weight");
  int calls = 0;
  net[1].register_forward_hook([&](nn::Module&, const Tensor&, const Tensor&) { return ++calls, Tensor(); });
  net(x);
  CHECK(calls == 1);
}

TEST_CASE("ModuleList: typed access, and errors") {
  nn::ModuleList<nn::Dropout> list;
  list.emplace(0.1);
  list.append(std::make_unique<nn::Dropout>(0.2));
  list.eval();
  for (const auto& module : list) CHECK_FALSE(module->training());
  CHECK_THROWS_WITH_AS(list[2], "[ModuleList] index 2 is out of range: size 2", Error);
  CHECK_THROWS_AS(list.append(nullptr), Error);
}
