#include <filesystem>
#include <set>

#include <nlohmann/json.hpp>

#include "ff/core/check.h"
#include "ff/core/io/file.h"
#include "ff/models/language/byte_alphabet.h"
#include "ff/models/language/byte_pairs.h"

namespace ff::models {
namespace {

using nlohmann::json;

constexpr const char* op = "load_tokenizer";
constexpr std::uint64_t largest_file = std::uint64_t{1} << 28;
constexpr std::string_view version_line = "#version: 0.2\n";

std::string encoder_path(const std::string& folder) { return folder + "/encoder.json"; }
std::string merges_path(const std::string& folder) { return folder + "/vocab.bpe"; }

// Text of a file for an error message.
std::string excerpt(std::string_view text) {
  return json(text.substr(0, 40)).dump(-1, ' ', true, json::error_handler_t::replace);
}

// The object of encoder.json, in which no key comes twice.
json parse_encoder(std::string_view text, const std::string& name) {
  std::set<std::string, std::less<>> keys;
  const json::parser_callback_t watch = [&](int depth, json::parse_event_t event, json& value) {
    check(depth <= 1 && event != json::parse_event_t::array_start, op,
          "{}: expected an object of tokens and their numbers", name);
    if (event == json::parse_event_t::key)
      check(keys.insert(value.get<std::string>()).second, op, "{}: the token {} comes twice", name, value.dump());
    return true;
  };
  json root;
  try {
    root = json::parse(text, watch);
  } catch (const json::exception& error) {
    fail(op, "{}: not JSON: {}", name, error.what());
  }
  check(root.is_object(), op, "{}: expected an object of tokens and their numbers", name);
  return root;
}

// The tokens by number.
std::vector<std::string> read_tokens(const json& encoder, const std::string& name) {
  std::vector<std::string> tokens(encoder.size());
  std::vector<bool> taken(encoder.size());
  for (const auto& [shown, number] : encoder.items()) {
    const bool fits = number.is_number_unsigned() && number.get<std::uint64_t>() < tokens.size();
    check(fits, op, "{}: the number of token {} must be one of 0 to {}, each once; it is {}", name, excerpt(shown),
          tokens.size() - 1, number.dump());
    const auto n = number.get<std::size_t>();
    check(!taken[n], op, "{}: two tokens have the number {}", name, n);
    taken[n] = true;
    const std::optional<std::string> bytes = bytes_shown(shown);
    check(bytes && !bytes->empty(), op, "{}: token {}, {}, is not made of the characters that stand for bytes", name, n,
          excerpt(shown));
    tokens[n] = *bytes;
  }
  return tokens;
}

using Numbers = std::unordered_map<std::string_view, std::int32_t>;

// A line "left right" of vocab.bpe; where: name and line.
BytePairs::Merge read_merge(std::string_view line, const Numbers& numbers, const std::string& where) {
  const std::size_t space = line.find(' ');
  check(space != std::string_view::npos && line.find(' ', space + 1) == std::string_view::npos, op,
        "{}: must be two tokens with a space between, got {}", where, excerpt(line));
  const auto number = [&](std::string_view shown, const std::string& bytes) {
    const auto found = numbers.find(bytes);
    check(found != numbers.end(), op, "{}: {} is no token of the encoder", where, excerpt(shown));
    return found->second;
  };
  const std::string_view left = line.substr(0, space), right = line.substr(space + 1);
  const std::string left_bytes = bytes_shown(left).value_or(""), right_bytes = bytes_shown(right).value_or("");
  return {number(left, left_bytes), number(right, right_bytes),
          number(std::string(left) + std::string(right), left_bytes + right_bytes)};
}

}  // namespace

BytePairs BytePairs::parse(std::string_view encoder, const std::string& encoder_name, std::string_view merges,
                           const std::string& merges_name) {
  std::vector<std::string> tokens = read_tokens(parse_encoder(encoder, encoder_name), encoder_name);
  check(tokens.size() <= INT32_MAX, op, "{}: {} tokens are more than can be numbered", encoder_name, tokens.size());
  Numbers numbers;
  for (std::size_t i = 0; i < tokens.size(); ++i) numbers.emplace(tokens[i], static_cast<std::int32_t>(i));
  for (const unsigned char byte : byte_order()) {
    const std::string token(1, static_cast<char>(byte));
    check(numbers.contains(token), op, "{}: the token of byte {}, \"{}\", is missing", encoder_name, byte,
          shown_bytes(token));
  }
  std::vector<Merge> list;
  std::unordered_map<std::uint64_t, std::size_t> lines;
  std::size_t line = 1, at = 0;
  for (; at < merges.size(); ++line) {
    const std::size_t end = merges.find('\n', at);
    const std::string where = fmt::format("{}: line {}", merges_name, line);
    check(end != std::string_view::npos, op, "{} has no end: the file is truncated", where);
    const std::string_view text = merges.substr(at, end - at);
    at = end + 1;
    if (line == 1 && text.starts_with("#version")) continue;
    list.push_back(read_merge(text, numbers, where));
    const auto [earlier, is_new] = lines.emplace(pair_key(list.back().left, list.back().right), line);
    check(is_new, op, "{} repeats line {}", where, earlier->second);
  }
  return {std::move(tokens), std::move(list)};
}

BytePairs BytePairs::load(const std::string& folder) {
  std::error_code error;
  check(std::filesystem::is_directory(folder, error), op, "{}: no such folder", folder);
  const std::string encoder = encoder_path(folder), merges = merges_path(folder);
  return parse(io::read_file(encoder, largest_file), encoder, io::read_file(merges, largest_file), merges);
}

std::string BytePairs::encoder_text() const {
  std::string text;
  for (std::size_t i = 0; i < tokens_.size(); ++i)
    text += fmt::format("{}{}: {}", i == 0 ? "{" : ", ", json(shown_bytes(tokens_[i])).dump(-1, ' ', true), i);
  return text + "}";
}

std::string BytePairs::merges_text() const {
  std::string text(version_line);
  for (const Merge& merge : merges_)
    text += fmt::format("{} {}\n", shown_bytes(bytes_of(merge.left)), shown_bytes(bytes_of(merge.right)));
  return text;
}

void BytePairs::save(const std::string& folder) const {
  io::write_file(encoder_path(folder), encoder_text());
  io::write_file(merges_path(folder), merges_text());
}

}  // namespace ff::models
