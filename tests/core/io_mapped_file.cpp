#include <memory>

#include <doctest/doctest.h>

#include "ff/core/io/mapped_file.h"
#include "ff/core/tensor.h"

#include "tests/support/errors.h"
#include "tests/support/files.h"

using namespace ff;
using namespace ff::test;

TEST_CASE("mapped file: its bytes are memory, which may be written to without the file's changing") {
  const TempDir dir;
  std::string text;
  for (int i = 0; i < 3000; ++i) text += std::to_string(i) + " ";
  const std::string path = dir.write("file", text);
  const io::MappedFile file(path, "test");
  REQUIRE(file.size() == text.size());
  const auto seen = [&] { return std::string(reinterpret_cast<const char*>(file.data()), file.size()); };
  CHECK(seen() == text);
  file.release(0, file.size());
  CHECK(seen() == text);
  file.data()[0] = std::byte{'x'};
  CHECK(seen().substr(1) == text.substr(1));
  CHECK(slurp(path) == text);
}

TEST_CASE("mapped file: an empty one, and none") {
  const TempDir dir;
  CHECK(io::MappedFile(dir.write("empty", ""), "test").size() == 0);
  CHECK(contains(error_of([&] { io::MappedFile(dir.path("none"), "test"); }), {"[test]", "none", "cannot be opened"}));
  CHECK(contains(error_of([&] { io::MappedFile(dir.path(""), "test"); }), {"[test]", "not a regular file"}));
}

TEST_CASE("mapped file: a tensor over it keeps it") {
  const TempDir dir;
  const std::string path = dir.write("file", bytes_of<std::int32_t>({7, 8, 9, 10}));
  Tensor tensor;
  std::weak_ptr<io::MappedFile> watched;
  {
    const auto file = std::make_shared<io::MappedFile>(path, "test");
    watched = file;
    const auto storage = std::make_shared<Storage>(file, file->data() + 4, file->size() - 4);
    tensor = Tensor::over(storage, {3}, i32);
    CHECK(contains(error_of([&] { Tensor::over(storage, {4}, i32); }), {"[over]", "12 bytes", "(4,)"}));
  }
  CHECK(!watched.expired());
  CHECK(tensor.to_vector<std::int64_t>() == std::vector<std::int64_t>{8, 9, 10});
  tensor = Tensor();
  CHECK(watched.expired());
}
