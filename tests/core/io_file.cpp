#include <filesystem>

#include <doctest/doctest.h>
#include <zlib.h>

#include "ff/core/io/file.h"

#include "tests/support/errors.h"
#include "tests/support/files.h"

using namespace ff;
using namespace ff::test;

namespace {

std::string long_text() {
  std::string text;
  for (int i = 0; i < 40000; ++i) text += std::to_string(i * 7919 % 10007) + (i % 11 == 0 ? "\n" : " ");
  return text;
}

}  // namespace

TEST_CASE("read_file reads plain files and gzip files alike") {
  const TempDir dir;
  const std::string text = long_text();
  CHECK(io::read_file(dir.write("plain", text)) == text);
  CHECK(io::read_file(dir.write("packed", gzip(text))) == text);
  CHECK(io::read_file(dir.write("members", gzip(text) + gzip("and more"))) == text + "and more");
  CHECK(io::read_file(dir.write("empty", "")).empty());
  CHECK(io::read_file(dir.write("empty.gz", gzip(""))).empty());
  CHECK(io::read_file(dir.write("short", "\x1f\x8b")) == "\x1f\x8b");
}

TEST_CASE("read_file refuses what it cannot read whole") {
  const TempDir dir;
  const std::string packed = gzip(long_text());
  auto error = [&](std::string_view contents, std::uint64_t limit = io::default_read_limit) {
    const std::string path = dir.write("file", contents);
    const std::string message = error_of([&] { io::read_file(path, limit); });
    CHECK_MESSAGE(contains(message, {"[read_file]", path}), message);
    return message;
  };
  CHECK(contains(error(packed.substr(0, packed.size() - 1)), {"truncated"}));
  CHECK(contains(error(packed.substr(0, 40)), {"truncated"}));
  CHECK(contains(error(packed + "garbage"), {"follow the gzip stream"}));
  CHECK(contains(error(packed, 1000), {"more than the 1000 bytes"}));
  CHECK(contains(error("1234", 3), {"more than the 3 bytes"}));
  std::string bad_checksum = packed;
  bad_checksum[packed.size() - 6] ^= 1;
  CHECK(contains(error(bad_checksum), {"damaged gzip stream"}));
  std::string bad_block = packed;
  bad_block[10] = static_cast<char>(0xff);
  CHECK(contains(error(bad_block), {"damaged gzip stream"}));
  CHECK(contains(error_of([&] { io::read_file(dir.path("none")); }), {"none", "cannot be opened"}));
  CHECK(contains(error_of([&] { io::read_file(dir.path(".")); }), {"not a regular file"}));
}

TEST_CASE("an InputFile does not promise bytes that cannot come") {
  const TempDir dir;
  const std::string plain = dir.write("plain", "0123456789"),
                    packed = dir.write("packed", gzip(std::string(100000, 'a')));
  io::InputFile file(plain, "op");
  char buffer[16];
  file.read(buffer, 4, "the start");
  file.require(6, "the rest");
  CHECK(contains(error_of([&] { file.require(7, "the rest"); }),
                 {"[op]", "truncated", "the rest takes 7 bytes from byte 4"}));
  CHECK(contains(error_of([&] { file.require_end(); }), {"bytes follow the end of the data at byte 4"}));
  CHECK(contains(error_of([&] { file.read(buffer, 9, "the rest"); }), {"truncated"}));

  io::InputFile gzip_file(packed, "op");
  gzip_file.require(100000, "all");
  CHECK(contains(error_of([&] { gzip_file.require(std::uint64_t{1} << 40, "all"); }), {"cannot hold"}));
}

TEST_CASE("an OutputFile is written whole or not at all") {
  const TempDir dir;
  const std::string path = dir.write("file", "old");
  {
    io::OutputFile file(path, "op");
    file.write("new");
    CHECK(slurp(path) == "old");
    CHECK(dir.count() == 2);
  }
  CHECK(slurp(path) == "old");
  CHECK(dir.count() == 1);
  {
    io::OutputFile first(path, "op"), second(path, "op");
    first.write("first");
    second.write("second");
    second.commit();
    first.commit();
  }
  CHECK(slurp(path) == "first");
  CHECK(dir.count() == 1);
  io::write_file(path, "third");
  CHECK(slurp(path) == "third");
}

TEST_CASE("an OutputFile keeps links and refuses what is no file") {
  const TempDir dir;
  const std::string target = dir.write("target", "old"), link = dir.path("link");
  std::filesystem::create_symlink(target, link);
  io::write_file(link, "new");
  CHECK(slurp(target) == "new");
  CHECK(std::filesystem::is_symlink(link));
  CHECK(contains(error_of([&] { io::write_file("/dev/null", ""); }), {"/dev/null", "not a regular file"}));
  CHECK(contains(error_of([&] { io::write_file(dir.path("."), ""); }), {"not a regular file"}));
  CHECK(contains(error_of([&] { io::write_file(dir.path("none/file"), ""); }), {"none/file", "cannot be created"}));
}

TEST_CASE("file: the digest of a file is its length and zlib's CRC-32") {
  const TempDir dir;
  CHECK(io::file_digest(dir.write("check", "123456789")) == io::FileDigest{9, 0xcbf43926});  // the check value
  CHECK(io::file_digest(dir.write("empty", "")) == io::FileDigest{0, 0});
  CHECK(io::file_digest(dir.write("gzip", gzip("text"))).bytes == gzip("text").size());
  std::string large(3000000, 'x');
  large[2999999] = 'y';
  const auto crc =
      static_cast<std::uint32_t>(crc32_z(0, reinterpret_cast<const unsigned char*>(large.data()), large.size()));
  CHECK(io::file_digest(dir.write("large", large)) == io::FileDigest{large.size(), crc});
  CHECK(contains(error_of([&] { io::file_digest(dir.path("none")); }), {"[file_digest]", "none"}));
}

TEST_CASE("file: what a killed writer left of a file goes, and nothing else") {
  const TempDir dir;
  for (const char* name : {"a", "a.tmp-1-0", "a.tmp-22-7", "a.tmp", "b.tmp-1-0", "aa.tmp-1-0"}) dir.write(name, "x");
  io::remove_leftovers(dir.path("a"));
  CHECK(dir.count() == 4);
  CHECK(slurp(dir.path("b.tmp-1-0")) == "x");
  CHECK(slurp(dir.path("a")) == "x");
  io::remove_leftovers(dir.path("no/such/folder"));
}

TEST_CASE("an AppendFile grows, at once in the file") {
  const TempDir dir;
  const std::string path = dir.path("log");
  {
    io::AppendFile file(path, "log");
    file.write("one");
    CHECK(slurp(path) == "one");
    file.write(" two");
    CHECK(file.size() == 7);
  }
  io::AppendFile file(path, "log", 4);  // what follows its first bytes goes
  CHECK(slurp(path) == "one ");
  file.write("three");
  CHECK(slurp(path) == "one three");
  CHECK(file.size() == 9);
  CHECK(contains(error_of([&] { io::AppendFile(path, "log", 10); }), {"[log]", path, "9 bytes", "has 10"}));
  CHECK(slurp(path) == "one three");
  CHECK(contains(error_of([&] { io::AppendFile(dir.path("."), "log"); }), {"[log]", "cannot be written"}));
}
