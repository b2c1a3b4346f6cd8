#include <doctest/doctest.h>

#include "ff/core/io/npy.h"

#include "tests/support/compare.h"
#include "tests/support/errors.h"
#include "tests/support/files.h"

using namespace ff;
using namespace ff::test;

namespace {

std::string npy_file(int version, std::string_view header, std::string_view data) {
  const auto size = static_cast<std::uint32_t>(header.size());
  return std::string("\x93NUMPY") + static_cast<char>(version) + '\0' +
         (version == 1 ? bytes_of({static_cast<std::uint16_t>(size)}) : bytes_of({size})) + std::string(header) +
         std::string(data);
}

Tensor read(std::string_view contents) {
  const TempDir dir;
  return load_npy(dir.write("file.npy", contents));
}

std::string refusal(std::string_view contents) {
  const TempDir dir;
  const std::string path = dir.write("bad.npy", contents);
  const std::string message = error_of([&] { load_npy(path); });
  CHECK_MESSAGE(contains(message, {"[load_npy]", path}), message);
  return message;
}

std::string refused_header(std::string_view header) { return refusal(npy_file(1, header, bytes_of({1.0f, 2.0f}))); }

}  // namespace

TEST_CASE_TEMPLATE("npy: every dtype comes back", T, float, double, std::int32_t, std::int64_t, std::uint8_t, bool) {
  const TempDir dir;
  for (const Shape& shape : {Shape{6}, Shape{2, 3}, Shape{1, 6, 1}, Shape{}, Shape{0, 3}}) {
    std::vector<std::uint8_t> values(static_cast<std::size_t>(shape.numel()));
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = i % 2;
    Tensor x = Tensor::empty(shape, dtype_of<T>());
    for (std::size_t i = 0; i < values.size(); ++i) x.data<T>()[i] = static_cast<T>(values[i]);
    save_npy(dir.path("file"), x);
    const Tensor y = load_npy(dir.path("file"));
    REQUIRE(y.dtype() == x.dtype());
    REQUIRE(y.shape() == shape);
    for (std::size_t i = 0; i < values.size(); ++i) CHECK(y.data<T>()[i] == x.data<T>()[i]);
  }
}

TEST_CASE("npy: the bytes are what numpy.save writes") {
  const TempDir dir;
  save_npy(dir.path("file"), Tensor::from(std::vector<float>{1, 2, 3, 4, 5, 6}, {2, 3}));
  std::string header = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }";
  header.resize(128 - 10 - 1, ' ');
  CHECK(slurp(dir.path("file")) == npy_file(1, header + "\n", bytes_of({1.0f, 2.0f, 3.0f, 4.0f, 5.0f, 6.0f})));
  save_npy(dir.path("file"), Tensor::from<std::uint8_t>({7}));
  CHECK(contains(slurp(dir.path("file")), {"'|u1'", "(1,)"}));
  CHECK(contains(error_of([&] { save_npy(dir.path("file"), Tensor()); }), {"[save_npy]", "undefined"}));
}

TEST_CASE("npy: versions, byte orders, column-major arrays and strided tensors") {
  const std::string two_by_three = "{'shape': (2, 3), \"fortran_order\": True,'descr':'<f4'}";
  for (int version : {1, 2, 3}) {
    const Tensor x = read(npy_file(version, two_by_three, bytes_of({1.0f, 2.0f, 3.0f, 4.0f, 5.0f, 6.0f})));
    CHECK(x.shape() == Shape{2, 3});
    CHECK(same_bits(x.to_vector<float>(), std::vector<float>{1, 3, 5, 2, 4, 6}));
  }
  const Tensor big = read(npy_file(1, "{'descr': '>i4', 'fortran_order': False, 'shape': (2,), }\n",
                                   bytes_of<std::int32_t>({-2, 70000}, std::endian::big)));
  CHECK(same_bits(big.to_vector<std::int32_t>(), std::vector<std::int32_t>{-2, 70000}));

  const TempDir dir;
  const Tensor x = Tensor::from(std::vector<float>{1, 2, 3, 4, 5, 6}, {2, 3});
  save_npy(dir.path("file"), x.as_strided({3, 2}, {1, 3}));
  CHECK(same_bits(load_npy(dir.path("file")).to_vector<float>(), std::vector<float>{1, 4, 2, 5, 3, 6}));
}

TEST_CASE("npy: what is not an array of ours is refused") {
  const std::string good =
      npy_file(1, "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }\n", bytes_of({1.0f, 2.0f}));
  CHECK(same_bits(read(good).to_vector<float>(), std::vector<float>{1, 2}));
  for (std::size_t size = 0; size < good.size(); ++size) CHECK(contains(refusal(good.substr(0, size)), {"truncated"}));
  CHECK(contains(refusal(good + "x"), {"bytes follow the end of the data"}));
  CHECK(contains(refusal("PK\x03\x04 an archive"), {"not an .npy file"}));
  CHECK(contains(refusal("\x93NUMPY\x04" + good.substr(7)), {"version 4.0"}));
  CHECK(contains(refusal(std::string("\x93NUMPY\x02\x00\xff\xff\xff\xff", 12)), {"header's length", "4294967295"}));
  CHECK(contains(refused_header("{'descr': '<f2', 'fortran_order': False, 'shape': (2,)}"),
                 {"descr \"<f2\" is not supported"}));
  CHECK(contains(refused_header("{'descr': '|f4', 'fortran_order': False, 'shape': (2,)}"), {"descr \"|f4\""}));
  CHECK(contains(refused_header("{'descr': '', 'fortran_order': False, 'shape': (2,)}"), {"descr \"\""}));
  CHECK(contains(refused_header("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2,)}"), {"structured"}));
  CHECK(contains(refused_header("{'descr': '<f4', 'fortran_order': 0, 'shape': (2,)}"), {"expected True or False"}));
  CHECK(contains(refused_header("{'descr': '<f4', 'fortran_order': False, 'shape': (-2,)}"), {"expected a size"}));
  CHECK(contains(refused_header("{'descr': '<f4', 'fortran_order': False, 'shape': 2}"), {"expected '('"}));
  CHECK(contains(refused_header("{'descr': '<f4', 'fortran_order': False, 'shape': (2 3)}"), {"expected ')'"}));
  CHECK(contains(refused_header("{'descr': '<f4', 'fortran_order': False}"), {"needs the keys"}));
  CHECK(contains(refused_header("{'descr': '<f4', 'descr': '<f4'}"), {"\"descr\" is unknown or comes twice"}));
  CHECK(contains(refused_header("{'kind': '<f4'}"), {"\"kind\" is unknown"}));
  CHECK(contains(refused_header("{'descr': '<f4"), {"the end of a string"}));
  CHECK(contains(refused_header("{'descr' '<f4'}"), {"expected ':'"}));
  CHECK(contains(refused_header(""), {"expected '{'"}));
  CHECK(contains(refused_header("{'descr': '<f4', 'fortran_order': False, 'shape': (2,)} x"), {"nothing after"}));
  CHECK(
      contains(refused_header("{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,)}"), {"2^64"}));
  CHECK(contains(refused_header("{'descr': '<f4', 'fortran_order': False, 'shape': (4294967296, 4294967296)}"),
                 {"too large"}));
  CHECK(contains(refused_header("{'descr': '<f4', 'fortran_order': False, 'shape': (1099511627776,)}"), {"truncated"}));
  CHECK(contains(refused_header("{'descr': '<f4', 'fortran_order': False, 'shape': (1,1,1,1,1,1,1,1,2)}"),
                 {"9 dimensions"}));
  CHECK(contains(refusal(npy_file(1, "{'descr': '|b1', 'fortran_order': False, 'shape': (2,)}", "\x01\x02")),
                 {"boolean", "element 1 is 2"}));
}

TEST_CASE("npy: a damaged file is refused or read, nothing else") {
  const TempDir dir;
  save_npy(dir.path("good"), Tensor::from(std::vector<float>{1, 2, 3, 4, 5, 6}, {2, 3}));
  const std::string good = slurp(dir.path("good"));
  int refused = 0;
  for (std::uint64_t i = 0; i < 2000; ++i) {
    const std::string path = dir.write("bad", damaged(good, i));
    CAPTURE(i);
    REQUIRE_NOTHROW(refused += error_of([&] { load_npy(path); }) != "(no error)");
  }
  CHECK(refused > 1000);
  CHECK(refused < 2000);
}
