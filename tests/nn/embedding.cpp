#include "ff/nn/embedding.h"

#include <cmath>

#include <doctest/doctest.h>

#include "ff/autograd/ops/ops.h"
#include "ff/autograd/sparse_gradient.h"
#include "ff/core/error.h"
#include "ff/nn/clip.h"
#include "ff/optim/sparse_adam.h"

#include "tests/support/compare.h"

using namespace ff;
using namespace ff::test;

TEST_CASE("Embedding: rows by index, and their gradient") {
  manual_seed(1);
  nn::Embedding table(5, 3);
  const Tensor index = Tensor::from(std::vector<std::int64_t>{4, 0, 4, 2}, {2, 2});
  const Tensor y = table(index);
  CHECK(y.shape() == Shape{2, 2, 3});
  const auto w = table.weight.to_vector<float>(), rows = y.to_vector<float>();
  for (std::size_t i = 0; i < 3; ++i) {
    CHECK(rows[i] == w[12 + i]);
    CHECK(rows[3 + i] == w[i]);
    CHECK(rows[9 + i] == w[6 + i]);
  }
  sum(y).backward();
  CHECK(table.weight.grad().to_vector<float>() == std::vector<float>{1, 1, 1, 0, 0, 0, 1, 1, 1, 0, 0, 0, 2, 2, 2});
  CHECK_THROWS_AS(table(Tensor::from(std::vector<std::int64_t>{5}, {1})), Error);
  CHECK_THROWS_AS(nn::Embedding(0, 3), Error);
}

TEST_CASE("Embedding: sparse, steps of the same bits, clipped or not, in any dtype") {
  const auto train = [](bool sparse, DType dtype, bool clip) {
    manual_seed(3);
    nn::Embedding table(500, 8, {.sparse = sparse});
    table.to(dtype);
    const Tensor index = randint(0, 500, {20}), target = randn({20, 8}, {.dtype = dtype});
    optim::SparseAdam optimizer(table.parameters(), {.lr = 0.1});
    double norms = 0;
    for (int i = 0; i < 3; ++i) {
      table.zero_grad();
      for (int pass = 0; pass < 2; ++pass) sum(square(table(index) - target)).backward();
      CHECK((touched(table.weight.grad()) != nullptr) == sparse);
      norms += clip ? nn::clip_grad_norm(table.parameters(), 1) : nn::grad_norm(table.parameters());
      CHECK((touched(table.weight.grad()) != nullptr) == sparse);
      optimizer.step();
    }
    std::vector<double> result = table.weight.to_vector<double>();
    result.push_back(norms);
    return result;
  };
  for (const DType dtype : {f32, f64})
    for (const bool clip : {false, true}) CHECK(same_bits(train(true, dtype, clip), train(false, dtype, clip)));
}

TEST_CASE("Embedding: sparse, and frozen when its dtype is changed") {
  nn::Embedding table(5, 3, {.sparse = true});
  table.weight.requires_grad_(false);
  table.to(f64);
  table.weight.requires_grad_();
  sum(table(Tensor::from<std::int64_t>({1}))).backward();
  REQUIRE(touched(table.weight.grad()) != nullptr);
  CHECK(*touched(table.weight.grad()) == std::vector<Run>{{3, 6}});
}

TEST_CASE("Embedding: starts standard normal") {
  manual_seed(2);
  nn::Embedding table(100, 100);
  const double mean = ff::mean(table.weight).item<double>(), var = ff::var(table.weight).item<double>();
  CHECK(std::abs(mean) < 0.05);
  CHECK(std::abs(var - 1) < 0.08);
}
