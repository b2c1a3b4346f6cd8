// ONNX's backend test cases of single nodes, computed by the library's functions.

#include <algorithm>
#include <cmath>

#include <doctest/doctest.h>

#include "ff/core/error.h"

#include "tests/conformance/cases.h"
#include "tests/conformance/exclusions.h"

using namespace ff;
using namespace ff::conformance;

TEST_CASE("every ONNX node case passes, or is excluded for a reason") {
  // How many do, of those of libonnx-testdata 1.12.
  constexpr std::ptrdiff_t floor = 799;
  REQUIRE_MESSAGE(std::filesystem::exists(FF_ONNX_NODE_CASES), "no ", FF_ONNX_NODE_CASES,
                  ": install libonnx-testdata (tools/setup.sh)");

  const std::vector<Result> results = run_cases(FF_ONNX_NODE_CASES);
  write_scorecard(FF_BINARY_DIR, results);

  for (const Result& r : results) {
    if (r.excluded.empty()) CHECK_MESSAGE(r.passed, r.op, ", case ", r.name, ": ", r.what);
    if (r.passed) CHECK_MESSAGE(r.excluded.empty(), r.op, ", case ", r.name, " passes, but is excluded: ", r.excluded);
  }
  const auto passed = std::count_if(results.begin(), results.end(), [](const Result& r) { return r.passed; });
  MESSAGE(passed << " of " << results.size() << " cases pass; see " << FF_BINARY_DIR << "/conformance.md");
  CHECK(passed >= floor);

  // What the lists name is there.
  const auto known = [&](std::string_view op, std::string_view name) {
    return std::any_of(results.begin(), results.end(), [&](const Result& r) { return r.op == op || r.name == name; });
  };
  for (const Exclusion& e : exclusions()) CHECK_MESSAGE(known(e.op, e.name), "excluded, but not there: ", e.op, e.name);
  for (const Allowance& a : allowances()) CHECK_MESSAGE(known("", a.name), "not there: ", a.name);
}

TEST_CASE("a result is compared in dtype, shape and every element") {
  const Tensor want = Tensor::from({1.0f, -2.0f, NAN, INFINITY});
  CHECK(compare(want.copy(), want) == 0);
  CHECK(compare(Tensor::from({1.000005f, -2.0f, NAN, INFINITY}), want) > 0.3);
  CHECK_THROWS_WITH(compare(Tensor::from({1.0f, -2.00003f, NAN, INFINITY}), want), doctest::Contains("(1,)"));
  CHECK_THROWS_AS(compare(Tensor::from({1.0f, -2.0f, 0.0f, INFINITY}), want), Error);
  CHECK_THROWS_AS(compare(Tensor::from({1.0f, -2.0f, NAN, -INFINITY}), want), Error);
  CHECK_THROWS_AS(compare(Tensor::from({NAN, -2.0f, NAN, INFINITY}), want), Error);
  CHECK_THROWS_WITH(compare(want.copy(f64), want), doctest::Contains("f64 for f32"));
  CHECK_THROWS_WITH(compare(want.as_strided({2, 2}, {2, 1}), want), doctest::Contains("(2, 2) for (4,)"));
  CHECK_THROWS_WITH(compare(Tensor::from({1, 3}), Tensor::from({1, 2})), doctest::Contains("3 for 2 at (1,)"));
}
