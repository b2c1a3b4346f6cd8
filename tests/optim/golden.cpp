// Trajectories of the optimisers against those of tools/golden/optim_golden.py.

#include <cmath>
#include <fstream>

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "ff/autograd/ops/ops.h"
#include "ff/optim/adam.h"
#include "ff/optim/sgd.h"

#include "tests/support/compare.h"

using namespace ff;
using nlohmann::json;

namespace {

std::unique_ptr<optim::Optimizer> make(const std::string& kind, const json& options, const NamedTensors& parameters) {
  if (kind == "sgd")
    return std::make_unique<optim::SGD>(parameters,
                                        optim::SGDOptions{.lr = options.at("lr"),
                                                          .momentum = options.value("momentum", 0.0),
                                                          .dampening = options.value("dampening", 0.0),
                                                          .weight_decay = options.value("weight_decay", 0.0),
                                                          .nesterov = options.value("nesterov", false)});
  const std::array<double, 2> betas = options.value("betas", std::array<double, 2>{0.9, 0.999});
  const double eps = options.value("eps", 1e-8), decay = options.value("weight_decay", 0.0);
  if (kind == "adam")
    return std::make_unique<optim::Adam>(
        parameters, optim::AdamOptions{.lr = options.at("lr"), .betas = betas, .eps = eps, .weight_decay = decay});
  REQUIRE(kind == "adamw");
  return std::make_unique<optim::AdamW>(
      parameters, optim::AdamWOptions{.lr = options.at("lr"), .betas = betas, .eps = eps, .weight_decay = decay});
}

// The script's problem: sum_i a_i / 2 (p_i - c_i)^2 + 0.1 sin(3 p_i).
Tensor objective(const Tensor& p, const Tensor& a, const Tensor& c) {
  return sum(a * square(p - c) * 0.5 + sin(p * 3.0) * 0.1);
}

void follow(const json& problem, const json& one, DType dtype, double tolerance) {
  auto tensor = [&](const char* key) {
    return Tensor::from(problem.at(key).get<std::vector<double>>(), {5}).copy(dtype);
  };
  const Tensor a = tensor("a"), c = tensor("c"), p = tensor("start");
  p.requires_grad_();
  const auto optimizer = make(one.at("optimizer"), one.at("options"), {{"p", p}});
  int step = 0;
  for (const json& want : one.at("trajectory")) {
    optimizer->zero_grad();
    objective(p, a, c).backward();
    optimizer->step();
    const auto d = test::largest_difference(p.to_vector<double>(), want.get<std::vector<double>>());
    CHECK_MESSAGE(d.absolute < tolerance, fmt::format("{} {} {} step {}: {}", name(dtype), one.at("optimizer").dump(),
                                                      one.at("options").dump(), step, d.str()));
    ++step;
  }
  CHECK(step == 12);
}

}  // namespace

TEST_CASE("optimisers follow the golden trajectories") {
  std::ifstream file(FF_SOURCE_DIR "/tests/golden/optim.json");
  REQUIRE(file);
  const json golden = json::parse(file);
  CHECK(golden.at("cases").size() == 9);
  for (const json& one : golden.at("cases")) {
    follow(golden.at("problem"), one, f64, 1e-12);
    follow(golden.at("problem"), one, f32, 2e-5);
  }
}
