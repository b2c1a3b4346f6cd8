#include "ff/optim/average.h"

#include <doctest/doctest.h>

#include "ff/autograd/ops/ops.h"
#include "ff/core/error.h"

using namespace ff;

TEST_CASE("Average: follows the parameters at 1 - decay, and swaps with them") {
  const Tensor p = full({2}, 4, {.dtype = f64, .requires_grad = true});
  optim::Average average({{"p", p}}, 0.75);
  p.fill(8);
  average.update();
  p.fill(9);
  average.update();  // 4, 5, 6
  CHECK(average.state_dict().at("p").to_vector<double>() == std::vector<double>{6, 6});
  average.swap();
  CHECK(p.to_vector<double>() == std::vector<double>{6, 6});
  CHECK(average.state_dict().at("p").to_vector<double>() == std::vector<double>{9, 9});
  CHECK(p.requires_grad());
  average.swap();
  CHECK(p.to_vector<double>() == std::vector<double>{9, 9});
}

TEST_CASE("Average: its state is loaded, or refused whole") {
  const Tensor p = zeros({2}), q = zeros({3});
  optim::Average average({{"p", p}, {"q", q}}, 0.9);
  average.load_state_dict({{"p", full({2}, 3)}, {"q", full({3}, 5)}});
  CHECK(average.state_dict().at("q").to_vector<float>() == std::vector<float>(3, 5));
  CHECK_THROWS_WITH_AS(average.load_state_dict({{"p", zeros({2})}, {"q", zeros({4})}, {"r", zeros({1})}}),
                       "[load_state_dict] the state does not fit the averages; nothing was loaded:\n"
                       "  q: shape (4,) and dtype f32; (3,) and f32 are needed\n"
                       "  r: not a parameter",
                       Error);
  CHECK_THROWS_AS(average.load_state_dict({{"p", zeros({2})}}), Error);
  CHECK(average.state_dict().at("p").to_vector<float>() == std::vector<float>(2, 3));
  CHECK_THROWS_AS(optim::Average({{"p", p}}, 1), Error);
  CHECK_THROWS_AS(optim::Average({{"p", Tensor()}}, 0.5), Error);
}
