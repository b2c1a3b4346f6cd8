#include <csetjmp>
#include <cstring>

#include <png.h>

#include "ff/core/check.h"
#include "ff/core/io/file.h"
#include "ff/core/io/image_codecs.h"

namespace ff::io {
namespace {

// A decoder whose functions return false where libpng reports an error. They hold nothing that wants destroying, as
// longjmp() passes it by.
class Decoder {
 public:
  explicit Decoder(std::span<const std::uint8_t> bytes) : left_(bytes) {
    png_ = png_create_read_struct(PNG_LIBPNG_VER_STRING, this, leave, [](png_structp, png_const_charp) {});
    info_ = png_ ? png_create_info_struct(png_) : nullptr;
    if (!info_) png_destroy_read_struct(&png_, nullptr, nullptr);
    internal_check(info_ != nullptr, "libpng cannot be used");
  }
  ~Decoder() { png_destroy_read_struct(&png_, &info_, nullptr); }
  Decoder(const Decoder&) = delete;
  Decoder& operator=(const Decoder&) = delete;

  bool open() {
    if (setjmp(png_jmpbuf(png_)) != 0) return false;
    png_set_read_fn(png_, this, take);
    png_read_info(png_, info_);
    return true;
  }

  // Whatever there is, as bytes of grey, or of red, green and blue.
  bool start(std::int64_t channels) {
    if (setjmp(png_jmpbuf(png_)) != 0) return false;
    png_set_expand(png_);
    png_set_strip_16(png_);
    png_set_strip_alpha(png_);
    if (channels == 3) png_set_gray_to_rgb(png_);
    passes_ = png_set_interlace_handling(png_);
    png_read_update_info(png_, info_);
    return true;
  }

  // All rows, of row_bytes() each.
  bool read(std::uint8_t* pixels) {
    if (setjmp(png_jmpbuf(png_)) != 0) return false;
    for (int pass = 0; pass < passes_; ++pass)
      for (png_uint_32 y = 0; y < height(); ++y) png_read_row(png_, pixels + y * row_bytes(), nullptr);
    png_read_end(png_, nullptr);
    return true;
  }

  png_uint_32 width() const { return png_get_image_width(png_, info_); }
  png_uint_32 height() const { return png_get_image_height(png_, info_); }
  int channels() const { return png_get_channels(png_, info_); }
  int pixel_bits() const { return channels() * png_get_bit_depth(png_, info_); }
  std::size_t row_bytes() const { return png_get_rowbytes(png_, info_); }
  const char* message() const { return message_; }

 private:
  // libpng's way of reporting an error is not to return.
  [[noreturn]] static void leave(png_structp png, png_const_charp message) {
    auto* self = static_cast<Decoder*>(png_get_error_ptr(png));
    std::strncpy(self->message_, message, sizeof self->message_ - 1);
    png_longjmp(png, 1);
  }

  static void take(png_structp png, png_bytep to, std::size_t bytes) {
    auto& left = static_cast<Decoder*>(png_get_io_ptr(png))->left_;
    if (bytes > left.size()) png_error(png, "truncated");
    std::memcpy(to, left.data(), bytes);
    left = left.subspan(bytes);
  }

  std::span<const std::uint8_t> left_;
  png_structp png_ = nullptr;
  png_infop info_ = nullptr;
  int passes_ = 1;
  char message_[200] = "";
};

}  // namespace

Image decode_png(std::span<const std::uint8_t> bytes, const std::string& name, std::int64_t channels) {
  Decoder decoder(bytes);
  auto check_decoder = [&](bool ok) {
    check(ok, "image", "{}: not a PNG as it should be: {}", name, decoder.message());
  };
  check_decoder(decoder.open());
  check_image_size(decoder.width(), decoder.height(), deflate_ratio * 8.0 / decoder.pixel_bits(), bytes.size(), name);
  check_decoder(decoder.start(channels));
  Image image = Image::black(decoder.height(), decoder.width(), decoder.channels());
  check_decoder(decoder.read(image.pixels.data()));
  return image;
}

}  // namespace ff::io

namespace ff {

void write_png(const std::string& path, const Image& image) {
  check(image.channels == 1 || image.channels == 3, "write_png", "{}: an image has 1 or 3 channels, got {}", path,
        image.channels);
  check(image.height > 0 && image.width > 0 && image.width <= most_image_pixels / image.height &&
            image.pixels.size() == static_cast<std::size_t>(image.height * image.row_bytes()),
        "write_png", "{}: {} bytes for {} x {} pixels of {} channels", path, image.pixels.size(), image.width,
        image.height, image.channels);
  png_image png{};
  png.version = PNG_IMAGE_VERSION;
  png.width = static_cast<png_uint_32>(image.width);
  png.height = static_cast<png_uint_32>(image.height);
  png.format = image.channels == 1 ? PNG_FORMAT_GRAY : PNG_FORMAT_RGB;
  std::vector<char> file(PNG_IMAGE_PNG_SIZE_MAX(png));
  png_alloc_size_t bytes = file.size();
  const int ok = png_image_write_to_memory(&png, file.data(), &bytes, 0, image.pixels.data(), 0, nullptr);
  check(ok != 0, "write_png", "{}: {}", path, png.message);
  io::OutputFile out(path, "write_png");
  out.write(file.data(), bytes);
  out.commit();
}

}  // namespace ff
