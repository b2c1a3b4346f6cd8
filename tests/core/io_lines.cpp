#include <cmath>

#include <doctest/doctest.h>

#include "ff/core/io/lines.h"

#include "tests/support/errors.h"
#include "tests/support/files.h"

using namespace ff;
using namespace ff::io;
using namespace ff::test;

namespace {

std::vector<std::string> lines_of(const std::string& path) {
  LineReader reader(path, "test");
  std::vector<std::string> lines;
  while (const auto line = reader.next()) lines.emplace_back(*line);
  CHECK(reader.number() == static_cast<std::int64_t>(lines.size()));
  return lines;
}

}  // namespace

TEST_CASE("LineReader: ends of lines of both kinds, and none at the end") {
  const TempDir dir;
  const auto read = [&](std::string_view text) { return lines_of(dir.write("file", text)); };
  CHECK(read("").empty());
  CHECK(read("a\nbc\n") == std::vector<std::string>{"a", "bc"});
  CHECK(read("a\r\n\r\nbc") == std::vector<std::string>{"a", "", "bc"});
  CHECK(read("\n\n") == std::vector<std::string>{"", ""});
}

TEST_CASE("LineReader: lines longer than what is read at a time") {
  const TempDir dir;
  const std::string a(200'000, 'a'), b(65'536, 'b'), c(65'535, 'c');
  CHECK(lines_of(dir.write("file", a + "\n" + b + "\n" + c + "\nd")) == std::vector<std::string>{a, b, c, "d"});
}

TEST_CASE("LineReader: errors tell the line") {
  const TempDir dir;
  const std::string path = dir.write("file", "a\nb\n");
  LineReader reader(path, "test");
  reader.next();
  reader.next();
  check_says(error_of([&] { reader.fail("wrong"); }), "[test] " + path + ":2: wrong");
  check_says(error_of([&] { LineReader(dir.path("none"), "test"); }), "cannot be opened");
}

TEST_CASE("parse_number takes whole numbers alone") {
  for (const auto& [text, value] : {std::pair{"1", 1.0}, {" -2.5e3\t", -2500.0}, {"+.5", 0.5}})
    CHECK(parse_number(text) == value);
  for (const char* text : {"", " ", "a", "1a", "1 2", "+-1", "--1", "1e400", "0x10", "1,5"}) CHECK(!parse_number(text));
  CHECK(std::isnan(parse_number("nan").value()));
  CHECK(std::isinf(parse_number("-inf").value()));
}

TEST_CASE("cut_field and trimmed") {
  std::string_view text = " a ,b,,c";
  CHECK(trimmed(cut_field(text, ',')) == "a");
  CHECK(cut_field(text, ',') == "b");
  CHECK(cut_field(text, ',').empty());
  CHECK(cut_field(text, ',') == "c");
  CHECK(text.empty());
  CHECK(trimmed(" \t ").empty());
}
