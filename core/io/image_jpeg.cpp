#include <algorithm>
#include <csetjmp>
#include <cstdio>  // jpeglib.h needs FILE

#include <jerror.h>
#include <jpeglib.h>

#include "ff/core/check.h"
#include "ff/core/io/image_codecs.h"

namespace ff::io {
namespace {

// Every block of 8 x 8 pixels takes a Huffman code of a bit or more. Arithmetic coding can do with less, of images of
// hardly more than one colour.
constexpr double pixels_per_byte = 8 * 64;

struct Errors {
  jpeg_error_mgr manager{};
  std::jmp_buf leave{};
  char message[JMSG_LENGTH_MAX] = "";
};

// libjpeg's way of reporting an error is not to return.
[[noreturn]] void leave(j_common_ptr info) {
  auto* errors = reinterpret_cast<Errors*>(info->err);
  info->err->format_message(info, errors->message);
  std::longjmp(errors->leave, 1);
}

// libjpeg warns and goes on with pixels that it made up where some are lost. Other oddities are harmless.
void refuse_lost_pixels(j_common_ptr info, int level) {
  if (level >= 0) return;  // traces
  switch (info->err->msg_code) {
    case JWRN_ADOBE_XFORM:
    case JWRN_EXTRANEOUS_DATA:
    case JWRN_JFIF_MAJOR:
    case JWRN_NOT_SEQUENTIAL:
      break;
    default:
      leave(info);
  }
}

// A decoder whose functions return false where libjpeg reports an error. They hold nothing that wants destroying, as
// longjmp() passes it by.
class Decoder {
 public:
  Decoder() {
    info_.err = jpeg_std_error(&errors_.manager);
    errors_.manager.error_exit = leave;
    errors_.manager.emit_message = refuse_lost_pixels;
    errors_.manager.output_message = [](j_common_ptr) {};
  }
  ~Decoder() { jpeg_destroy_decompress(&info_); }
  Decoder(const Decoder&) = delete;
  Decoder& operator=(const Decoder&) = delete;

  // The header, and how pixels are to come: grey images in as many channels as asked for, CMYK in 4, others in 3.
  bool open(std::span<const std::uint8_t> bytes, std::int64_t channels) {
    if (setjmp(errors_.leave) != 0) return false;
    jpeg_create_decompress(&info_);
    jpeg_mem_src(&info_, bytes.data(), bytes.size());
    jpeg_read_header(&info_, TRUE);
    const bool four = info_.jpeg_color_space == JCS_CMYK || info_.jpeg_color_space == JCS_YCCK;
    const bool grey = info_.jpeg_color_space == JCS_GRAYSCALE && channels == 1;
    info_.out_color_space = four ? JCS_CMYK : grey ? JCS_GRAYSCALE : JCS_RGB;
    return true;
  }

  bool start() {
    if (setjmp(errors_.leave) != 0) return false;
    jpeg_start_decompress(&info_);
    return true;
  }

  // All rows, of row_bytes each.
  bool read(std::uint8_t* pixels, std::size_t row_bytes) {
    if (setjmp(errors_.leave) != 0) return false;
    while (info_.output_scanline < info_.output_height) {
      JSAMPROW row = pixels + row_bytes * info_.output_scanline;
      jpeg_read_scanlines(&info_, &row, 1);
    }
    jpeg_finish_decompress(&info_);
    return true;
  }

  const jpeg_decompress_struct& info() const { return info_; }
  const char* message() const { return errors_.message; }

 private:
  jpeg_decompress_struct info_{};
  Errors errors_;
};

// Of Adobe's CMYK, where 255 is no ink, in Pillow's rounding.
Image rgb_of_cmyk(const Image& cmyk) {
  Image rgb = Image::black(cmyk.height, cmyk.width, 3);
  const std::uint8_t* from = cmyk.pixels.data();
  std::uint8_t* to = rgb.pixels.data();
  for (std::int64_t i = 0; i < cmyk.height * cmyk.width; ++i, from += 4, to += 3)
    for (int c = 0; c < 3; ++c) {
      const int ink = (255 - from[c]) * from[3] + 128;
      to[c] = static_cast<std::uint8_t>(std::max(from[3] - (((ink >> 8) + ink) >> 8), 0));
    }
  return rgb;
}

}  // namespace

Image decode_jpeg(std::span<const std::uint8_t> bytes, const std::string& name, std::int64_t channels) {
  Decoder decoder;
  auto check_decoder = [&](bool ok) {
    check(ok, "image", "{}: not a JPEG as it should be: {}", name, decoder.message());
  };
  check_decoder(decoder.open(bytes, channels));
  const auto& info = decoder.info();
  check_image_size(info.image_width, info.image_height, pixels_per_byte, bytes.size(), name);
  check_decoder(decoder.start());
  Image image = Image::black(info.output_height, info.output_width, info.output_components);
  check_decoder(decoder.read(image.pixels.data(), static_cast<std::size_t>(image.row_bytes())));
  return image.channels == 4 ? rgb_of_cmyk(image) : image;
}

}  // namespace ff::io
