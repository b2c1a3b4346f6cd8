#include "ff/autograd/profiler.h"

#include <algorithm>
#include <thread>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "ff/autograd/function.h"
#include "ff/autograd/ops/ops.h"
#include "ff/nn/nn.h"

#include "tests/support/errors.h"
#include "tests/support/files.h"

using namespace ff;
using namespace ff::test;

namespace {

// An op that is made of others.
struct Outer : Function<Outer> {
  static constexpr const char* name = "outer";
  static Tensor forward(Context&, const Tensor& x) { return exp(exp(x)); }
  static Gradients backward(Context&, const Tensor& dy) { return {exp(dy)}; }
};

struct Throws : Function<Throws> {
  static constexpr const char* name = "throws";
  static Tensor forward(Context&, const Tensor& x) { return matmul(x, x); }
  static Gradients backward(Context&, const Tensor& dy) { return {dy}; }
};

std::vector<ProfileEvent> named(const Profiler& profiler, const std::string& name, ProfilePhase phase) {
  std::vector<ProfileEvent> found;
  for (const ProfileEvent& event : profiler.events())
    if (event.name == name && event.phase == phase) found.push_back(event);
  return found;
}

std::int64_t total_self(const Profiler& profiler) {
  std::int64_t sum = 0;
  for (const ProfileEvent& event : profiler.events()) sum += event.self;
  return sum;
}

}  // namespace

TEST_CASE("profiler: ops forward and backward, with shapes and bytes") {
  const Tensor x = ones({3, 4}, {.requires_grad = true}), w = ones({4, 5}, {.requires_grad = true});
  exp(x);  // before: not seen
  Profiler profiler;
  const Tensor y = matmul(x, w);
  const int line = __LINE__ - 1;
  sum(y).backward();
  profiler.stop();
  exp(x);  // after
  CHECK(named(profiler, "exp", ProfilePhase::forward).empty());
  const auto forward = named(profiler, "matmul", ProfilePhase::forward);
  REQUIRE(forward.size() == 1);
  CHECK(forward[0].inputs == std::vector<Shape>{{3, 4}, {4, 5}});
  CHECK(forward[0].bytes == 4 * (12 + 20 + 15));
  CHECK(forward[0].site.line == line);
  const auto backward = named(profiler, "matmul", ProfilePhase::backward);
  REQUIRE(!backward.empty());
  CHECK(backward.back().inputs == std::vector<Shape>{{3, 5}});  // the node, which ends after what is in it
  CHECK(named(profiler, "sum", ProfilePhase::backward).size() == 1);
  CHECK(named(profiler, "accumulate_grad", ProfilePhase::backward).size() == 2);
}

TEST_CASE("profiler: what is inside is not counted twice") {
  const Tensor x = zeros({100, 100}, {.requires_grad = true});
  Profiler profiler;
  {
    const ProfileSpan part("all of it");
    sum(Outer::apply(x)).backward();
  }
  profiler.stop();
  const auto outer = named(profiler, "outer", ProfilePhase::forward),
             inner = named(profiler, "exp", ProfilePhase::forward);
  REQUIRE(outer.size() == 1);
  REQUIRE(inner.size() == 2);
  CHECK(outer[0].self == outer[0].length - inner[0].length - inner[1].length);
  CHECK(outer[0].bytes == 0);  // they count
  CHECK(inner[0].bytes == 2 * 4 * 10000);
  CHECK(named(profiler, "exp", ProfilePhase::backward).size() == 1);  // part of a gradient
  const auto part = named(profiler, "all of it", ProfilePhase::part);
  REQUIRE(part.size() == 1);
  CHECK(total_self(profiler) == part[0].length);
  double rows = 0;
  for (const Profiler::Row& row : profiler.rows()) rows += row.seconds;
  CHECK(rows <= profiler.seconds());
}

TEST_CASE("profiler: a view moves nothing") {
  const Tensor x = zeros({4, 6});
  Profiler profiler;
  reshape(x, {24});
  profiler.stop();
  const auto events = named(profiler, "reshape", ProfilePhase::forward);
  REQUIRE(events.size() == 1);
  CHECK(events[0].bytes == 0);
}

TEST_CASE("profiler: other threads, modules, and an op that throws") {
  nn::Linear linear(4, 3);
  Profiler profiler;
  std::thread([] { exp(zeros({2})); }).join();
  linear(zeros({2, 4}));
  CHECK_THROWS_AS(Throws::apply(zeros({3, 4})), Error);
  exp(zeros({5}));
  profiler.stop();
  CHECK(named(profiler, "throws", ProfilePhase::forward).size() == 1);
  const auto rows = profiler.rows();
  const auto aside = std::count_if(rows.begin(), rows.end(), [](const auto& row) { return row.aside; });
  CHECK(aside == 1);
  CHECK(rows.back().aside);
  CHECK(named(profiler, "Linear", ProfilePhase::module).size() == 1);
  for (const ProfileEvent& event : profiler.events()) CHECK(event.self >= 0);
  const std::string table = profiler.table();
  for (const char* text : {"Linear", "other thread", "exp", "sum", "GB/s"})
    CHECK(table.find(text) != std::string::npos);
}

TEST_CASE("profiler: one at a time, and none is left behind") {
  {
    const Profiler profiler;
    CHECK(error_of([] { Profiler second; }).find("[profiler] another Profiler records") != std::string::npos);
    CHECK(autograd::profiling);
  }
  CHECK(!autograd::profiling);
  // One that is made while a span of no concern to it is open.
  const ProfileSpan early("early");
  Profiler profiler;
  CHECK(!early.recorded());
  const ProfileSpan late("late");
  profiler.stop();
  CHECK(profiler.events().empty());
}

TEST_CASE("profiler: the trace") {
  const TempDir dir;
  const Tensor x = ones({2, 3}, {.requires_grad = true});
  nn::Linear linear(3, 2);
  Profiler profiler;
  sum(linear(x)).backward();
  profiler.stop();
  profiler.save_chrome_trace(dir.path("trace.json"));
  const auto trace = nlohmann::json::parse(slurp(dir.path("trace.json")));
  std::size_t timed = 0;
  bool shapes = false;
  for (const auto& event : trace) {
    if (event.at("ph") == "M") continue;
    ++timed;
    CHECK(event.at("ph") == "X");
    CHECK(event.at("dur").get<double>() >= 0);
    CHECK(event.at("ts").get<double>() + event.at("dur").get<double>() <= 1e6 * profiler.seconds() + 1e-3);
    shapes |= event.at("args").contains("shapes") && event.at("args").at("shapes")[0] == "(2, 3)";
  }
  CHECK(timed == profiler.events().size());
  CHECK(shapes);
  CHECK_THROWS_AS(profiler.save_chrome_trace(dir.path("no/such/folder.json")), Error);
}
