#include "ff/nn/activation.h"

#include <doctest/doctest.h>

#include "ff/autograd/ops/ops.h"

using namespace ff;

TEST_CASE("activation: modules and the choice by name give the ops") {
  const Tensor x = linspace(-3, 3, 13);
  nn::GELU gelu_module;
  nn::ReLU relu_module;
  CHECK(gelu_module(x).to_vector<float>() == gelu(x).to_vector<float>());
  CHECK(relu_module(x).to_vector<float>() == relu(x).to_vector<float>());
  CHECK(nn::activate(nn::Activation::gelu, x).to_vector<float>() == gelu(x).to_vector<float>());
  CHECK(nn::activate(nn::Activation::relu, x).to_vector<float>() == relu(x).to_vector<float>());
}
