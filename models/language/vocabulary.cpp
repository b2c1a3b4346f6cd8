#include "ff/models/language/vocabulary.h"

#include <algorithm>

#include "ff/core/check.h"
#include "ff/core/io/file.h"
#include "ff/models/language/pretokens.h"

namespace ff::models {
namespace {

constexpr std::string_view end_of_line_word = "<eos>", unknown_word = "<unk>";
constexpr std::string_view white_space = " \t\r\v\f\n";

// Calls word(w) for each word of a text and line() at the end of each line.
template <class Word, class Line>
void for_each_word(std::string_view text, Word word, Line line) {
  for (std::size_t at = 0; at < text.size();) {
    if (text[at] == '\n') line();
    if (white_space.find(text[at]) != std::string_view::npos) {
      ++at;
      continue;
    }
    const std::size_t end = std::min(text.find_first_of(white_space, at), text.size());
    word(text.substr(at, end - at));
    at = end;
  }
}

}  // namespace

void count_units(TokenKind kind, std::string_view text, WordCounts& counts) {
  const auto add = [&](std::string_view unit) { counts.add(unit); };
  if (kind == TokenKind::words) for_each_word(text, add, [] {});
  if (kind == TokenKind::bpe) for_each_pretoken(text, add);
}

Vocabulary Vocabulary::bytes() { return Vocabulary(TokenKind::bytes, '\n'); }

Vocabulary Vocabulary::words(std::string_view text, std::int64_t max_words) {
  WordCounts counts;
  count_units(TokenKind::words, text, counts);
  return learn(TokenKind::words, counts, max_words);
}

Vocabulary Vocabulary::byte_pairs(BytePairs pairs) {
  Vocabulary vocabulary(TokenKind::bpe, pairs.token_of('\n'));
  vocabulary.pairs_ = std::make_shared<const BytePairs>(std::move(pairs));
  return vocabulary;
}

Vocabulary Vocabulary::learn(TokenKind kind, const WordCounts& counts, std::int64_t size) {
  if (kind == TokenKind::bytes) return bytes();
  if (kind == TokenKind::bpe) return byte_pairs(BytePairs::learn(counts, size));
  std::vector<const WordCounts::Count*> order;
  for (const auto& count : counts.all()) order.push_back(&count);
  std::stable_sort(order.begin(), order.end(), [](auto* a, auto* b) { return a->count > b->count; });
  std::vector<std::string> words{std::string(end_of_line_word)};
  bool has_unknown = false;
  for (const auto* count : order) {
    if (size > 0 && static_cast<std::int64_t>(words.size()) > size) break;
    if (count->word == end_of_line_word) continue;
    has_unknown |= count->word == unknown_word;
    words.push_back(count->word);
  }
  if (!has_unknown) words.emplace_back(unknown_word);
  return Vocabulary(std::move(words));
}

Vocabulary::Vocabulary(std::vector<std::string> words) : kind_(TokenKind::words), words_(std::move(words)) {
  check(words_.size() <= INT32_MAX, "vocabulary", "{} words are more than can be numbered", words_.size());
  numbers_.reserve(words_.size());
  for (std::size_t i = 0; i < words_.size(); ++i) numbers_.emplace(words_[i], static_cast<std::int32_t>(i));
  end_of_line_ = numbers_.find(end_of_line_word)->second;
  unknown_ = numbers_.find(unknown_word)->second;
}

Vocabulary Vocabulary::load(const std::string& path) { return parse(TokenKind::words, io::read_file(path), path); }

Vocabulary Vocabulary::parse(TokenKind kind, std::string_view text, const std::string& name) {
  constexpr const char* op = "load_vocabulary";
  if (kind == TokenKind::bytes) return bytes();
  if (kind == TokenKind::bpe) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    return byte_pairs(BytePairs::parse(text.substr(0, end), name, text.substr(std::min(end + 1, text.size())), name));
  }
  std::vector<std::string> words;
  std::unordered_map<std::string_view, std::size_t> lines;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = text.find('\n', at), line = words.size() + 1;
    check(end != std::string::npos, op, "{}: truncated: line {} has no end", name, line);
    const std::string_view word = text.substr(at, end - at);
    check(!word.empty() && word.find_first_of(white_space) == std::string_view::npos, op,
          "{}: line {} must be one word, got \"{}\"", name, line, word.substr(0, 40));
    const auto [earlier, is_new] = lines.emplace(word, line);
    check(is_new, op, "{}: line {} repeats the word of line {}, \"{}\"", name, line, earlier->second,
          word.substr(0, 40));
    words.emplace_back(word);
    at = end + 1;
  }
  for (const std::string_view needed : {end_of_line_word, unknown_word})
    check(lines.contains(needed), op, "{}: the word {} is missing", name, needed);
  return Vocabulary(std::move(words));
}

std::string Vocabulary::text() const {
  if (kind_ == TokenKind::bytes) return {};
  if (kind_ == TokenKind::bpe) return pairs_->encoder_text() + "\n" + pairs_->merges_text();
  return fmt::format("{}\n", fmt::join(words_, "\n"));
}

void Vocabulary::save(const std::string& path) const {
  check(kind_ == TokenKind::words, "save_vocabulary", "{}: only a vocabulary of words has such a file", path);
  io::OutputFile file(path, "save_vocabulary");
  file.write(text());
  file.commit();
}

std::int64_t Vocabulary::size() const {
  if (kind_ == TokenKind::bytes) return 256;
  return kind_ == TokenKind::bpe ? pairs_->size() : static_cast<std::int64_t>(words_.size());
}

Tensor Vocabulary::encode(std::string_view text) const {
  if (kind_ == TokenKind::bytes)
    return Tensor::from(std::span(reinterpret_cast<const std::uint8_t*>(text.data()), text.size()),
                        {static_cast<std::int64_t>(text.size())});
  std::vector<std::int32_t> tokens;
  TextEncoder(*this).encode(text, tokens);
  return Tensor::from(tokens, {static_cast<std::int64_t>(tokens.size())});
}

std::string Vocabulary::decode(std::span<const std::int64_t> tokens) const {
  std::string text;
  for (const std::int64_t token : tokens) {
    check(token >= 0 && token < size(), "decode", "token {} of a vocabulary of {}", token, size());
    if (kind_ == TokenKind::bytes) {
      text += static_cast<char>(token);
    } else if (kind_ == TokenKind::bpe) {
      text += pairs_->bytes_of(token);
    } else if (token == end_of_line_) {
      text += '\n';
    } else {
      if (!text.empty() && text.back() != '\n') text += ' ';
      text += words_[static_cast<std::size_t>(token)];
    }
  }
  return text;
}

TextEncoder::TextEncoder(const Vocabulary& vocabulary) : vocabulary_(vocabulary) {
  if (vocabulary.pairs()) pairs_.emplace(*vocabulary.pairs());
}

std::int32_t TextEncoder::number_of(std::string_view word) {
  const auto found = vocabulary_.numbers_.find(word);
  if (found != vocabulary_.numbers_.end()) return found->second;
  ++unknown_;
  return vocabulary_.unknown_;
}

void TextEncoder::encode(std::string_view text, std::vector<std::int32_t>& tokens) {
  switch (vocabulary_.kind()) {
    case TokenKind::bytes:
      for (const char c : text) tokens.push_back(static_cast<unsigned char>(c));
      break;
    case TokenKind::words:
      for_each_word(
          text, [&](std::string_view word) { tokens.push_back(number_of(word)); },
          [&] { tokens.push_back(vocabulary_.end_of_line_); });
      break;
    case TokenKind::bpe:
      pairs_->encode(text, tokens);
      break;
  }
}

}  // namespace ff::models
