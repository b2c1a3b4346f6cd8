#include "ff/models/language/text_parts.h"

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "ff/core/check.h"
#include "ff/core/io/file.h"

namespace ff::models {
namespace {

constexpr const char* op = "load_corpus";
constexpr std::size_t piece_size = 1 << 20;

std::string file_of(const std::string& folder, const std::string& part) {
  for (const std::string& name : {part + ".txt", "wiki." + part + ".tokens"})
    if (std::string path = folder + "/" + name; std::filesystem::exists(path)) return path;
  fail(op, "{}: neither {}.txt nor wiki.{}.tokens is there", folder, part, part);
}

// Reads on to byte `at`, or to the end.
void skip(io::InputFile& file, std::uint64_t at, std::string& buffer) {
  buffer.resize(piece_size);
  while (file.position() < at)
    if (file.read_some(buffer.data(), std::min<std::uint64_t>(piece_size, at - file.position())) == 0) return;
}

std::uint64_t length_of(const std::string& path) {
  io::InputFile file(path, op);
  if (!file.is_gzip()) return file.disk_size();
  std::string buffer;
  skip(file, UINT64_MAX, buffer);
  return file.position();
}

// Where the first line begins at `at` or behind it; the end of the text where none does.
std::uint64_t line_begin(const std::string& path, std::uint64_t at) {
  if (at == 0) return 0;
  io::InputFile file(path, op);
  std::string buffer;
  skip(file, at - 1, buffer);
  for (;;) {
    const std::uint64_t before = file.position(), n = file.read_some(buffer.data(), piece_size);
    const auto line_end = std::string_view(buffer).substr(0, n).find('\n');
    if (line_end != std::string_view::npos) return before + line_end + 1;
    if (n == 0) return before;
  }
}

bool is_white_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
// Whether a character that ends with this byte is no white space, Unicode's included (see pretokens.h).
bool ends_no_space(char c) {
  const auto byte = static_cast<unsigned char>(c);
  if (byte < 0x80) return byte > ' ' && byte <= '~';
  return byte > 0x8a && byte != 0x9f && byte != 0xa0 && byte != 0xa8 && byte != 0xa9 && byte != 0xaf;
}

// Where the last white space begins that may be cut in front of; 0 where there is none.
std::size_t last_cut(std::string_view text) {
  for (std::size_t i = text.size(); i-- > 1;)
    if (is_white_space(text[i]) && ends_no_space(text[i - 1])) return i;
  return 0;
}

}  // namespace

std::vector<TextPart> TextParts::all() const {
  std::vector<TextPart> list{train, held_out};
  if (test) list.push_back(*test);
  return list;
}

TextParts text_parts(const LanguageDataConfig& data, TokenKind kind) {
  TextParts parts;
  if (std::filesystem::is_directory(data.path)) {
    parts.train.path = file_of(data.path, "train");
    parts.held_out.path = file_of(data.path, "valid");
    parts.test.emplace().path = file_of(data.path, "test");
    return parts;
  }
  parts.train.path = data.path;
  parts.held_out.path = data.held_out_path.empty() ? data.path : data.held_out_path;
  if (!data.held_out_path.empty()) return parts;
  const std::uint64_t length = length_of(data.path);
  std::uint64_t cut = length - static_cast<std::uint64_t>(static_cast<double>(length) * data.held_out_fraction);
  if (kind != TokenKind::bytes) cut = line_begin(data.path, cut);
  parts.train.end = parts.held_out.begin = cut;
  return parts;
}

void for_each_piece(const TextPart& part, const std::function<void(std::string_view)>& use, std::string_view doing,
                    const LoadListener& listener) {
  io::InputFile file(part.path, op);
  std::string text;
  skip(file, part.begin, text);
  text.clear();
  for (std::uint64_t wanted = piece_size;;) {
    const std::size_t had = text.size();
    const std::uint64_t left = part.end - std::min(part.end, file.position());
    text.resize(wanted);
    const std::uint64_t room = std::min<std::uint64_t>(wanted - had, left), n = file.read_some(text.data() + had, room);
    text.resize(had + n);
    const bool ended = n < room || room == left;
    const std::size_t cut = ended ? text.size() : last_cut(text);
    if (cut > 0) use(std::string_view(text).substr(0, cut));
    text.erase(0, cut);
    if (listener)
      listener(doing, ended ? 1 : static_cast<double>(file.disk_position()) / static_cast<double>(file.disk_size()));
    if (ended) return;
    wanted = cut > 0 ? text.size() + piece_size : 2 * text.size();
  }
}

void TextSize::count(std::string_view piece) {
  bytes += static_cast<std::int64_t>(piece.size());
  bool inside = false;
  for (const char c : piece) {
    characters += (static_cast<unsigned char>(c) & 0xc0) != 0x80;
    const bool white = is_white_space(c);
    words += (!white && !inside) || c == '\n';
    inside = !white;
  }
}

}  // namespace ff::models
