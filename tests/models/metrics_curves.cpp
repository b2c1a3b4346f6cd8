#include "ff/models/metrics_curves.h"

#include <limits>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "ff/models/metrics.h"

#include "tests/support/errors.h"
#include "tests/support/files.h"

using namespace ff;
using namespace ff::models;
using namespace ff::test;

TEST_CASE("metrics curves: what was logged, by name") {
  const TempDir folder;
  const std::string path = folder.path("metrics.jsonl");
  {
    MetricsLog log(path);
    log.write({{"step", 10}, {"loss", 2.5}, {"lr", 0.1}});
    log.write({{"step", 10}, {"test_loss", 2.0}, {"note", "an evaluation"}, {"better", true}});
    log.write({{"step", 20}, {"loss", std::numeric_limits<double>::infinity()}, {"lr", 0.05}});
    log.write({{"step", 30}, {"loss", 1.5}, {"lr", 0}});
  }
  const auto curves = read_metrics(path);
  REQUIRE(curves.size() == 3);
  using Points = std::vector<std::pair<double, double>>;
  CHECK(curves[0].name == "loss");
  CHECK(curves[0].points == Points{{10, 2.5}, {30, 1.5}});
  CHECK(curves[1].name == "lr");
  CHECK(curves[1].points == Points{{10, 0.1}, {20, 0.05}, {30, 0}});
  CHECK(curves[2].name == "test_loss");
  CHECK(curves[2].points == Points{{10, 2}});
  CHECK(read_metrics(folder.write("empty", "")).empty());
  // A line that is still being written.
  CHECK(read_metrics(folder.write("unfinished", "{\"step\": 1, \"a\": 2}\n{\"step\": 2, \"a")).front().points.size() ==
        1);
}

TEST_CASE("metrics curves: hostile lines are told with their place") {
  const TempDir folder;
  const std::string good = "{\"step\": 1, \"loss\": 2}\n";
  for (const auto& [line, said] : {std::pair<std::string, std::string>{"not json", "not a JSON object"},
                                   {"", "not a JSON object"},
                                   {"[1, 2]", "not a JSON object"},
                                   {"{\"step\": 2, \"loss\": 1e999}", "not a JSON object"},
                                   {"{\"step\": 2} {\"step\": 3}", "not a JSON object"},
                                   {std::string(100000, '['), "not a JSON object"},
                                   {std::string("{\"step\": 1, \"\xff\": 2}"), "not a JSON object"},
                                   {"{\"loss\": 2}", "\"step\" is no count"},
                                   {"{\"step\": -1}", "\"step\" is no count"},
                                   {"{\"step\": 1.5}", "\"step\" is no count"},
                                   {"{\"step\": \"1\"}", "\"step\" is no count"},
                                   {"{\"step\": 2, \"loss\": [1]}", "\"loss\" is no number"},
                                   {"{\"step\": 2, \"loss\": {}}", "\"loss\" is no number"}}) {
    const std::string path = folder.write("metrics.jsonl", good + line + "\n" + good);
    check_says(error_of([&] { read_metrics(path); }), path + ": line 2: " + said);
  }
  CHECK(contains(error_of([&] { read_metrics(folder.path("none")); }), {folder.path("none")}));
  // Damaged in any way: either read, or an Error.
  std::string text;
  for (int i = 0; i < 20; ++i) text += "{\"step\": " + std::to_string(i) + ", \"loss\": 0.25}\n";
  for (std::uint64_t attempt = 0; attempt < 300; ++attempt) {
    const std::string path = folder.write("damaged", damaged(text, attempt));
    error_of([&] { read_metrics(path); });
  }
}
