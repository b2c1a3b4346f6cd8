#include "ff/models/language/byte_alphabet.h"

namespace ff::models {
namespace {

constexpr int printed = 94 + 12 + 82;  // that Latin-1 prints

constexpr bool is_printed(int byte) {
  return (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
}

// Code points by byte, all below 0x200: in UTF-8 one byte or two.
const std::array<int, 256>& code_points() {
  static const auto all = [] {
    std::array<int, 256> points{};
    for (int place = 0; place < 256; ++place) {
      const unsigned char byte = byte_order()[static_cast<std::size_t>(place)];
      points[byte] = place < printed ? byte : 0x100 + place - printed;
    }
    return points;
  }();
  return all;
}

}  // namespace

const std::array<unsigned char, 256>& byte_order() {
  static const auto order = [] {
    std::array<unsigned char, 256> bytes{};
    std::size_t n = 0;
    for (const bool wanted : {true, false})
      for (int byte = 0; byte < 256; ++byte)
        if (is_printed(byte) == wanted) bytes[n++] = static_cast<unsigned char>(byte);
    return bytes;
  }();
  return order;
}

std::string shown_bytes(std::string_view bytes) {
  std::string text;
  for (const char c : bytes) {
    const int point = code_points()[static_cast<unsigned char>(c)];
    if (point < 0x80) {
      text += static_cast<char>(point);
    } else {
      text += static_cast<char>(0xc0 | point >> 6);
      text += static_cast<char>(0x80 | (point & 0x3f));
    }
  }
  return text;
}

std::optional<std::string> bytes_shown(std::string_view text) {
  static const auto bytes = [] {
    std::array<int, 0x200> all{};
    all.fill(-1);
    for (int byte = 0; byte < 256; ++byte)
      all[static_cast<std::size_t>(code_points()[static_cast<std::size_t>(byte)])] = byte;
    return all;
  }();
  std::string shown;
  for (std::size_t i = 0; i < text.size(); ++i) {
    unsigned point = static_cast<unsigned char>(text[i]);
    if (point >= 0x80) {
      if (point < 0xc2 || point > 0xc7 || ++i == text.size()) return std::nullopt;
      const unsigned low = static_cast<unsigned char>(text[i]);
      if (low >> 6 != 2) return std::nullopt;
      point = (point & 0x1f) << 6 | (low & 0x3f);
    }
    if (bytes[point] < 0) return std::nullopt;
    shown += static_cast<char>(bytes[point]);
  }
  return shown;
}

}  // namespace ff::models
