#include <numbers>

#include <doctest/doctest.h>

#include "ff/models/language/task.h"

using namespace ff::models;

TEST_CASE("language figures: bits of the text that a loss is of, whatever its tokens are") {
  const TextSize size{.bytes = 100, .characters = 80, .words = 20, .unknown = 0};
  const TextLoss loss{.sum = 100 * std::numbers::ln2, .tokens = 50};
  for (const TokenKind kind : {TokenKind::bytes, TokenKind::words, TokenKind::bpe}) {
    const Figures figures = text_figures(kind, size, loss);
    REQUIRE(figures.size() == (kind == TokenKind::bpe ? 3 : 2));
    CHECK(figures[0].first == "bits_per_byte");
    CHECK(figures[0].second == doctest::Approx(1).epsilon(1e-12));
    CHECK(figures[1].first == "bits_per_character");
    CHECK(figures[1].second == doctest::Approx(1.25).epsilon(1e-12));
    if (kind != TokenKind::bpe) continue;
    CHECK(figures[2].first == "word_perplexity");
    CHECK(figures[2].second == doctest::Approx(32).epsilon(1e-12));  // 5 bits a word
  }
  CHECK(text_figures(TokenKind::words, {.bytes = 100, .characters = 80, .words = 20, .unknown = 1}, loss).empty());
}
