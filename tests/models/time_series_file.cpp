#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>

#include <doctest/doctest.h>

#include "ff/models/time_series/ts_file.h"

#include "tests/support/errors.h"
#include "tests/support/files.h"

using namespace ff;
using namespace ff::models;
using namespace ff::test;

namespace {

const std::string header =
    "#made up\r\n@problemName Test\r\n@timeStamps false\r\n@missing true\r\n@univariate false\r\n@dimensions 2\r\n"
    "@equalLength false\r\n@classLabel true up down\r\n@data\r\n";

std::string replaced(std::string text, std::string_view from, std::string_view to) {
  const std::size_t at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

}  // namespace

TEST_CASE("load_ts reads series of unequal length, missing values and classes") {
  const TempDir dir;
  const TimeSeriesFile file =
      load_ts(dir.write("a.ts", header + "1,-2.5,3e1:4,?,6:down\r\n\r\n# a remark\r\n 7 : 8 : up \r\n"));
  CHECK(file.dimensions == 2);
  CHECK(file.classes == std::vector<std::string>{"up", "down"});
  REQUIRE(file.series.size() == 2);
  const TimeSeries &first = file.series[0], &second = file.series[1];
  CHECK(first.steps == 3);
  CHECK(first.label == 1);
  REQUIRE(first.values.size() == 6);
  CHECK(std::isnan(first.values[4]));
  CHECK(std::vector<float>(first.values.begin(), first.values.begin() + 4) == std::vector<float>{1, -2.5, 30, 4});
  CHECK(first.values[5] == 6);
  CHECK(second.label == 0);
  CHECK(second.values == std::vector<float>{7, 8});
}

TEST_CASE("load_ts: a series of one dimension needs no number of them; keys in any case") {
  const TempDir dir;
  const TimeSeriesFile file =
      load_ts(dir.write("a.ts", "@UNIVARIATE true\n@serieslength 2\n@classLabel true 1.0 2.0\n@data\n1,2:2.0"));
  CHECK(file.dimensions == 1);
  CHECK(file.series.at(0).label == 1);
}

TEST_CASE("load_ts refuses what is wrong, and tells the line") {
  const TempDir dir;
  const std::string path = dir.path("a.ts");
  const auto error = [&](const std::string& text) {
    dir.write("a.ts", text);
    return error_of([&] { load_ts(path); });
  };
  const auto line = [&](int n) { return "[load_ts] " + path + ":" + std::to_string(n) + ": "; };
  const std::string good = "1,2:3,4:up\n";

  check_says(error(""), "the file ends before @data");
  check_says(error("hello\n"), line(1) + "expected a line \"@key value\" of the header, got \"hello\"");
  check_says(error(replaced(header, "@data\r\n", "")), line(8) + "the file ends before @data");
  check_says(error(header), line(9) + "no series follows @data");
  check_says(error(replaced(header, "@missing", "@mising") + good), line(4) + "unknown key @mising");
  check_says(error("@missing true\n@Missing true\n"), line(2) + "@missing comes twice");
  check_says(error(replaced(header, "@missing true", "@missing yes") + good), "@missing must be true or false");
  check_says(error(replaced(header, "@dimensions 2", "@dimensions two") + good), "@dimensions must be a whole number");
  check_says(error(replaced(header, "@dimensions 2", "@dimensions 0") + good), "@dimensions must be a whole number");
  check_says(error(replaced(header, "@dimensions 2\r\n", "") + good), "must tell @dimensions");
  check_says(error(replaced(header, "@univariate false", "@univariate true") + good), "but @dimensions 2");
  check_says(error(replaced(header, "@timeStamps false", "@timeStamps true") + good), "time stamps are not supported");
  check_says(error(replaced(header, "@classLabel true", "@classLabel false") + good), "without classes");
  check_says(error(replaced(header, "@classLabel true up down", "@classLabel true") + good), "names of the classes");
  check_says(error(replaced(header, "@classLabel true up down", "#") + good), "must name the classes");
  check_says(error(replaced(header, "up down", "up up") + good), line(8) + "class up comes twice");
  check_says(error(replaced(header, "@missing true", "@targetLabel true") + good), "for regression are not supported");

  check_says(error(header + good + "1,2:3:up\n"), line(11) + "dimension 2 has 1 values, dimension 1 has 2");
  check_says(error(header + "1,2:up\n"), line(10) + "2 dimensions and a class were announced");
  check_says(error(header + "1:2:3:up\n"), "there are 4");
  check_says(error(header + "1,2:3,4:left\n"), line(10) + "\"left\" is none of the 2 classes");
  check_says(error(header + "1,x:3,4:up\n"), line(10) + "value 2 of dimension 1 must be a number or ?, got \"x\"");
  check_says(error(header + "1,:3,4:up\n"), "value 2 of dimension 1 must be a number");
  check_says(error(header + ":3:up\n"), "value 1 of dimension 1 must be a number");
  check_says(error(header + "1,inf:3,4:up\n"), "must be a number");
  check_says(error(header + "1,1e39:3,4:up\n"), "must be a number");  // no float
  check_says(error(replaced(header, "@missing true", "@missing false") + "1,?:3,4:up\n"), "@missing is not true");
  const std::string equal = replaced(header, "@equalLength false", "@equalLength true");
  check_says(error(equal + good + "1:3:up\n"), line(11) + "a series of 1 steps");
  check_says(error(replaced(equal, "#made up", "@seriesLength 3") + good), line(10) + "a series of 2 steps");
  check_says(error_of([&] { load_ts(dir.path("none.ts")); }), "cannot be opened");
}

TEST_CASE("load_ts: a damaged file is refused or read, and nothing else") {
  const TempDir dir;
  const std::string text = header + "1,-2.5,3e1:4,?,6:down\r\n7:8:up\r\n1,2:3,4:up\r\n";
  int refused = 0;
  for (std::uint64_t attempt = 0; attempt < 300; ++attempt) {
    const std::string path = dir.write("a.ts", damaged(text, attempt));
    refused += error_of([&] { load_ts(path); }) != "(no error)";
  }
  CHECK(refused > 150);
}

TEST_CASE("load_ts: many dimensions that a line announces but does not hold take no memory") {
  const TempDir dir;
  const std::string commas(100'000, ','), colons(100'000, ':');
  const std::string path =
      dir.write("a.ts", "@dimensions 100000\n@classLabel true a b\n@data\n" + commas + colons + "a\n");
  check_says(error_of([&] { load_ts(path); }), "must be a number");
  std::string ones;
  for (int i = 0; i < 100'000; ++i) ones += "1,";
  dir.write("a.ts", "@dimensions 100000\n@classLabel true a b\n@data\n" + ones + "1" + colons + "a\n");
  check_says(error_of([&] { load_ts(path); }), "dimension 2 has 1 values, dimension 1 has 100001");
}

TEST_CASE("load_ts: sets of the UEA archive where they are there") {
  const char* given = std::getenv("FF_UEA");
  const std::string folder = given != nullptr ? given : "data/uea";
  if (!std::filesystem::exists(folder)) {
    MESSAGE("skipped: ", folder, " is not there (FF_UEA may name another folder)");
    return;
  }
  struct Set {
    const char* name;
    std::size_t train, test, classes;
    std::int64_t dimensions, shortest, longest;
  };
  for (const Set& set :
       {Set{"JapaneseVowels", 270, 370, 9, 12, 7, 29}, Set{"UWaveGestureLibrary", 120, 320, 8, 3, 315, 315},
        Set{"Handwriting", 150, 850, 26, 3, 152, 152}}) {
    std::int64_t shortest = INT64_MAX, longest = 0;
    for (const auto& [part, count] : {std::pair{"_TRAIN.ts", set.train}, {"_TEST.ts", set.test}}) {
      const TimeSeriesFile file = load_ts(folder + "/" + set.name + part);
      CHECK(file.series.size() == count);
      CHECK(file.classes.size() == set.classes);
      CHECK(file.dimensions == set.dimensions);
      for (const TimeSeries& series : file.series) {
        shortest = std::min(shortest, series.steps);
        longest = std::max(longest, series.steps);
      }
    }
    CHECK(shortest == set.shortest);
    CHECK(longest == set.longest);
  }
}
