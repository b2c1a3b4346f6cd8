#include <doctest/doctest.h>

#include "ff/core/io/image.h"
#include "ff/core/io/safetensors.h"

#include "tests/support/compare.h"
#include "tests/support/errors.h"
#include "tests/support/files.h"

using namespace ff;
using namespace ff::test;

namespace {

// Files by name, and what Pillow reads in them; tools/golden/images.py wrote it.
const TensorMap& golden() {
  static const TensorMap map = load_safetensors(FF_SOURCE_DIR "/tests/golden/images.safetensors");
  return map;
}

std::vector<std::string> golden_files(std::string_view kind) {
  std::vector<std::string> names;
  for (const auto& [name, tensor] : golden())
    if (name.starts_with("file/" + std::string(kind))) names.push_back(name.substr(5));
  return names;
}

std::string golden_file(const std::string& name) {
  const auto bytes = golden().at("file/" + name).to_vector<std::uint8_t>();
  return {bytes.begin(), bytes.end()};
}

Image decode(std::string_view bytes, std::int64_t channels = 3) {
  return decode_image({reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()}, "the image", channels);
}

std::string refusal(std::string_view bytes) {
  const std::string message = error_of([&] { decode(bytes); });
  CHECK_MESSAGE(contains(message, {"[image] the image: "}), message);
  return message;
}

// Its width and height in a header that says so.
std::string with_size(std::string file, std::size_t at, std::string_view size) {
  return file.replace(at, size.size(), size);
}

}  // namespace

TEST_CASE("image: JPEG and PNG of every kind give Pillow's pixels") {
  const auto jpegs = golden_files("jpeg_"), pngs = golden_files("png_");
  CHECK(jpegs.size() >= 6);
  CHECK(pngs.size() >= 15);
  for (const auto* names : {&jpegs, &pngs})
    for (const std::string& name : *names)
      for (const std::int64_t channels : {1, 3}) {
        INFO(name << " in " << channels << " channels");
        const Tensor want = golden().at((channels == 1 ? "grey/" : "rgb/") + name);
        const Image image = decode(golden_file(name), channels);
        CHECK(image.channels == channels);
        CHECK(image.height == want.size(0));
        CHECK(image.width == want.size(1));
        const auto d = largest_difference(image.pixels, want.to_vector<std::uint8_t>(), want.shape());
        CHECK_MESSAGE(d.absolute == 0, d.str());
      }
}

TEST_CASE("image: a file is read by what is in it, and told of by its path") {
  const TempDir dir;
  const std::string path = dir.write("cat.png", golden_file("jpeg_444"));
  CHECK(read_image(path).pixels == decode(golden_file("jpeg_444")).pixels);
  const std::string text = dir.write("cat.jpeg", "no image");
  check_says(error_of([&] { read_image(text); }), "[image] " + text + ": neither a JPEG nor a PNG");
  check_says(error_of([&] { read_image(text); }), "it begins with 6e 6f 20 69");
  check_says(error_of([&] { read_image(dir.write("empty", "")); }), "it is empty");
  check_says(error_of([&] { read_image(dir.path("none.jpeg")); }), "none.jpeg: cannot be opened");
  check_says(error_of([&] { read_image(path, 4); }), "an image has 1 or 3 channels, 4 were asked for");
}

TEST_CASE("image: a file that is cut off anywhere is refused") {
  for (const char* name : {"jpeg_420", "jpeg_progressive", "jpeg_cmyk", "png_rgba", "png_palette_transparent"}) {
    INFO(name);
    const std::string file = golden_file(name);
    for (std::size_t size = 0; size < file.size(); ++size) {
      CAPTURE(size);
      refusal(std::string_view(file).substr(0, size));
    }
  }
}

TEST_CASE("image: a JPEG whose pixels are lost is refused, one with bytes too many is read") {
  const std::string file = golden_file("jpeg_444"), end = "\xff\xd9", pixels = file.substr(0, file.size() - 2);
  REQUIRE(file.ends_with(end));
  CHECK(decode(pixels + "odd" + end).pixels == decode(file).pixels);
  CHECK(decode(file + "more").pixels == decode(file).pixels);
  CHECK(contains(refusal(pixels.substr(0, pixels.size() - 60) + end), {"premature end of data segment"}));
}

TEST_CASE("image: sizes that are absurd, or that the file cannot hold, cost nothing") {
  const std::string png = golden_file("png_rgb"), jpeg = golden_file("jpeg_444");
  const std::size_t frame = jpeg.find("\xff\xc0");  // marker, length, precision, height, width
  REQUIRE(frame != std::string::npos);
  const std::string most("\xff\xdc\xff\xdc", 4), large("\x20\x00\x20\x00", 4), none("\0\0\0\5", 4);
  CHECK(contains(refusal(with_size(jpeg, frame + 5, most)), {"65500 x 65500 pixels", "may have"}));
  CHECK(contains(refusal(with_size(jpeg, frame + 5, large)), {"cannot hold 8192 x 8192"}));
  refusal(with_size(jpeg, frame + 5, none));

  // The size of a PNG is covered by a checksum; these are whole files.
  auto with_checksum = [&](std::string_view size) {
    std::string file = with_size(png, 16, size);
    std::uint32_t crc = 0xffffffff;
    for (std::size_t i = 12; i < 29; ++i) {
      crc ^= static_cast<std::uint8_t>(file[i]);
      for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
    }
    return with_size(file, 29, bytes_of({~crc}, std::endian::big));
  };
  CHECK(contains(refusal(with_checksum(bytes_of<std::uint32_t>({1 << 19, 1 << 19}, std::endian::big))), {"may have"}));
  CHECK(contains(refusal(with_checksum(bytes_of<std::uint32_t>({8192, 8192}, std::endian::big))), {"cannot hold"}));
  refusal(with_checksum(bytes_of<std::uint32_t>({0, 8}, std::endian::big)));
  refusal(with_checksum(bytes_of<std::uint32_t>({0x7fffffff, 0x7fffffff}, std::endian::big)));
}

TEST_CASE("image: a damaged file is refused or read, nothing else") {
  for (const std::string& kind : {std::string("jpeg_"), std::string("png_")}) {
    int refused = 0, tried = 0;
    for (const std::string& name : golden_files(kind)) {
      INFO(name);
      const std::string file = golden_file(name);
      for (std::uint64_t i = 0; i < 300; ++i, ++tried) {
        CAPTURE(i);
        REQUIRE_NOTHROW(refused += error_of([&] { decode(damaged(file, i)); }) != "(no error)");
      }
    }
    CHECK(refused > tried / 3);
    CHECK(refused < tried);
  }
}

TEST_CASE("image: what is written as PNG is read again") {
  const TempDir dir;
  for (const std::int64_t channels : {1, 3}) {
    const Image image = decode(golden_file("jpeg_444"), channels);
    write_png(dir.path("image.png"), image);
    const Image again = read_image(dir.path("image.png"), channels);
    CHECK(again.width == image.width);
    CHECK(again.pixels == image.pixels);
  }
  CHECK(dir.count() == 1);
  check_says(error_of([&] { write_png(dir.path("image.png"), Image::black(2, 2, 4)); }), "1 or 3 channels, got 4");
  check_says(error_of([&] { write_png(dir.path("image.png"), {2, 2, 1, {1, 2, 3}}); }), "3 bytes for 2 x 2 pixels");
  check_says(error_of([&] { write_png(dir.path("image.png"), {}); }), "1 or 3 channels, got 0");
}

TEST_CASE("image: grey becomes colour, and colour grey") {
  const Image colours{1, 4, 3, {255, 0, 0, 0, 255, 0, 0, 0, 255, 9, 9, 9}};
  CHECK(with_channels(colours, 1).pixels == Pixels{76, 150, 29, 9});
  CHECK(with_channels({1, 2, 1, {7, 8}}, 3).pixels == Pixels{7, 7, 7, 8, 8, 8});
  CHECK(with_channels(colours, 3).pixels == colours.pixels);
  check_says(error_of([&] { with_channels(colours, 2); }), "1 or 3 channels");
}
