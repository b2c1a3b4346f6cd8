#include "ff/nn/key_value_cache.h"

#include <doctest/doctest.h>

#include "ff/autograd/grad_mode.h"
#include "ff/autograd/ops/ops.h"
#include "ff/core/random.h"
#include "ff/nn/attention.h"

#include "tests/support/compare.h"
#include "tests/support/errors.h"

using namespace ff;
using namespace ff::test;
using nn::AttentionKind;
using nn::KeyValueCache;

namespace {

nn::AttentionOptions options(AttentionKind kind, bool causal) {
  return {.attention = kind, .causal = causal, .radius_shape = nn::RadiusShape::head_feature};
}

}  // namespace

TEST_CASE("key-value cache: holds what was appended, in order") {
  KeyValueCache cache(2, 3, 5, 4);
  CHECK(cache.length() == 0);
  CHECK(cache.capacity() == 5);
  CHECK(cache.keys().shape() == Shape{2, 3, 0, 4});
  const Tensor k = randn({2, 3, 4, 4}), v = randn({2, 3, 4, 4});
  cache.append(narrow(k, 2, 0, 3), narrow(v, 2, 0, 3));
  cache.append(narrow(k, 2, 3, 1), narrow(v, 2, 3, 1));
  CHECK(cache.length() == 4);
  CHECK(same_bits(cache.keys().to_vector<float>(), k.to_vector<float>()));
  CHECK(same_bits(cache.values().to_vector<float>(), v.to_vector<float>()));
  cache.truncate(2);
  CHECK(same_bits(cache.keys().to_vector<float>(), narrow(k, 2, 0, 2).copy().to_vector<float>()));
}

TEST_CASE("key-value cache: what does not fit is refused, and changes nothing") {
  KeyValueCache cache(1, 2, 4, 3);
  const Tensor three = randn({1, 2, 3, 3});
  cache.append(three, three);
  CHECK(error_of([&] {
          cache.append(randn({1, 2, 2, 3}), randn({1, 2, 2, 3}));
        }) == "[KeyValueCache] 3 positions and 2 more are beyond its capacity of 4");
  CHECK(contains(error_of([&] {
                   cache.append(randn({1, 3, 1, 3}), randn({1, 3, 1, 3}));
                 }),
                 {"[KeyValueCache]", "(1, 3, 1, 3)", "(1, 2, 4, 3)"}));
  CHECK(contains(error_of([&] { cache.append(randn({1, 2, 1, 3}), randn({1, 2, 2, 3})); }), {"(1, 2, 2, 3)"}));
  CHECK(contains(error_of([&] {
                   cache.append(randn({1, 2, 1, 3}, {.dtype = f64}), randn({1, 2, 1, 3}));
                 }),
                 {"f64", "f32"}));
  CHECK(contains(error_of([&] { cache.append(randn({2, 3}), randn({2, 3})); }), {"(2, 3)"}));
  CHECK(cache.length() == 3);
  CHECK(contains(error_of([&] { cache.truncate(4); }), {"3", "4"}));
  CHECK(contains(error_of([&] { cache.truncate(-1); }), {"-1"}));
  CHECK(contains(error_of([] { KeyValueCache(1, 0, 4, 3); }), {"[KeyValueCache]", "(1, 0, 4, 3)"}));
  CHECK(contains(error_of([] { KeyValueCache(1, 1, 4, 3, i64); }), {"[KeyValueCache]", "i64"}));
}

TEST_CASE("attention with a cache: causal, in pieces, gives what the whole gives") {
  for (const AttentionKind kind : {AttentionKind::fourier, AttentionKind::softmax}) {
    for (const DType dtype : {f32, f64}) {
      manual_seed(1);
      nn::MultiHeadAttention attention(12, 3, options(kind, true));
      attention.to(dtype);
      attention.eval();
      const NoGrad no_grad;
      const Tensor x = randn({2, 20, 12}, {.dtype = dtype}), whole = attention(x);
      KeyValueCache cache = attention.make_cache(2, 20);
      std::int64_t begin = 0;
      for (const std::int64_t n : {3, 1, 1, 9, 2, 4}) {
        const Tensor y = attention(narrow(x, 1, begin, n), {.cache = &cache});
        const auto difference =
            largest_difference(y.to_vector<double>(), narrow(whole, 1, begin, n).to_vector<double>(), y.shape());
        INFO(n, " tokens from ", begin);
        CHECK_MESSAGE(difference.relative < (dtype == f32 ? 4e-6 : 1e-13), difference.str());
        begin += n;
      }
      CHECK(cache.length() == 20);
    }
  }
}

TEST_CASE("attention with a cache: without causal, and with a mask over all keys") {
  for (const AttentionKind kind : {AttentionKind::fourier, AttentionKind::softmax}) {
    manual_seed(2);
    nn::MultiHeadAttention attention(8, 2, options(kind, false));
    attention.eval();
    const NoGrad no_grad;
    const Tensor x = randn({1, 6, 8}), mask = gt(randn({6}), -0.5);
    KeyValueCache cache = attention.make_cache(1, 6);
    attention(narrow(x, 1, 0, 4), {.cache = &cache});
    const Tensor y = attention(narrow(x, 1, 4, 2), {.mask = mask, .cache = &cache});
    const Tensor whole = attention(x, {.mask = mask});
    const auto difference =
        largest_difference(y.to_vector<double>(), narrow(whole, 1, 4, 2).to_vector<double>(), y.shape());
    CHECK_MESSAGE(difference.relative < 4e-6, difference.str());
  }
}

TEST_CASE("attention with a cache: refused while training, while recording, with a context, beyond capacity") {
  nn::MultiHeadAttention attention(8, 2, options(AttentionKind::fourier, true));
  KeyValueCache cache = attention.make_cache(1, 3);
  const Tensor x = randn({1, 2, 8});
  CHECK(contains(error_of([&] { attention(x, {.cache = &cache}); }), {"[MultiHeadAttention]", "NoGrad"}));
  attention.eval();
  CHECK(contains(error_of([&] { attention(x, {.cache = &cache}); }), {"[MultiHeadAttention]", "NoGrad"}));
  const NoGrad no_grad;
  CHECK(
      contains(error_of([&] { attention(x, {.context = x, .cache = &cache}); }), {"[MultiHeadAttention]", "context"}));
  attention(x, {.cache = &cache});
  CHECK(contains(error_of([&] { attention(x, {.cache = &cache}); }), {"[KeyValueCache]", "2 positions", "3"}));
  CHECK(contains(error_of([&] {
                   attention(randn({2, 1, 8}), {.cache = &cache});
                 }),
                 {"[KeyValueCache]", "(2, 2, 1, 4)"}));
  attention.train();
  CHECK(contains(error_of([&] { attention(x, {.cache = &cache}); }), {"[MultiHeadAttention]", "evaluation mode"}));
  CHECK(cache.length() == 2);
}
