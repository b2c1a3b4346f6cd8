#include "ff/models/language/vocabulary.h"

#include <algorithm>

#include "ff/core/check.h"
#include "ff/core/io/file.h"

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

struct Count {
  std::string_view word;
  std::int64_t count = 0;
};

// The words of a text and how often each comes, in the order of their first appearance.
std::vector<Count> count_words(std::string_view text) {
  std::vector<Count> counts;
  std::unordered_map<std::string_view, std::size_t> places;
  for_each_word(
      text,
      [&](std::string_view word) {
        const auto [place, is_new] = places.emplace(word, counts.size());
        if (is_new) counts.push_back({word});
        ++counts[place->second].count;
      },
      [] {});
  return counts;
}

}  // namespace

Vocabulary Vocabulary::bytes() { return Vocabulary(TokenKind::bytes); }

Vocabulary Vocabulary::words(std::string_view text, std::int64_t max_words) {
  std::vector<Count> counts = count_words(text);
  std::stable_sort(counts.begin(), counts.end(), [](const Count& a, const Count& b) { return a.count > b.count; });
  std::vector<std::string> words{std::string(end_of_line_word)};
  bool has_unknown = false;
  for (const Count& count : counts) {
    if (max_words > 0 && static_cast<std::int64_t>(words.size()) > max_words) break;
    if (count.word == end_of_line_word) continue;
    has_unknown |= count.word == unknown_word;
    words.emplace_back(count.word);
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

Vocabulary Vocabulary::load(const std::string& path) {
  constexpr const char* op = "load_vocabulary";
  const std::string text = io::read_file(path);
  std::vector<std::string> words;
  std::unordered_map<std::string_view, std::size_t> lines;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = text.find('\n', at), line = words.size() + 1;
    check(end != std::string::npos, op, "{}: truncated: line {} has no end", path, line);
    const std::string_view word = std::string_view(text).substr(at, end - at);
    check(!word.empty() && word.find_first_of(white_space) == std::string_view::npos, op,
          "{}: line {} must be one word, got \"{}\"", path, line, word.substr(0, 40));
    const auto [earlier, is_new] = lines.emplace(word, line);
    check(is_new, op, "{}: line {} repeats the word of line {}, \"{}\"", path, line, earlier->second,
          word.substr(0, 40));
    words.emplace_back(word);
    at = end + 1;
  }
  for (const std::string_view needed : {end_of_line_word, unknown_word})
    check(lines.contains(needed), op, "{}: the word {} is missing", path, needed);
  return Vocabulary(std::move(words));
}

void Vocabulary::save(const std::string& path) const {
  check(kind_ == TokenKind::words, "save_vocabulary", "{}: a vocabulary of bytes needs no file", path);
  io::OutputFile file(path, "save_vocabulary");
  file.write(fmt::format("{}\n", fmt::join(words_, "\n")));
  file.commit();
}

std::int32_t Vocabulary::number_of(std::string_view word) const {
  const auto found = numbers_.find(word);
  return found == numbers_.end() ? unknown_ : found->second;
}

Tensor Vocabulary::encode(std::string_view text) const {
  if (kind_ == TokenKind::bytes)
    return Tensor::from(std::span(reinterpret_cast<const std::uint8_t*>(text.data()), text.size()),
                        {static_cast<std::int64_t>(text.size())});
  std::vector<std::int32_t> tokens;
  for_each_word(
      text, [&](std::string_view word) { tokens.push_back(number_of(word)); }, [&] { tokens.push_back(end_of_line_); });
  return Tensor::from(tokens, {static_cast<std::int64_t>(tokens.size())});
}

std::string Vocabulary::decode(std::span<const std::int64_t> tokens) const {
  std::string text;
  for (const std::int64_t token : tokens) {
    check(token >= 0 && token < size(), "decode", "token {} of a vocabulary of {}", token, size());
    if (kind_ == TokenKind::bytes) {
      text += static_cast<char>(token);
    } else if (token == end_of_line_) {
      text += '\n';
    } else {
      if (!text.empty() && text.back() != '\n') text += ' ';
      text += words_[static_cast<std::size_t>(token)];
    }
  }
  return text;
}

}  // namespace ff::models
