#include "ff/models/metrics.h"

#include <limits>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "tests/support/errors.h"
#include "tests/support/files.h"

using namespace ff::models;
using namespace ff::test;

TEST_CASE("metrics: an object a line, at once in the file") {
  const TempDir folder;
  const std::string path = folder.path("metrics.jsonl");
  MetricsLog log(path);
  log.write({{"step", 1}, {"loss", 0.1}});
  CHECK(slurp(path) == "{\"step\":1,\"loss\":0.1}\n");
  log.write({{"step", 2}, {"loss", std::numeric_limits<double>::quiet_NaN()}});
  CHECK(slurp(path) == "{\"step\":1,\"loss\":0.1}\n{\"step\":2,\"loss\":null}\n");
  CHECK(log.bytes() == slurp(path).size());
}

TEST_CASE("metrics: a log begins anew, or goes on from where it was") {
  const TempDir folder;
  const std::string path = folder.path("metrics.jsonl");
  MetricsLog(path).write({{"step", 1}});
  const auto kept = slurp(path).size();
  MetricsLog(path, kept).write({{"step", 2}});
  CHECK(slurp(path) == "{\"step\":1}\n{\"step\":2}\n");
  MetricsLog(path, kept).write({{"step", 3}});  // what came after the checkpoint goes
  CHECK(slurp(path) == "{\"step\":1}\n{\"step\":3}\n");
  CHECK(contains(error_of([&] { MetricsLog(path, 1000); }), {"[metrics]", path, "1000"}));
  MetricsLog anew(path);
  CHECK(slurp(path).empty());
  CHECK(contains(error_of([&] { MetricsLog(folder.path("no/such/folder")); }), {"[metrics]", "no/such/folder"}));
}

TEST_CASE("metrics: a log has one writer") {
  const TempDir folder;
  const std::string path = folder.path("metrics.jsonl");
  {
    MetricsLog log(path);
    log.write({{"step", 1}});
    log.flush();
    CHECK(contains(error_of([&] { MetricsLog other(path); }), {"[metrics]", path, "another process is writing it"}));
    CHECK(slurp(path) == "{\"step\":1}\n");
  }
  MetricsLog(path).write({{"step", 2}});
  CHECK(slurp(path) == "{\"step\":2}\n");
}
