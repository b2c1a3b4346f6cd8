#include "ff/models/config_difference.h"

#include <doctest/doctest.h>

#include "tests/support/errors.h"

using namespace ff::models;
using namespace ff::test;

TEST_CASE("config difference: every value that differs, by its path") {
  const char* there =
      R"({"task": "vision", "train": {"lr": 0.1, "betas": [0.9, 0.99], "seed": 1}, "old": {"x": true}})";
  const char* here = R"({"train": {"seed": 2, "betas": [0.9, 0.98], "lr": 0.1}, "task": "vision", "new": ""})";
  CHECK(config_differences(there, here) ==
        std::vector<std::string>{"new: nothing there, \"\" here", "old.x: true there, nothing here",
                                 "train.betas: [0.9,0.99] there, [0.9,0.98] here", "train.seed: 1 there, 2 here"});
  CHECK(config_differences(there, here, {"new", "old.x", "train.betas", "train.seed"}).empty());
  CHECK(config_differences(there, there).empty());
  CHECK(contains(error_of([&] { config_differences(there, "{"); }), {"[config]", "not JSON"}));
}
