#include "ff/nn/mlp.h"

#include <doctest/doctest.h>

#include "ff/autograd/ops/ops.h"

using namespace ff;

TEST_CASE("Mlp: fc2(activation(fc1(x))), named as in timm") {
  const Tensor x = randn({2, 3, 4});
  nn::Mlp mlp(4, 8);
  CHECK(mlp(x).to_vector<float>() == mlp.fc2(gelu(mlp.fc1(x))).to_vector<float>());
  std::vector<std::string> names;
  for (const auto& [name, tensor] : mlp.parameters()) names.push_back(name);
  CHECK(names == std::vector<std::string>{"fc1.weight", "fc1.bias", "fc2.weight", "fc2.bias"});

  nn::Mlp plain(4, 8, {.activation = nn::Activation::relu, .bias = false});
  CHECK(plain.parameters().size() == 2);
  CHECK(plain(x).to_vector<float>() == plain.fc2(relu(plain.fc1(x))).to_vector<float>());
}

TEST_CASE("Mlp: dropout in training alone") {
  const Tensor x = randn({2, 3, 4});
  nn::Mlp mlp(4, 8, {.drop = 0.5});
  CHECK(mlp(x).to_vector<float>() != mlp(x).to_vector<float>());
  mlp.eval();
  CHECK(mlp(x).to_vector<float>() == mlp(x).to_vector<float>());
}
