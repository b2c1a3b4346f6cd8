#include "ff/models/language/pretokens.h"

#include <algorithm>
#include <array>
#include <cstddef>

#include <utf8proc.h>

namespace ff::models {
namespace {

enum class CharKind { letter, number, space, other };

struct Char {
  CharKind kind;
  std::size_t bytes;
};

// Unicode's property White_Space, which utf8proc does not tell.
bool is_white_space(utf8proc_int32_t c) {
  constexpr std::array<utf8proc_int32_t, 9> single{0x20, 0x85, 0xa0, 0x1680, 0x2028, 0x2029, 0x202f, 0x205f, 0x3000};
  return (c >= 0x09 && c <= 0x0d) || (c >= 0x2000 && c <= 0x200a) ||
         std::find(single.begin(), single.end(), c) != single.end();
}

CharKind kind_of(utf8proc_int32_t c) {
  if (is_white_space(c)) return CharKind::space;
  switch (utf8proc_category(c)) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_LO:
      return CharKind::letter;
    case UTF8PROC_CATEGORY_ND:
    case UTF8PROC_CATEGORY_NL:
    case UTF8PROC_CATEGORY_NO:
      return CharKind::number;
    default:
      return CharKind::other;
  }
}

Char char_at(std::string_view text, std::size_t at) {
  static const auto ascii = [] {
    std::array<CharKind, 128> kinds{};
    for (std::size_t c = 0; c < kinds.size(); ++c) kinds[c] = kind_of(static_cast<utf8proc_int32_t>(c));
    return kinds;
  }();
  const auto* first = reinterpret_cast<const utf8proc_uint8_t*>(text.data()) + at;
  if (*first < ascii.size()) return {ascii[*first], 1};
  utf8proc_int32_t c = -1;
  const auto left = static_cast<utf8proc_ssize_t>(std::min<std::size_t>(text.size() - at, 4));
  const utf8proc_ssize_t bytes = utf8proc_iterate(first, left, &c);
  if (bytes <= 0) return {CharKind::other, 1};
  return {kind_of(c), static_cast<std::size_t>(bytes)};
}

std::size_t pretoken_end(std::string_view text, std::size_t begin) {
  if (text[begin] == '\'')
    for (const std::string_view ending : {"s", "t", "re", "ve", "m", "ll", "d"})
      if (text.substr(begin + 1).starts_with(ending)) return begin + 1 + ending.size();
  std::size_t end = begin + (text[begin] == ' ' ? 1 : 0);
  const CharKind kind = end < text.size() ? char_at(text, end).kind : CharKind::space;
  if (kind == CharKind::space) end = begin;
  std::size_t last = end;  // where the last character begins
  for (Char c{}; end < text.size() && (c = char_at(text, end)).kind == kind; end += c.bytes) last = end;
  const bool leaves_last = kind == CharKind::space && end < text.size() && last > begin;
  return leaves_last ? last : end;
}

}  // namespace

void for_each_pretoken(std::string_view text, const std::function<void(std::string_view)>& use) {
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = pretoken_end(text, begin);
    use(text.substr(begin, end - begin));
    begin = end;
  }
}

}  // namespace ff::models
