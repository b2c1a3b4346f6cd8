#include "ff/models/language/token_file.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include <nlohmann/json.hpp>
#include <zlib.h>

#include "ff/core/check.h"
#include "ff/core/io/mapped_file.h"

namespace ff::models {
namespace {

using nlohmann::json;

static_assert(std::endian::native == std::endian::little);

constexpr const char* op = "token_file";
constexpr std::string_view magic = "fftokens";
constexpr std::size_t trailer = sizeof(std::uint64_t) + sizeof(std::uint32_t);

std::uint32_t checksum(std::uint32_t before, std::string_view bytes) {
  return static_cast<std::uint32_t>(crc32_z(before, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
}

template <class T>
std::string_view bytes_of(const T& value) {
  return {reinterpret_cast<const char*>(&value), sizeof value};
}

template <class T>
T value_at(std::string_view bytes, std::size_t at) {
  T value;
  std::memcpy(&value, bytes.data() + at, sizeof value);
  return value;
}

// What is looked at once is let go again: a file may be larger than memory.
template <class Look>
void look_through(const io::MappedFile& file, std::size_t begin, std::size_t end, Look look) {
  constexpr std::size_t piece = 1 << 22;
  for (; begin < end; begin += piece) {
    const std::size_t until = std::min(end, begin + piece);
    look(std::string_view(reinterpret_cast<const char*>(file.data()) + begin, until - begin));
    file.release(begin, until);
  }
}

void check_sum(const io::MappedFile& file, const std::string& path) {
  const std::string_view bytes(reinterpret_cast<const char*>(file.data()), file.size());
  check(bytes.size() >= magic.size() + trailer && bytes.starts_with(magic), op, "{}: not a file of tokens", path);
  const std::size_t end = bytes.size() - sizeof(std::uint32_t);
  std::uint32_t sum = 0;
  look_through(file, 0, end, [&](std::string_view piece) { sum = checksum(sum, piece); });
  const auto want = value_at<std::uint32_t>(bytes, end);
  check(sum == want, op, "{}: damaged: its CRC-32 is {:08x}, and should be {:08x}", path, sum, want);
}

void check_tokens(const io::MappedFile& file, std::size_t begin, std::size_t end, std::int64_t vocabulary_size,
                  const std::string& path) {
  look_through(file, begin, end, [&](std::string_view piece) {
    const auto* tokens = reinterpret_cast<const std::int32_t*>(piece.data());
    const auto [least, most] = std::minmax_element(tokens, tokens + piece.size() / sizeof *tokens);
    check(*least >= 0 && *most < vocabulary_size, op, "{}: tokens from {} to {} of a vocabulary of {}", path, *least,
          *most, vocabulary_size);
  });
}

TokenFile read_description(const json& description, const std::shared_ptr<io::MappedFile>& file, std::size_t end,
                           const std::string& path) {
  const auto number = [&](const json& object, const char* key) {
    const json& value = object.at(key);
    check(value.is_number_unsigned() && value.get<std::uint64_t>() <= INT64_MAX, op, "{}: {} is {}", path, key,
          value.dump());
    return value.get<std::int64_t>();
  };
  TokenFile read;
  read.sources = description.at("sources").get<std::string>();
  read.learnt = description.at("learnt").get<std::string>();
  read.vocabulary_size = number(description, "vocabulary_size");
  std::size_t at = magic.size();
  for (const json& text : description.at("texts")) {
    const std::int64_t tokens = number(text, "tokens");
    const auto room = static_cast<std::int64_t>((end - at) / sizeof(std::int32_t));
    check(tokens <= room, op, "{}: a text of {} tokens where there is room for {}", path, tokens, room);
    const std::size_t bytes = static_cast<std::size_t>(tokens) * sizeof(std::int32_t);
    check_tokens(*file, at, at + bytes, read.vocabulary_size, path);
    const auto storage = std::make_shared<Storage>(file, file->data() + at, bytes);
    const TextSize size{number(text, "bytes"), number(text, "characters"), number(text, "words"),
                        number(text, "unknown")};
    read.texts.push_back({Tensor::over(storage, {tokens}, i32), size});
    at += bytes;
  }
  read.vocabulary.assign(reinterpret_cast<const char*>(file->data()) + at, end - at);
  return read;
}

}  // namespace

TokenFile read_token_file(const std::string& path) {
  const auto file = std::make_shared<io::MappedFile>(path, op);
  check_sum(*file, path);
  const std::string_view bytes(reinterpret_cast<const char*>(file->data()), file->size() - trailer);
  const auto length = value_at<std::uint64_t>(bytes, bytes.size());
  check(length <= bytes.size() - magic.size(), op, "{}: a description of {} bytes in a file of {}", path, length,
        file->size());
  const std::size_t end = bytes.size() - static_cast<std::size_t>(length);
  try {
    return read_description(json::parse(bytes.substr(end)), file, end, path);
  } catch (const json::exception& error) {
    fail(op, "{}: its description is not as it should be: {}", path, error.what());
  }
}

TokenFileWriter::TokenFileWriter(const std::string& path) : file_(path, op) { write(magic); }

void TokenFileWriter::write(std::string_view bytes) {
  checksum_ = checksum(checksum_, bytes);
  file_.write(bytes);
}

void TokenFileWriter::append(std::span<const std::int32_t> tokens) {
  write({reinterpret_cast<const char*>(tokens.data()), tokens.size_bytes()});
  tokens_ += std::ssize(tokens);
}

void TokenFileWriter::end_text(const TextSize& size) {
  texts_.push_back({tokens_, size});
  tokens_ = 0;
}

void TokenFileWriter::commit(const TokenFile& file) {
  json texts = json::array();
  for (const auto& [tokens, size] : texts_)
    texts.push_back({{"tokens", tokens},
                     {"bytes", size.bytes},
                     {"characters", size.characters},
                     {"words", size.words},
                     {"unknown", size.unknown}});
  const json description{{"sources", file.sources},
                         {"learnt", file.learnt},
                         {"vocabulary_size", file.vocabulary_size},
                         {"texts", std::move(texts)}};
  const std::string text = description.dump(-1, ' ', true, json::error_handler_t::replace);
  write(file.vocabulary);
  write(text);
  write(bytes_of(std::uint64_t{text.size()}));
  file_.write(bytes_of(checksum_));
  file_.commit();
}

}  // namespace ff::models
