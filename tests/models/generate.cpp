#include "ff/models/language/generate.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include <doctest/doctest.h>

#include "ff/autograd/ops/ops.h"
#include "ff/core/random.h"
#include "ff/optim/optim.h"

#include "tests/support/errors.h"
#include "tests/support/files.h"

using namespace ff;
using namespace ff::models;
using namespace ff::test;

namespace {

LanguageModelConfig small() {
  LanguageModelConfig config;
  config.layers = 2;
  config.heads = 2;
  config.width = 16;
  config.inner_width = 32;
  config.context = 8;
  return config;
}

// Weights far from where they start, so that the likeliest token changes with the text.
void stir(nn::Module& model) {
  for (const auto& [name, tensor] : model.parameters())
    if (tensor.rank() == 2) tensor.assign(tensor.detach() * 20.0);
}

// The likeliest continuation, spelt out, without a cache. A text of 8 tokens that grows is cut down to its last 4.
std::string greedy(LanguageModel& model, std::string text, int tokens) {
  const std::size_t given = text.size();
  std::size_t first = given - std::min<std::size_t>(given, 8);
  for (int i = 0; i < tokens; ++i) {
    if (text.size() - first > 8) first = text.size() - 4;
    const std::string seen = text.substr(first);
    std::vector<std::int64_t> input;
    for (const char c : seen) input.push_back(static_cast<unsigned char>(c));
    const auto n = static_cast<std::int64_t>(input.size());
    const Tensor logits = model(Tensor::from(input, {1, n}));
    text += static_cast<char>(argmax(select(select(logits, 0, 0), 0, n - 1), 0).item<std::int64_t>());
  }
  return text.substr(given);
}

}  // namespace

TEST_CASE("generate: at temperature 0 the likeliest token, of a window that moves on by halves") {
  manual_seed(1);
  LanguageModel model(small(), 256);
  stir(model);
  const Vocabulary bytes = Vocabulary::bytes();
  const std::string text = generate(model, bytes, "abc", {.max_tokens = 30, .sampling = {.temperature = 0}});
  CHECK(model.training());  // as before
  model.eval();
  CHECK(text == greedy(model, "abc", 30));
  CHECK(text.size() == 30);
  CHECK(std::set<char>(text.begin(), text.end()).size() > 2);
  CHECK(generate(model, bytes, "a long prompt, longer than the context",
                 {.max_tokens = 5, .sampling = {.temperature = 0}}) ==
        greedy(model, "a long prompt, longer than the context", 5));
  CHECK(generate(model, bytes, "", {.max_tokens = 5, .sampling = {.temperature = 0}}) == greedy(model, "\n", 5));
  CHECK(generate(model, bytes, "abc", {.max_tokens = 0}).empty());
}

TEST_CASE("generate: a cached text and a text read anew at each token are the same, whatever the model") {
  for (const auto attention : {nn::AttentionKind::fourier, nn::AttentionKind::softmax}) {
    manual_seed(11);
    LanguageModelConfig config = small();
    config.attention.attention = attention;
    LanguageModel model(config, 256);
    stir(model);
    const std::string text =
        generate(model, Vocabulary::bytes(), "ab", {.max_tokens = 40, .sampling = {.temperature = 0}});
    model.eval();
    CHECK(text == greedy(model, "ab", 40));
  }
  LanguageModelConfig one = small();
  one.context = 1;
  LanguageModel model(one, 256);
  stir(model);
  CHECK(generate(model, Vocabulary::bytes(), "abc", {.max_tokens = 5}).size() == 5);
}

TEST_CASE("generate: the listener gets the text piece by piece, and may end it") {
  manual_seed(12);
  LanguageModel model(small(), 256);
  std::vector<std::string> pieces;
  auto keep = [&](std::string_view piece) {
    pieces.emplace_back(piece);
    return pieces.size() < 7;
  };
  const std::string text = generate(model, Vocabulary::bytes(), "abc", {.max_tokens = 20}, keep);
  CHECK(pieces.size() == 7);
  CHECK(text == generate(model, Vocabulary::bytes(), "abc", {.max_tokens = 7}));

  const Vocabulary words = Vocabulary::words("a b\nc d e f");
  LanguageModel speaker(small(), words.size());
  stir(speaker);
  pieces.clear();
  std::string whole;
  const std::string said = generate(speaker, words, "a unheard-of", {.max_tokens = 60, .seed = 3}, [&](auto piece) {
    whole += piece;
    return true;
  });
  CHECK(whole == said);
  CHECK(contains(said, {" ", "\n"}));
}

TEST_CASE("generate: the repetition penalty keeps a text from turning in circles") {
  manual_seed(13);
  LanguageModel model(small(), 256);
  model.embed.weight.fill(0);
  for (int c = 0; c < 256; ++c) model.bias.data<float>()[c] = static_cast<float>(c == 'a' ? 3 : c == 'b' ? 2 : -c);
  auto text = [&](double penalty) {
    return generate(model, Vocabulary::bytes(), "x",
                    {.max_tokens = 4, .sampling = {.temperature = 0, .repetition_penalty = penalty}});
  };
  CHECK(text(1) == "aaaa");
  CHECK(text(1.4) == "aaaa");  // 3 / 1.4 is still above 2
  CHECK(text(2) == "abaa");    // 1.5 and then 1
  CHECK(text(0.5) == "aaaa");
}

TEST_CASE("generate: the same text for the same seed") {
  manual_seed(2);
  LanguageModel model(small(), 256);
  const Vocabulary bytes = Vocabulary::bytes();
  const std::string text = generate(model, bytes, "abc", {.max_tokens = 20, .seed = 7});
  manual_seed(99);  // the default generator has nothing to do with it
  CHECK(generate(model, bytes, "abc", {.max_tokens = 20, .seed = 7}) == text);
  CHECK(generate(model, bytes, "abc", {.max_tokens = 20, .seed = 8}) != text);
  CHECK(generate(model, bytes, "abc", {.max_tokens = 20, .sampling = {.temperature = 0}, .seed = 7}) ==
        generate(model, bytes, "abc", {.max_tokens = 20, .sampling = {.temperature = 0}, .seed = 8}));
}

TEST_CASE("generate: top_k and a low temperature leave the likeliest") {
  manual_seed(3);
  LanguageModel model(small(), 256);
  stir(model);
  const Vocabulary bytes = Vocabulary::bytes();
  const std::string likeliest = generate(model, bytes, "abc", {.max_tokens = 20, .sampling = {.temperature = 0}});
  CHECK(generate(model, bytes, "abc", {.max_tokens = 20, .sampling = {.top_k = 1}, .seed = 3}) == likeliest);
  CHECK(generate(model, bytes, "abc", {.max_tokens = 20, .sampling = {.temperature = 1e-6}, .seed = 3}) == likeliest);
  CHECK(generate(model, bytes, "abc", {.max_tokens = 20, .sampling = {.temperature = 1e-300}, .seed = 3}) == likeliest);
}

TEST_CASE("generate: tokens come as often as the model says") {
  manual_seed(4);
  LanguageModel model(small(), 256);
  // Whatever the text, only the bias speaks: 'a' 3 times as likely as 'b', the others not at all.
  for (const auto& [name, tensor] : model.parameters())
    if (name == "embed.weight") tensor.fill(0);
  model.bias.fill(-100);
  model.bias.data<float>()[int{'a'}] = std::log(3.0f);
  model.bias.data<float>()[int{'b'}] = 0;
  const std::string text = generate(model, Vocabulary::bytes(), "x", {.max_tokens = 1000});
  const auto a = std::count(text.begin(), text.end(), 'a'), b = std::count(text.begin(), text.end(), 'b');
  CHECK(a + b == 1000);
  CHECK(std::abs(a - 750) < 55);  // 4 standard deviations
  const std::string warm =
      generate(model, Vocabulary::bytes(), "x", {.max_tokens = 1000, .sampling = {.temperature = 2}});
  CHECK(std::abs(std::count(warm.begin(), warm.end(), 'a') - 634) < 62);  // sqrt(3) times as likely
}

TEST_CASE("generate: goes on as it was taught, in words") {
  manual_seed(5);
  const std::string text = "the cat sat on the mat and the dog sat on the cat\n";
  const Vocabulary words = Vocabulary::words(text);
  LanguageModelConfig config = small();
  config.dropout = 0;
  LanguageModel model(config, words.size());
  const Tensor tokens = words.encode(text);
  const std::int64_t n = tokens.numel() - 1;
  optim::Adam optimizer(model.parameters(), {.lr = 1e-2});
  for (int step = 0; step < 150; ++step) {
    std::vector<Tensor> inputs, targets;
    for (std::int64_t begin = 0; begin + 8 <= n; ++begin) {
      inputs.push_back(slice(tokens, 0, begin, begin + 8));
      targets.push_back(slice(tokens, 0, begin + 1, begin + 9));
    }
    const Tensor logits = model(cast(stack(inputs), i64));
    const Tensor loss = cross_entropy(flatten(logits, 0, 1), flatten(cast(stack(targets), i64)));
    optimizer.zero_grad();
    loss.backward();
    optimizer.step();
  }
  CHECK(generate(model, words, "the cat sat on the mat", {.max_tokens = 4, .sampling = {.temperature = 0}}) ==
        "and the dog sat");
}

TEST_CASE("generate: options that make no sense are refused") {
  LanguageModel model(small(), 256);
  const Vocabulary bytes = Vocabulary::bytes();
  CHECK(error_of([&] { generate(model, bytes, "a", {.sampling = {.temperature = -1}}); }) ==
        "[generate] the temperature must be at least 0: -1");
  CHECK(contains(error_of([&] {
                   generate(model, bytes, "a", {.sampling = {.temperature = std::numeric_limits<double>::quiet_NaN()}});
                 }),
                 {"[generate]", "nan"}));
  CHECK(contains(error_of([&] { generate(model, bytes, "a", {.max_tokens = -1}); }), {"[generate]", "-1"}));
  CHECK(contains(error_of([&] { generate(model, bytes, "a", {.sampling = {.top_k = -3}}); }), {"[generate]", "-3"}));
  for (const double p : {0.0, 1.5, -1.0, std::numeric_limits<double>::quiet_NaN()})
    CHECK(error_of([&] {
            generate(model, bytes, "a", {.sampling = {.top_p = p}});
          }).starts_with("[generate] top_p must be above 0 and at most 1: "));
  for (const double penalty : {0.0, -2.0, std::numeric_limits<double>::infinity()})
    CHECK(error_of([&] {
            generate(model, bytes, "a", {.sampling = {.repetition_penalty = penalty}});
          }).starts_with("[generate] the repetition penalty must be above 0: "));
  model.bias.fill(std::numeric_limits<double>::quiet_NaN());
  CHECK(error_of([&] { generate(model, bytes, "a"); }) == "[generate] the model gives a logit of nan");
}
