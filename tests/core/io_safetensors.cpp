#include <doctest/doctest.h>

#include "ff/core/io/safetensors.h"

#include "tests/support/compare.h"
#include "tests/support/errors.h"
#include "tests/support/files.h"

using namespace ff;
using namespace ff::test;

namespace {

TensorMap every_dtype() {
  TensorMap tensors;
  tensors["b.weight"] = Tensor::from(std::vector<float>{1, -2.5f, 3, 4, 5, 6}, {2, 3});
  tensors["a"] = Tensor::from({1.0, 1e300});
  tensors["z"] = Tensor::from<std::int32_t>({-7, 8, 9});
  tensors["y"] = Tensor::from<std::int64_t>({INT64_MIN, INT64_MAX});
  tensors["x \"quoted\" \xc3\xa9"] = Tensor::from<std::uint8_t>({1, 2, 255});
  tensors["flags"] = Tensor::from<bool>({true, false, true});
  tensors["scalar"] = Tensor::from(std::vector<float>{7}, {});
  tensors["none"] = Tensor::empty({0, 3}, f64);
  return tensors;
}

void check_same(const TensorMap& got, const TensorMap& want) {
  REQUIRE(got.size() == want.size());
  for (const auto& item : want) {
    const std::string& name = item.first;
    const Tensor& tensor = item.second;
    CAPTURE(name);
    REQUIRE(got.contains(name));
    const Tensor& other = got.at(name);
    REQUIRE(other.dtype() == tensor.dtype());
    REQUIRE(other.shape() == tensor.shape());
    const auto bytes = static_cast<std::size_t>(tensor.numel()) * size_of(tensor.dtype());
    CHECK(std::string_view(static_cast<const char*>(other.raw()), bytes) ==
          std::string_view(static_cast<const char*>(tensor.raw()), bytes));
  }
}

constexpr std::string_view one_float = R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})";

// The message of the error that a file of this header and data gives.
std::string refusal(std::string_view header, std::string_view data) {
  const TempDir dir;
  const std::string path = dir.write("bad.safetensors", safetensors_file(header, data));
  const std::string message = error_of([&] { load_safetensors(path); });
  CHECK_MESSAGE(contains(message, {"[load_safetensors]", path}), message);
  return message;
}

}  // namespace

TEST_CASE("safetensors: every dtype and shape comes back, with the metadata") {
  const TempDir dir;
  const std::string path = dir.path("all.safetensors");
  const FileMetadata metadata{{"format", "pt"}, {"options", "{\"power\": 4}"}};
  save_safetensors(path, every_dtype(), metadata);
  check_same(load_safetensors(path), every_dtype());
  CHECK(load_safetensors_metadata(path) == metadata);
  CHECK(dir.count() == 1);

  save_safetensors(path, {});
  CHECK(load_safetensors(path).empty());
  CHECK(load_safetensors_metadata(path).empty());
}

TEST_CASE("safetensors: the bytes are as the format says and always the same") {
  const TempDir dir;
  const std::string path = dir.path("file");
  save_safetensors(path, {{"b", Tensor::from({1.0f})}, {"a", Tensor::from<std::uint8_t>({9})}}, {{"k", "v"}});
  const std::string header = R"({"__metadata__":{"k":"v"},"b":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},)"
                             R"("a":{"dtype":"U8","shape":[1],"data_offsets":[4,5]}})";
  const std::string padding((8 - header.size() % 8) % 8, ' ');
  CHECK(slurp(path) == safetensors_file(header + padding, bytes_of({1.0f}) + "\x09"));

  save_safetensors(dir.path("once"), every_dtype());
  save_safetensors(dir.path("twice"), load_safetensors(dir.path("once")));
  CHECK(slurp(dir.path("once")) == slurp(dir.path("twice")));
}

TEST_CASE("safetensors: a strided tensor is saved row-major") {
  const TempDir dir;
  const Tensor x = Tensor::from(std::vector<float>{1, 2, 3, 4, 5, 6}, {2, 3});
  save_safetensors(dir.path("file"), {{"x", x.as_strided({3, 2}, {1, 3})}});
  const Tensor y = load_safetensors(dir.path("file")).at("x");
  CHECK(y.shape() == Shape{3, 2});
  CHECK(same_bits(y.to_vector<float>(), std::vector<float>{1, 4, 2, 5, 3, 6}));
}

TEST_CASE("safetensors: files of other writers are read: any order, unaligned, empty tensors") {
  const TempDir dir;
  const std::string header =
      R"({"c":{"shape":[2],"data_offsets":[1,9],"dtype":"F32"},"e":{"dtype":"I64","shape":[4,0],"data_offsets":[1,1]},)"
      R"( "a":{"dtype":"BOOL","shape":[],"data_offsets":[0,1]}, "__metadata__":{}})";
  REQUIRE(header.size() % 4 != 0);
  const auto tensors = load_safetensors(dir.write("file", safetensors_file(header, "\x01" + bytes_of({0.5f, -1.0f}))));
  CHECK(tensors.size() == 3);
  CHECK(tensors.at("a").item<bool>());
  CHECK(same_bits(tensors.at("c").to_vector<float>(), std::vector<float>{0.5f, -1.0f}));
  CHECK(tensors.at("e").shape() == Shape{4, 0});
}

TEST_CASE("safetensors: what cannot be written is refused and leaves no file") {
  const TempDir dir;
  const std::string path = dir.path("file");
  CHECK(contains(error_of([&] {
                   save_safetensors(path, {{"u", Tensor()}});
                 }),
                 {"[save_safetensors]", path, "\"u\" is undefined"}));
  CHECK(contains(error_of([&] { save_safetensors(path, {{"\xff", Tensor::from({1.0f})}}); }), {"not UTF-8"}));
  CHECK(contains(error_of([&] {
                   save_safetensors(path, {{"__metadata__", Tensor::from({1.0f})}});
                 }),
                 {"__metadata__"}));
  CHECK(dir.count() == 0);
}

TEST_CASE("safetensors: a file that is cut off or too long is refused") {
  const TempDir dir;
  save_safetensors(dir.path("good"), every_dtype());
  const std::string good = slurp(dir.path("good"));
  for (std::size_t size = 0; size < good.size(); ++size) {
    const std::string path = dir.write("cut", good.substr(0, size));
    const std::string message = error_of([&] { load_safetensors(path); });
    REQUIRE_MESSAGE(contains(message, {path, "truncated"}), message);
  }
  const std::string longer = dir.write("longer", good + '\0');
  CHECK(contains(error_of([&] { load_safetensors(longer); }), {longer, "bytes follow the last tensor"}));
  CHECK(contains(error_of([&] { load_safetensors_metadata(longer); }),
                 {"[load_safetensors_metadata]", longer, "bytes follow the last tensor"}));
}

TEST_CASE("safetensors: a wrong start is refused") {
  const TempDir dir;
  auto refused = [&](std::string_view contents) {
    const std::string path = dir.write("bad", contents);
    return error_of([&] { load_safetensors(path); });
  };
  CHECK(contains(refused("\x93NUMPY\x01 and so on"), {"not a safetensors file", "length"}));
  CHECK(contains(refused(bytes_of({UINT64_MAX}) + "{}"), {"not a safetensors file", "18446744073709551615"}));
  CHECK(contains(refused(bytes_of({std::uint64_t{(1 << 24) + 1}}) + "{}"), {"2 to 16777216"}));
  CHECK(contains(refused(bytes_of({std::uint64_t{1 << 24}}) + "{}"), {"truncated", "the header"}));
  CHECK(contains(refused(bytes_of({std::uint64_t{0}}) + "{}"), {"got 0"}));
  CHECK(contains(refusal("  {}", ""), {"byte 8 must be '{'"}));
  CHECK(contains(refusal("[]", ""), {"byte 8 must be '{'"}));
}

TEST_CASE("safetensors: a header that is not JSON of the right form is refused") {
  const std::string data = bytes_of({1.0f});
  CHECK(contains(refusal(one_float.substr(0, one_float.size() - 1), data), {"not JSON"}));
  CHECK(contains(refusal(std::string(one_float) + "x", data), {"not JSON"}));
  CHECK(contains(refusal(std::string(one_float) + std::string(8, '\0'), data), {"not JSON"}));
  for (const char* bad : {"\xff", "\xc3", "\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\x80"}) {
    const std::string text(bad);
    CHECK(contains(refusal("{\"" + text + "\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}", data),
                   {"the header is not UTF-8 at byte"}));
    CHECK(contains(refusal("{\"__metadata__\":{\"a\":\"" + text + "\"}}", ""), {"the header is not UTF-8 at byte"}));
  }
  CHECK(contains(refusal(R"({"a":3})", data), {"tensor \"a\": expected an object, got 3"}));
  CHECK(contains(refusal(R"({"a":[{"a":1}]})", data), {"tensor \"a\": expected an object, got a list"}));
  CHECK(contains(refusal(R"({"a":{"dtype":{"a":1}}})", data), {"\"dtype\": expected a string, got an object"}));
  CHECK(contains(refusal(R"({"a":{"dtype":7}})", data), {"\"dtype\": expected a string, got 7"}));
  CHECK(contains(refusal(R"({"a":{"dtype":["F32"]}})", data), {"\"dtype\": expected a string, got a list"}));
  CHECK(contains(refusal(R"({"a":{"shape":4}})", data), {"\"shape\": expected a list of whole numbers, got 4"}));
  CHECK(
      contains(refusal(R"({"a":{"shape":[[4]]}})", data), {"\"shape\": expected a list of whole numbers, got a list"}));
  CHECK(
      contains(refusal(R"({"a":{"shape":["4"]}})", data), {"\"shape\": expected a list of whole numbers, got \"4\""}));
  CHECK(contains(refusal(R"({"a":{"shape":[-4]}})", data), {"got -4"}));
  CHECK(contains(refusal(R"({"a":{"shape":[4.0]}})", data), {"got 4.0"}));
  CHECK(contains(refusal(R"({"a":{"shape":[18446744073709551616]}})", data), {"got 18446744073709551616"}));
  CHECK(contains(refusal(R"({"a":{"shape":[null]}})", data), {"got null"}));
  CHECK(contains(refusal(R"({"a":{"shape":[true]}})", data), {"got true"}));
  CHECK(contains(refusal(R"({"a":{"kind":"F32"}})", data), {"unknown key \"kind\""}));
  CHECK(contains(refusal(R"({"__metadata__":{"a":1}})", ""), {"__metadata__: \"a\": expected a string, got 1"}));
  CHECK(contains(refusal(R"({"__metadata__":"a"})", ""), {"__metadata__: expected an object"}));
  CHECK(contains(refusal(std::string(100000, '['), ""), {"byte 8"}));
  CHECK(contains(refusal("{\"a\":" + std::string(100000, '['), ""), {"expected an object, got a list"}));
}

TEST_CASE("safetensors: missing and repeated keys are refused") {
  const std::string data = bytes_of({1.0f, 2.0f});
  CHECK(contains(refusal(R"({"a":{"shape":[1],"data_offsets":[0,4]}})", data), {"tensor \"a\": no \"dtype\""}));
  CHECK(contains(refusal(R"({"a":{"dtype":"F32","data_offsets":[0,4]}})", data), {"tensor \"a\": no \"shape\""}));
  CHECK(contains(refusal(R"({"a":{"dtype":"F32","shape":[1]}})", data), {"\"data_offsets\" must be two numbers"}));
  CHECK(contains(refusal(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[4]}})", data),
                 {"\"data_offsets\" must be two"}));
  CHECK(
      contains(refusal(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4,8]}})", data), {"more than 2 numbers"}));
  CHECK(contains(refusal(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4],"dtype":"F32"}})", data),
                 {"\"dtype\" comes twice"}));
  CHECK(contains(refusal(R"({"a":{"shape":[],"shape":[1]}})", data), {"\"shape\" comes twice"}));
  CHECK(contains(
      refusal(
          R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})",
          data),
      {"tensor \"a\": comes twice"}));
  CHECK(contains(refusal(R"({"__metadata__":{"a":"1","a":"2"}})", ""), {"__metadata__: key \"a\" comes twice"}));
  CHECK(contains(refusal(R"({"__metadata__":{},"__metadata__":{}})", ""), {"__metadata__: comes twice"}));
  CHECK(contains(refusal(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},)"
                         R"("\u0061":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})",
                         data),
                 {"tensor \"a\": comes twice"}));
}

TEST_CASE("safetensors: dtypes that a Tensor does not have are named") {
  CHECK(contains(refusal(R"({"a":{"dtype":"F16","shape":[1],"data_offsets":[0,2]}})", "12"),
                 {"tensor \"a\"", "\"F16\" is not supported", "F32"}));
  CHECK(contains(refusal(R"({"a":{"dtype":"BF16","shape":[1],"data_offsets":[0,2]}})", "12"),
                 {"\"BF16\" is not supported", "convert"}));
  for (const char* other : {"I8", "U16", "F8_E4M3", "C64", ""})
    CHECK(
        contains(refusal("{\"a\":{\"dtype\":\"" + std::string(other) + "\",\"shape\":[0],\"data_offsets\":[0,0]}}", ""),
                 {"\"" + std::string(other) + "\" is not supported"}));
  CHECK(contains(refusal(R"({"a":{"dtype":"f32","shape":[1],"data_offsets":[0,4]}})", "1234"),
                 {"\"f32\" is not supported"}));
}

TEST_CASE("safetensors: shapes and offsets that do not fit the data are refused, whatever they claim") {
  const std::string data = bytes_of({1.0f, 2.0f});
  auto one = [&](std::string_view shape, std::string_view offsets) {
    return refusal("{\"a\":{\"dtype\":\"F32\",\"shape\":[" + std::string(shape) + "],\"data_offsets\":[" +
                       std::string(offsets) + "]}}",
                   data);
  };
  CHECK(contains(one("3", "0,8"), {"tensor \"a\"", "[0, 8] do not fit F32 of shape (3,), which takes 12 bytes"}));
  CHECK(contains(one("2", "8,0"), {"[8, 0] do not fit"}));
  CHECK(contains(one("2", "0,7"), {"[0, 7] do not fit"}));
  CHECK(contains(one("4611686018427387904,4", "0,8"), {"too large"}));
  CHECK(contains(one("18446744073709551615", "0,8"), {"too large"}));
  CHECK(contains(one("4294967296,4294967296", "0,0"), {"too large"}));
  CHECK(contains(one("4611686018427387904,4611686018427387904,0", "0,0"), {"too large"}));
  CHECK(contains(one("1,1,1,1,1,1,1,1,2", "0,8"), {"\"shape\" has more than 8 numbers"}));
  CHECK(contains(one("1099511627776", "0,4398046511104"), {"truncated", "4398046511104"}));
  CHECK(contains(one("2", "18446744073709551612,4"), {"do not fit"}));
  CHECK(contains(one("1", "0,4"), {"bytes follow the last tensor"}));
  CHECK(contains(one("1", "4,8"), {"leave a gap, expected to begin at 0"}));
  CHECK(contains(one("2", "8,16"), {"leave a gap"}));

  auto two = [&](std::string_view first, std::string_view second) {
    const std::string middle = "{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[";
    return refusal("{\"a\":" + middle + std::string(first) + "]},\"b\":" + middle + std::string(second) + "]}}", data);
  };
  CHECK(contains(two("0,4", "0,4"), {"tensor \"b\"", "overlap tensor \"a\", which ends at 4"}));
  CHECK(contains(two("0,4", "2,6"), {"tensor \"b\"", "overlap"}));
  CHECK(contains(two("4,8", "3,7"), {"leave a gap"}));
  CHECK(contains(two("0,4", "8,12"), {"tensor \"b\"", "leave a gap, expected to begin at 4"}));
}

TEST_CASE("safetensors: a boolean that is neither 0 nor 1 is refused") {
  CHECK(contains(refusal(R"({"a":{"dtype":"BOOL","shape":[3],"data_offsets":[0,3]}})", std::string("\0\1\2", 3)),
                 {"tensor \"a\"", "element 2 is 2"}));
}

TEST_CASE("safetensors: a damaged file is refused or read, nothing else") {
  const TempDir dir;
  save_safetensors(dir.path("good"), every_dtype(), {{"key", "value"}});
  const std::string good = slurp(dir.path("good"));
  int refused = 0;
  for (std::uint64_t i = 0; i < 2000; ++i) {
    const std::string path = dir.write("bad", damaged(good, i));
    CAPTURE(i);
    REQUIRE_NOTHROW(refused += error_of([&] { load_safetensors(path); }) != "(no error)");
  }
  CHECK(refused > 1000);  // most of the file is header
  CHECK(refused < 2000);
}
