#include "ff/models/language/corpus.h"

#include <filesystem>
#include <memory>

#include "ff/core/check.h"
#include "ff/core/io/file.h"
#include "ff/models/language/token_cache.h"
#include "ff/models/language/token_file.h"

namespace ff::models {
namespace {

constexpr const char* op = "load_corpus";

using TokenTexts = std::vector<TokenText>;

// Throws where a part is empty; i: its place in TextParts::all().
void check_not_empty(const LanguageDataConfig& data, const TextPart& part, std::size_t i, std::int64_t tokens) {
  if (tokens > 0) return;
  const bool left_over = i == 1 && part.begin > 0;
  const char* purpose = i == 0 ? "train on" : i == 1 ? "evaluate on" : "test on";
  fail(op, "{}: no text to {}{}", part.path, purpose,
       left_over ? fmt::format(" is left by held_out_fraction {}", data.held_out_fraction) : "");
}

// A tensor over elements that owner holds.
Tensor tensor_over(std::shared_ptr<const void> owner, void* data, std::size_t count, DType dtype) {
  auto storage = std::make_shared<Storage>(std::move(owner), static_cast<std::byte*>(data), count * size_of(dtype));
  return Tensor::over(std::move(storage), {static_cast<std::int64_t>(count)}, dtype);
}

// Texts as u8, in the memory that they were read to.
TokenTexts read_bytes(const TextParts& parts) {
  TokenTexts texts;
  std::shared_ptr<std::string> text;
  std::string path;
  for (const TextPart& part : parts.all()) {
    if (path != part.path) text = std::make_shared<std::string>(io::read_file(part.path));
    path = part.path;
    const std::size_t end = std::min<std::uint64_t>(part.end, text->size());
    const std::size_t begin = std::min<std::uint64_t>(part.begin, end);
    texts.push_back({tensor_over(text, text->data() + begin, end - begin, u8), {}});
    texts.back().size.count(std::string_view(*text).substr(begin, end - begin));
  }
  return texts;
}

Vocabulary learn(TokenKind kind, const TextPart& text, std::int64_t size, const LoadListener& listener) {
  WordCounts counts;
  for_each_piece(
      text, [&](std::string_view piece) { count_units(kind, piece, counts); }, "counting words", listener);
  if (listener && kind == TokenKind::bpe) listener("learning byte pairs", 0);
  Vocabulary vocabulary = Vocabulary::learn(kind, counts, size);
  if (listener && kind == TokenKind::bpe) listener("learning byte pairs", 1);
  return vocabulary;
}

// Hands out the tokens of a text piece by piece.
TextSize encode(const Vocabulary& vocabulary, const TextPart& text, const LoadListener& listener,
                const std::function<void(const std::vector<std::int32_t>&)>& use) {
  TextEncoder encoder(vocabulary);
  TextSize size;
  std::vector<std::int32_t> tokens;
  const auto encode_piece = [&](std::string_view piece) {
    size.count(piece);
    tokens.clear();
    encoder.encode(piece, tokens);
    use(tokens);
  };
  for_each_piece(text, encode_piece, "encoding " + std::filesystem::path(text.path).filename().string(), listener);
  size.unknown = encoder.unknown();
  return size;
}

TokenTexts encode_to_memory(const Vocabulary& vocabulary, const TextParts& parts, const LoadListener& listener) {
  TokenTexts texts;
  for (const TextPart& part : parts.all()) {
    const auto tokens = std::make_shared<std::vector<std::int32_t>>();
    const TextSize size = encode(vocabulary, part, listener, [&](const std::vector<std::int32_t>& more) {
      tokens->insert(tokens->end(), more.begin(), more.end());
    });
    texts.push_back({tensor_over(tokens, tokens->data(), tokens->size(), i32), size});
  }
  return texts;
}

// Where a part is empty, no file is left.
TokenTexts encode_to_file(const std::string& path, const TokenFile& file, const LanguageDataConfig& data,
                          const Vocabulary& vocabulary, const TextParts& parts, const LoadListener& listener) {
  TokenFileWriter writer(path);
  const std::vector<TextPart> all = parts.all();
  for (std::size_t i = 0; i < all.size(); ++i) {
    std::int64_t count = 0;
    writer.end_text(encode(vocabulary, all[i], listener, [&](const std::vector<std::int32_t>& more) {
      writer.append(more);
      count += std::ssize(more);
    }));
    check_not_empty(data, all[i], i, count);
  }
  writer.commit(file);
  return read_token_file(path).texts;
}

// A file of before; none where it is not there, damaged, or of other texts or another vocabulary.
std::optional<TokenFile> kept_tokens(const std::string& path, const TokenFile& wanted) {
  if (path.empty() || !std::filesystem::exists(path)) return std::nullopt;
  try {
    TokenFile file = read_token_file(path);
    const bool same = wanted.learnt.empty() ? file.vocabulary == wanted.vocabulary : file.learnt == wanted.learnt;
    if (same && file.sources == wanted.sources) return file;
  } catch (const Error&) {
  }
  return std::nullopt;
}

Corpus make_corpus(const LanguageDataConfig& data, const TextParts& parts, Vocabulary vocabulary, TokenTexts texts) {
  const std::vector<TextPart> all = parts.all();
  for (std::size_t i = 0; i < all.size(); ++i) check_not_empty(data, all[i], i, texts[i].tokens.numel());
  Corpus corpus{.vocabulary = std::move(vocabulary),
                .train = texts[0].tokens,
                .held_out = texts[1].tokens,
                .held_out_size = texts[1].size};
  if (parts.test) {
    corpus.test = texts[2].tokens;
    corpus.test_size = texts[2].size;
  }
  const bool one_file = !parts.test && data.held_out_path.empty();
  corpus.before_held_out = one_file ? corpus.train(-1).item<std::int64_t>() : corpus.vocabulary.end_of_line();
  return corpus;
}

// given: the vocabulary, if there is one; else `size` words or byte pairs are learnt.
Corpus load(const LanguageDataConfig& data, TokenKind kind, const Vocabulary* given, std::int64_t size,
            const LoadListener& listener) {
  const TextParts parts = text_parts(data, kind);
  if (kind == TokenKind::bytes) return make_corpus(data, parts, Vocabulary::bytes(), read_bytes(parts));
  const std::string name = kind == TokenKind::words ? "words" : "bpe";
  TokenFile file{.sources = describe_sources(parts),
                 .learnt = given == nullptr ? fmt::format("{} {}", name, size) : "",
                 .vocabulary = given == nullptr ? "" : given->text()};
  const std::string path = token_cache_path(data, parts, size == 0 ? name : fmt::format("{}-{}", name, size));
  if (auto kept = kept_tokens(path, file))
    return make_corpus(data, parts, Vocabulary::parse(kind, kept->vocabulary, path), std::move(kept->texts));

  const Vocabulary vocabulary = given == nullptr ? learn(kind, parts.train, size, listener) : *given;
  if (path.empty()) return make_corpus(data, parts, vocabulary, encode_to_memory(vocabulary, parts, listener));
  file.vocabulary = vocabulary.text();
  file.vocabulary_size = vocabulary.size();
  return make_corpus(data, parts, vocabulary, encode_to_file(path, file, data, vocabulary, parts, listener));
}

}  // namespace

Corpus load_corpus(const LanguageDataConfig& data, TokenKind kind, std::int64_t vocabulary_size,
                   const LoadListener& listener) {
  if (kind == TokenKind::bpe && !data.tokenizer.empty())
    return load_corpus(data, Vocabulary::byte_pairs(BytePairs::load(data.tokenizer)), listener);
  return load(data, kind, nullptr, kind == TokenKind::words ? data.max_vocabulary : vocabulary_size, listener);
}

Corpus load_corpus(const LanguageDataConfig& data, const Vocabulary& vocabulary, const LoadListener& listener) {
  const std::int64_t size = vocabulary.kind() == TokenKind::words ? data.max_vocabulary : vocabulary.size();
  return load(data, vocabulary.kind(), &vocabulary, size, listener);
}

}  // namespace ff::models
