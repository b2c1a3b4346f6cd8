#include <doctest/doctest.h>

#include "ff/core/io/csv.h"

#include "tests/support/errors.h"
#include "tests/support/files.h"

using namespace ff;
using namespace ff::test;

TEST_CASE("load_csv reads numbers, with names of columns and without") {
  const TempDir dir;
  const Table bare = load_csv(dir.write("a.csv", "1,2.5\n\n-3e2, +4\r\n"));
  CHECK(bare.columns.empty());
  CHECK(bare.values.dtype() == f64);
  CHECK(bare.values.shape() == Shape{2, 2});
  CHECK(bare.values.to_vector<double>() == std::vector<double>{1, 2.5, -300, 4});
  const Table named = load_csv(dir.write("a.csv", "\xEF\xBB\xBFx, \"the y\" ,3\n1,2,3"));
  CHECK(named.columns == std::vector<std::string>{"x", "the y", "3"});
  CHECK(named.values.shape() == Shape{1, 3});
}

TEST_CASE("load_csv refuses what is wrong, and tells the line") {
  const TempDir dir;
  const std::string path = dir.path("a.csv");
  const auto error = [&](std::string_view text) {
    dir.write("a.csv", text);
    return error_of([&] { load_csv(path); });
  };
  const auto line = [&](int n) { return "[load_csv] " + path + ":" + std::to_string(n) + ": "; };
  check_says(error(""), "no row of numbers");
  check_says(error("a,b\n"), line(1) + "no row of numbers");
  check_says(error("1,2\n\n3\n"), line(3) + "1 fields, but the first line has 2");
  check_says(error("a,b\n1,2,3\n"), line(2) + "3 fields, but the first line has 2");
  check_says(error("1,2\n3,x\n"), line(2) + "column 2 must be a finite number, got \"x\"");
  check_says(error("1,2\n,4\n"), line(2) + "column 1 must be a finite number, got \"\"");
  check_says(error("1,2\nnan,4\n"), line(2) + "column 1 must be a finite number, got \"nan\"");
  check_says(error("1,inf\n"), line(1) + "column 2 must be a finite number");
  check_says(error("1,1e400\n1,2\n"), line(1) + "column 2 must be a finite number, got \"1e400\"");
  check_says(error("1,1.2.3\n1,2\n"), line(1) + "column 2 must be a finite number, got \"1.2.3\"");
  check_says(error("1,,3\n1,2,3\n"), line(1) + "column 2 must be a finite number, got \"\"");
  check_says(error("a,a\n1,2\n"), line(1) + "two columns are called \"a\"");
  check_says(error("a,\"\"\n1,2\n"), line(1) + "column 2 has no name");
  check_says(error_of([&] { load_csv(dir.path("none")); }), "cannot be opened");
}

TEST_CASE("load_csv: a damaged file is refused or read, and nothing else") {
  const TempDir dir;
  int refused = 0;
  for (std::uint64_t attempt = 0; attempt < 300; ++attempt) {
    const std::string path = dir.write("a.csv", damaged("x,y,z\n1,2,3\n4.5,-6e1,7\n8,9,10\n", attempt));
    refused += error_of([&] { load_csv(path); }) != "(no error)";
  }
  CHECK(refused > 100);
}
