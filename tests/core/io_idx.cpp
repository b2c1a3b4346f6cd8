#include <filesystem>

#include <doctest/doctest.h>

#include "ff/core/io/idx.h"

#include "tests/support/compare.h"
#include "tests/support/errors.h"
#include "tests/support/files.h"

using namespace ff;
using namespace ff::test;

namespace {

Tensor read(std::string_view contents) {
  const TempDir dir;
  return load_idx(dir.write("file", contents));
}

std::string refusal(std::string_view contents) {
  const TempDir dir;
  const std::string path = dir.write("bad", contents);
  const std::string message = error_of([&] { load_idx(path); });
  CHECK_MESSAGE(contains(message, {"[load_idx]", path}), message);
  return message;
}

}  // namespace

TEST_CASE("idx: every element type, plain and gzip") {
  const auto big = std::endian::big;
  for (const bool packed : {false, true}) {
    auto read_type = [&](int type, std::string_view elements) {
      const std::string file = idx_file(type, {1, 3}, elements);
      const Tensor x = read(packed ? gzip(file) : file);
      CHECK(x.shape() == Shape{1, 3});
      return x;
    };
    CHECK(same_bits(read_type(0x08, "\x01\x80\xff").to_vector<std::uint8_t>(), std::vector<std::uint8_t>{1, 128, 255}));
    CHECK(read_type(0x08, "\x01\x80\xff").dtype() == u8);
    CHECK(same_bits(read_type(0x09, "\x01\x80\xff").to_vector<std::int32_t>(), std::vector<std::int32_t>{1, -128, -1}));
    CHECK(same_bits(read_type(0x0B, bytes_of<std::int16_t>({-300, 0, 32767}, big)).to_vector<std::int32_t>(),
                    std::vector<std::int32_t>{-300, 0, 32767}));
    CHECK(same_bits(read_type(0x0C, bytes_of<std::int32_t>({-70000, 1, 2}, big)).to_vector<std::int32_t>(),
                    std::vector<std::int32_t>{-70000, 1, 2}));
    CHECK(same_bits(read_type(0x0D, bytes_of({1.5f, -2.0f, 0.0f}, big)).to_vector<float>(),
                    std::vector<float>{1.5f, -2, 0}));
    CHECK(same_bits(read_type(0x0E, bytes_of({1.5, -2.0, 0.0}, big)).to_vector<double>(),
                    std::vector<double>{1.5, -2, 0}));
  }
  CHECK(read(idx_file(0x08, {0, 28, 28}, "")).shape() == Shape{0, 28, 28});
}

TEST_CASE("idx: what is not such a file is refused") {
  const std::string good = idx_file(0x08, {2, 2}, "1234"), packed = gzip(good);
  for (std::size_t size = 0; size < good.size(); ++size) CHECK(contains(refusal(good.substr(0, size)), {"truncated"}));
  for (std::size_t size = 3; size < packed.size(); ++size)
    CHECK(contains(refusal(packed.substr(0, size)), {"truncated"}));
  CHECK(contains(refusal(good + "5"), {"bytes follow the end of the data at byte 16"}));
  CHECK(contains(refusal(gzip(good + "5")), {"bytes follow the end of the data at byte 16"}));
  CHECK(contains(refusal("PK\x03\x04"), {"not an IDX file", "80 and 75"}));
  CHECK(contains(refusal(idx_file(0x0A, {1}, "1")), {"element type 0x0a"}));
  CHECK(contains(refusal(std::string("\0\0\x08\x09", 4) + std::string(40, '\1')), {"9 dimensions"}));
}

TEST_CASE("idx: sizes that the file cannot hold cost nothing") {
  const std::uint32_t most = 0xffffffff;
  CHECK(contains(refusal(idx_file(0x08, {most}, "1")), {"truncated"}));
  CHECK(contains(refusal(idx_file(0x0B, {most}, "1")), {"truncated"}));
  CHECK(contains(refusal(idx_file(0x0E, {most, 1000}, "1")), {"truncated"}));
  CHECK(contains(refusal(idx_file(0x08, {most, most}, "1")), {"too large"}));
  CHECK(contains(refusal(idx_file(0x08, {0, most, most}, "")), {"too large"}));
  CHECK(contains(refusal(gzip(idx_file(0x08, {most}, std::string(1000, '1')))), {"cannot hold"}));
}

TEST_CASE("idx: a damaged file is refused or read, nothing else") {
  const TempDir dir;
  const std::string plain = idx_file(0x08, {3, 5}, "123456789012345"), packed = gzip(plain);
  int refused = 0;
  for (std::uint64_t i = 0; i < 2000; ++i) {
    const std::string path = dir.write("bad", damaged(i % 2 == 0 ? plain : packed, i));
    CAPTURE(i);
    REQUIRE_NOTHROW(refused += error_of([&] { load_idx(path); }) != "(no error)");
  }
  CHECK(refused > 1000);
  CHECK(refused < 2000);
}

TEST_CASE("idx: Fashion-MNIST as Debian ships it") {
  const std::string folder = "/usr/share/datasets/fashion-mnist/";
  if (!std::filesystem::exists(folder)) {
    MESSAGE("skipped: ", folder, " is not there (package dataset-fashion-mnist)");
    return;
  }
  CHECK(load_idx(folder + "t10k-images-idx3-ubyte.gz").shape() == Shape{10000, 28, 28});
  const auto labels = load_idx(folder + "t10k-labels-idx1-ubyte.gz").to_vector<std::uint8_t>();
  std::vector<int> counts(10);
  for (const std::uint8_t label : labels) ++counts.at(label);
  CHECK(counts == std::vector<int>(10, 1000));
}
