#include "ff/core/io/npy.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>

#include "ff/core/check.h"
#include "ff/core/io/tensor_data.h"

namespace ff {
namespace {

constexpr std::string_view magic = "\x93NUMPY";
constexpr std::uint64_t largest_header = 1 << 16;  // bytes; an array of 8 dimensions needs about 200

struct TypeCode {
  DType dtype;
  std::string_view code;  // after the byte order
};
constexpr std::array<TypeCode, 6> type_codes{
    {{f32, "f4"}, {f64, "f8"}, {i32, "i4"}, {i64, "i8"}, {u8, "u1"}, {boolean, "b1"}}};

struct Header {
  std::optional<std::string> descr;
  std::optional<bool> fortran_order;
  std::optional<std::vector<std::uint64_t>> shape;
};

// Reads the header, a Python dictionary such as {'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }.
class HeaderParser {
 public:
  HeaderParser(const io::InputFile& file, std::string_view text) : file_(file), text_(text) {}

  Header parse() {
    expect('{');
    while (!accept('}')) {
      const std::string key = string("a key");
      expect(':');
      value(key);
      if (!accept(',')) {
        expect('}');
        break;
      }
    }
    skip_space();
    if (at_ != text_.size()) complain("nothing after the closing brace");
    check(header_.descr && header_.fortran_order && header_.shape, file_.op(),
          "{}: the header needs the keys descr, fortran_order and shape", file_.path());
    return std::move(header_);
  }

 private:
  [[noreturn]] void complain(std::string_view expected) const {
    fail(file_.op(), "{}: header: expected {} at byte {} of it", file_.path(), expected, at_);
  }

  void skip_space() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\t')) ++at_;
  }

  bool accept(char c) {
    skip_space();
    if (at_ == text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }

  void expect(char c) {
    if (!accept(c)) complain(fmt::format("'{}'", c));
  }

  std::string string(std::string_view what) {
    skip_space();
    if (at_ == text_.size() || (text_[at_] != '\'' && text_[at_] != '"')) complain(what);
    const std::size_t end = text_.find(text_[at_], at_ + 1);
    if (end == std::string_view::npos) complain("the end of a string");
    const std::string_view content = text_.substr(at_ + 1, end - at_ - 1);
    at_ = end + 1;
    return std::string(content);
  }

  void value(const std::string& key) {
    if (key == "descr" && !header_.descr) {
      header_.descr = string("a string, the type (structured types are not supported),");
    } else if (key == "fortran_order" && !header_.fortran_order) {
      header_.fortran_order = flag();
    } else if (key == "shape" && !header_.shape) {
      header_.shape = sizes();
    } else {
      fail(file_.op(), "{}: header: key \"{}\" is unknown or comes twice, expected descr, fortran_order and shape",
           file_.path(), key.substr(0, 40));
    }
  }

  bool flag() {
    skip_space();
    for (const bool value : {false, true}) {
      const std::string_view word = value ? "True" : "False";
      if (text_.substr(at_, word.size()) != word) continue;
      at_ += word.size();
      return value;
    }
    complain("True or False");
  }

  std::vector<std::uint64_t> sizes() {
    std::vector<std::uint64_t> sizes;
    expect('(');
    while (!accept(')')) {
      sizes.push_back(number());
      if (!accept(',')) {
        expect(')');
        break;
      }
    }
    return sizes;
  }

  std::uint64_t number() {
    skip_space();
    const std::size_t begin = at_;
    std::uint64_t value = 0;
    for (; at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9'; ++at_)
      if (__builtin_mul_overflow(value, std::uint64_t{10}, &value) ||
          __builtin_add_overflow(value, static_cast<std::uint64_t>(text_[at_] - '0'), &value))
        complain("a size below 2^64");
    if (at_ == begin) complain("a size");
    return value;
  }

  const io::InputFile& file_;
  std::string_view text_;
  std::size_t at_ = 0;
  Header header_;
};

Header read_header(io::InputFile& file) {
  std::array<char, 8> start{};
  file.read(start.data(), start.size(), "the magic and version of an .npy file");
  check(std::string_view(start.data(), magic.size()) == magic, file.op(),
        "{}: not an .npy file: it must begin with \"\\x93NUMPY\"", file.path());
  const int major = static_cast<unsigned char>(start[6]), minor = static_cast<unsigned char>(start[7]);
  check(major >= 1 && major <= 3 && minor == 0, file.op(), "{}: .npy version {}.{}, expected 1.0, 2.0 or 3.0",
        file.path(), major, minor);
  std::uint64_t length = 0;  // little-endian, two bytes in version 1, four from then on
  file.read(&length, major == 1 ? 2 : 4, "the length of the header");
  check(length <= largest_header, file.op(), "{}: the header's length must be at most {}, got {}", file.path(),
        largest_header, length);
  std::string text(length, '\0');
  file.read(text.data(), length, "the header");
  return HeaderParser(file, text).parse();
}

DType dtype_of_descr(const io::InputFile& file, std::string_view descr) {
  const bool order = !descr.empty() && std::string_view("<>|=").find(descr[0]) != std::string_view::npos;
  if (order)
    for (const auto& [dtype, code] : type_codes)
      if (descr.substr(1) == code && (descr[0] != '|' || size_of(dtype) == 1)) return dtype;
  fail(file.op(), "{}: descr \"{}\" is not supported, only float32, float64, int32, int64, uint8 and bool are",
       file.path(), descr.substr(0, 40));
}

std::string descr_of(DType dtype) {
  const auto* found =
      std::find_if(type_codes.begin(), type_codes.end(), [&](const TypeCode& t) { return t.dtype == dtype; });
  return (size_of(dtype) == 1 ? "|" : "<") + std::string(found->code);
}

// The tensor that column-major elements, read into a tensor of the reversed shape, stand for.
Tensor from_column_major(const Tensor& reversed) {
  Shape shape = reversed.shape();
  Strides strides = reversed.strides();
  std::reverse(&shape[0], &shape[0] + shape.rank());
  std::reverse(&strides[0], &strides[0] + strides.rank());
  return reversed.as_strided(shape, strides).dense();
}

}  // namespace

void save_npy(const std::string& path, const Tensor& tensor) {
  check(tensor.defined(), "save_npy", "{}: the tensor is undefined", path);
  std::string header = fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': {}, }}", descr_of(tensor.dtype()),
                                   tensor.shape().str());
  const std::size_t before = magic.size() + 4;  // of a header that, with them, is padded to a multiple of 64
  header.resize((before + header.size() + 1 + 63) / 64 * 64 - before - 1, ' ');
  header += '\n';
  const auto length = static_cast<std::uint16_t>(header.size());

  io::OutputFile file(path, "save_npy");
  file.write(magic);
  file.write("\x01\0", 2);
  file.write(&length, sizeof length);
  file.write(header);
  file.write(tensor.dense().raw(), static_cast<std::uint64_t>(tensor.numel()) * size_of(tensor.dtype()));
  file.commit();
}

Tensor load_npy(const std::string& path) {
  io::InputFile file(path, "load_npy", io::InputFile::Format::plain);
  Header header = read_header(file);
  const DType dtype = dtype_of_descr(file, *header.descr);
  if (*header.fortran_order) std::reverse(header.shape->begin(), header.shape->end());
  const Shape shape = io::checked_shape(file, *header.shape, size_of(dtype), "shape");
  const Tensor tensor = io::read_tensor(file, shape, dtype, "the array");
  file.require_end();
  if ((*header.descr)[0] == '>') io::swap_bytes(tensor);
  return *header.fortran_order ? from_column_major(tensor) : tensor;
}

}  // namespace ff
