#include <cmath>
#include <map>

#include <doctest/doctest.h>

#include "ff/autograd/grad_mode.h"
#include "ff/autograd/ops/ops.h"
#include "ff/core/parallel.h"
#include "ff/core/random.h"
#include "ff/models/language/model.h"
#include "ff/models/run_config.h"
#include "ff/optim/optim.h"

#include "tests/support/compare.h"
#include "tests/support/errors.h"
#include "tests/support/files.h"

using namespace ff;
using namespace ff::models;
using namespace ff::test;

namespace {

constexpr auto kinds = {nn::AttentionKind::fourier, nn::AttentionKind::softmax};

LanguageModelConfig small(nn::AttentionKind attention) {
  LanguageModelConfig config;
  config.layers = 2;
  config.heads = 2;
  config.width = 16;
  config.inner_width = 32;
  config.context = 12;
  config.attention.attention = attention;
  return config;
}

}  // namespace

TEST_CASE("language model: its parameters") {
  LanguageModel model(small(nn::AttentionKind::fourier), 50);
  std::map<std::string, Shape> shapes;
  for (const auto& [name, tensor] : model.state_dict()) shapes[name] = tensor.shape();
  // No bias in the attention, no output matrix beside the embedding.
  CHECK(shapes.size() == 2 + 2 * 11);
  CHECK(shapes.at("embed.weight") == Shape{50, 16});
  CHECK(shapes.at("bias") == Shape{50});
  CHECK(shapes.at("blocks.0.attn.qkv.weight") == Shape{48, 16});
  CHECK(shapes.at("blocks.1.attn.proj.weight") == Shape{16, 16});
  CHECK(shapes.at("blocks.1.attn.R") == Shape{});
  CHECK(shapes.at("blocks.1.mlp.fc1.weight") == Shape{32, 16});
  const std::int64_t block = 48 * 16 + 16 * 16 + 1 + 32 * 16 + 32 + 16 * 32 + 16 + 4 * 16;
  CHECK(model.num_parameters() == 50 * 16 + 50 + 2 * block);
  CHECK(LanguageModel(small(nn::AttentionKind::softmax), 50).num_parameters() == model.num_parameters() - 2);
  CHECK(model.blocks[0].attn.R.item<double>() == 2);
}

TEST_CASE("language model: weights start normal") {
  manual_seed(1);
  LanguageModelConfig config = small(nn::AttentionKind::fourier);
  config.width = 64;
  config.inner_width = 128;
  LanguageModel model(config, 256);
  for (const auto& parameter : model.parameters()) {
    if (parameter.second.rank() != 2) continue;
    const double deviation = std::sqrt(var(parameter.second).item<double>());
    CHECK_MESSAGE(deviation == doctest::Approx(0.02).epsilon(0.05), parameter.first);
  }
  CHECK(max(abs(model.bias)).item<double>() == 0);
}

TEST_CASE("language model: sinusoidal positions") {
  const Tensor positions = sinusoidal_positions(40, 6);
  std::vector<double> want;
  for (int t = 0; t < 40; ++t) {
    for (int i = 0; i < 3; ++i) want.push_back(std::sin(t / std::pow(10000.0, i / 3.0)));
    for (int i = 0; i < 3; ++i) want.push_back(std::cos(t / std::pow(10000.0, i / 3.0)));
  }
  const auto difference = largest_difference(positions.to_vector<float>(), want, positions.shape());
  CHECK_MESSAGE(difference.absolute < 1e-7, difference.str());
}

TEST_CASE("language model: a token has no effect on what is said before it") {
  for (const auto kind : kinds) {
    manual_seed(2);
    LanguageModel model(small(kind), 30);
    model.eval();
    const Tensor tokens = randint(0, 30, {2, 12});
    const auto logits = model(tokens).to_vector<float>();
    for (std::int64_t changed = 0; changed < 12; ++changed) {
      const Tensor other = tokens.copy();
      auto& token = other.data<std::int64_t>()[changed];
      token = (token + 7) % 30;
      const auto changed_logits = model(other).to_vector<float>();
      const auto before = static_cast<std::size_t>(changed * 30);
      INFO("token ", changed);
      CHECK(same_bits(std::span(logits).first(before), std::span(changed_logits).first(before)));
      for (std::size_t position = before; position < 12 * 30; position += 30)
        CHECK(!same_bits(std::span(logits).subspan(position, 30), std::span(changed_logits).subspan(position, 30)));
      CHECK(same_bits(std::span(logits).last(12 * 30), std::span(changed_logits).last(12 * 30)));  // the other text
    }
  }
}

TEST_CASE("language model: is causal whatever the configuration says") {
  LanguageModelConfig config = small(nn::AttentionKind::softmax);
  config.attention.causal = false;
  manual_seed(3);
  LanguageModel model(config, 30);
  model.eval();
  const auto one = model(Tensor::from<std::int64_t>({1, 2}).as_strided({1, 2}, {2, 1})).to_vector<float>();
  const auto other = model(Tensor::from<std::int64_t>({1, 3}).as_strided({1, 2}, {2, 1})).to_vector<float>();
  CHECK(same_bits(std::span(one).first(30), std::span(other).first(30)));
}

TEST_CASE("language model: shorter texts give the beginning of longer ones") {
  manual_seed(4);
  LanguageModel model(small(nn::AttentionKind::fourier), 30);
  model.eval();
  const Tensor tokens = randint(0, 30, {1, 12});
  const auto all = model(tokens).to_vector<float>();
  const auto five = model(slice(tokens, 1, 0, 5)).to_vector<float>();
  const auto difference = largest_difference(five, std::span(all).first(5 * 30));
  CHECK_MESSAGE(difference.absolute < 1e-6, difference.str());
}

TEST_CASE("language model: dropout in training alone") {
  manual_seed(5);
  LanguageModel model(small(nn::AttentionKind::fourier), 30);
  const Tensor tokens = randint(0, 30, {1, 12});
  CHECK(!same_bits(model(tokens).to_vector<float>(), model(tokens).to_vector<float>()));
  model.eval();
  CHECK(same_bits(model(tokens).to_vector<float>(), model(tokens).to_vector<float>()));
}

TEST_CASE("language model: learns a line by heart, the same at any thread count") {
  for (const auto kind : kinds) {
    std::vector<std::vector<float>> weights;
    for (const int threads : {1, 2, 4}) {
      set_num_threads(threads);
      manual_seed(6);
      LanguageModelConfig config = small(kind);
      config.dropout = 0.01;
      LanguageModel model(config, 20);
      optim::Adam optimizer(model.parameters(), {.lr = 1e-2});
      const Tensor text = randint(0, 20, {4, 13});
      const Tensor inputs = slice(text, 1, 0, 12), targets = contiguous(slice(text, 1, 1, 13));
      double first = 0, last = 0;
      for (int step = 0; step < 100; ++step) {
        const Tensor loss = cross_entropy(reshape(model(inputs), {48, 20}), reshape(targets, {48}));
        optimizer.zero_grad();
        loss.backward();
        CHECK(model.parameters_without_grad().empty());
        optimizer.step();
        (step == 0 ? first : last) = loss.item<double>();
      }
      CHECK(first > 2.5);
      CHECK(last < 0.5);
      weights.emplace_back();
      for (const auto& [name, tensor] : model.parameters())
        for (const float w : tensor.to_vector<float>()) weights.back().push_back(w);
    }
    CHECK(same_bits(weights[0], weights[1]));
    CHECK(same_bits(weights[0], weights[2]));
  }
}

TEST_CASE("language model: a text in pieces, by the cache, gives what the whole gives") {
  const NoGrad no_grad;
  for (const auto kind : kinds) {
    for (const DType dtype : {f32, f64}) {
      manual_seed(7);
      LanguageModel model(small(kind), 30);
      for (const auto& [name, tensor] : model.parameters())
        if (tensor.rank() == 2) tensor.assign(tensor.detach() * 20.0);
      model.to(dtype);
      model.eval();
      const Tensor tokens = randint(0, 30, {2, 12});
      const Tensor whole = model(tokens);
      for (const std::vector<std::int64_t>& lengths :
           {std::vector<std::int64_t>(12, 1), {5, 1, 1, 1, 4}, {12}, {1, 10, 1}, {9, 3}}) {
        LanguageCache cache = model.make_cache(2);
        std::int64_t begin = 0;
        for (const std::int64_t n : lengths) {
          const Tensor piece = model.logits(model.hidden(slice(tokens, 1, begin, begin + n), &cache));
          const auto difference =
              largest_difference(piece.to_vector<double>(), slice(whole, 1, begin, begin + n).to_vector<double>());
          INFO(n, " tokens from ", begin);
          CHECK_MESSAGE(difference.relative < (dtype == f32 ? 1e-5 : 1e-12), difference.str());
          begin += n;
          CHECK(cache[1].length() == begin);
        }
        CHECK(contains(error_of([&] { model.hidden(slice(tokens, 1, 0, 1), &cache); }),
                       {"[LanguageModel]", "at most 0", "(2, 1)"}));
      }
    }
  }
  LanguageModel model(small(nn::AttentionKind::fourier), 30);
  LanguageCache cache;
  CHECK(contains(error_of([&] { model.hidden(randint(0, 30, {1, 2}), &cache); }), {"[LanguageModel]", "0", "2"}));
}

TEST_CASE("language model: what does not fit is refused") {
  LanguageModel model(small(nn::AttentionKind::fourier), 30);
  CHECK(error_of([&] {
          model(randint(0, 30, {1, 13}));
        })
            .starts_with(
                "[LanguageModel] tokens must be (B, N) with N at most 12; their shape is (1, 13) (at tests/models/"));
  CHECK(contains(error_of([&] { model(randint(0, 30, {5})); }), {"[LanguageModel]", "(5,)"}));
  CHECK(contains(error_of([&] { model(Tensor::from<std::int64_t>({30}).as_strided({1, 1}, {1, 1})); }), {"30"}));
}

TEST_CASE("language model: an adaptive softmax gives the loss, and logits that are log-probabilities") {
  for (const auto kind : kinds) {
    manual_seed(5);
    LanguageModelConfig config = small(kind);
    config.vocabulary = TokenKind::words;
    config.cutoffs = {10, 30};
    config.dropout = 0;
    LanguageModel model(config, 50);
    const std::int64_t plain = LanguageModel(small(kind), 50).num_parameters();
    CHECK(model.num_parameters() == plain + 2 * 16 + 2);
    CHECK(model.state_dict().contains("crit.cluster_weight"));
    CHECK(!model.state_dict().contains("bias"));
    const Tensor tokens = randint(0, 50, {2, 12}), targets = randint(0, 50, {2, 12});
    const Tensor log_p = model(tokens);
    CHECK(largest_difference(sum(exp(log_p), {-1}).to_vector<float>(), std::vector<double>(24, 1.0)).absolute < 1e-5);
    const double want = cross_entropy(flatten(log_p, 0, 1), flatten(targets)).item<double>();
    const Tensor loss = model.loss(tokens, targets);
    CHECK(loss.item<double>() == doctest::Approx(want).epsilon(1e-5));
    loss.backward();
    CHECK(model.parameters_without_grad().empty());
    CHECK(contains(error_of([&] { model.loss(tokens, targets, {.label_smoothing = 0.1}); }), {"adaptive softmax"}));
    config.cutoffs = {10, 50};
    CHECK(contains(error_of([&] { LanguageModel(config, 50); }), {"[adaptive_softmax]", "10, 50"}));
  }
}

TEST_CASE("language model: pre-norm has a norm after the last block") {
  manual_seed(6);
  LanguageModelConfig config = small(nn::AttentionKind::softmax);
  config.norm_order = NormOrder::before;
  LanguageModel model(config, 50);
  CHECK(model.num_parameters() == LanguageModel(small(nn::AttentionKind::softmax), 50).num_parameters() + 2 * 16);
  model.eval();
  const Tensor hidden = model.hidden(randint(0, 50, {1, 12}));
  const auto means = mean(hidden, {-1}).to_vector<double>();
  CHECK(largest_difference(means, std::vector<double>(12, 0.0)).absolute < 1e-5);
}

// Section by section: the table and a bias a word, a weight and a bias a cluster; in a block q, k, v and the output
// without bias, two norms, the feed-forward part with biases, and R where attention is Fourier's.
TEST_CASE("language model: the published models have their 44.0 and 89.8 million parameters") {
  struct Published {
    const char* name;
    std::int64_t width, parameters;
  };
  for (const auto& [name, d, parameters] :
       {Published{"small", 128, 44'018'394}, Published{"medium", 256, 89'833'434}}) {
    const std::int64_t words = 267'735, inner = 2048, layers = 16;
    const std::int64_t block = 3 * d * d + d * d + 2 * 2 * d + d * inner + inner + inner * d + d;
    CHECK(words * d + words + 3 * d + 3 + layers * block == parameters);
    for (const bool fourier : {false, true}) {
      const RunConfig config =
          RunConfig::read(std::string(FF_SOURCE_DIR "/models/configs/wikitext103_") + name + ".json",
                          {std::string("model.attention=") + (fourier ? "fourier" : "softmax")});
      CHECK(config.language.model.vocabulary_size == words);
      CHECK(LanguageModel(config.language.model, words).num_parameters() == parameters + (fourier ? layers : 0));
    }
  }
}
