#include "ff/core/cpu/dropout.h"

#include <algorithm>

#include "ff/core/cpu/philox.h"
#include "ff/core/parallel.h"

namespace ff::cpu {
namespace {

constexpr std::int64_t grain = 16 * 1024;  // elements; a multiple of block
constexpr std::int64_t block = 1024;       // words drawn at once

template <class T>
struct Arrays {
  const T *x, *residual;
  T* y;
};

// Elements [begin, begin + n), word j of words for element j.
template <class T>
void each_by_its_word(const Arrays<T>& a, std::int64_t begin, std::int64_t n, const std::uint32_t* words,
                      std::uint32_t threshold, T scale) {
  const T *x = a.x + begin, *residual = a.residual;
  T* y = a.y + begin;
  if (residual == nullptr) {
    for (std::int64_t i = 0; i < n; ++i) y[i] = words[i] >= threshold ? x[i] * scale : T{0};
  } else {
    residual += begin;
    for (std::int64_t i = 0; i < n; ++i) y[i] = residual[i] + (words[i] >= threshold ? x[i] * scale : T{0});
  }
}

// Elements [begin, end) that share a word.
template <class T>
void all_alike(const Arrays<T>& a, std::int64_t begin, std::int64_t end, bool kept, T scale) {
  for (std::int64_t i = begin; i < end; ++i) {
    const T value = kept ? a.x[i] * scale : T{0};
    a.y[i] = a.residual == nullptr ? value : a.residual[i] + value;
  }
}

}  // namespace

void dropout(DType dtype, std::int64_t n, double p, RandomKey key, std::int64_t span, const void* x,
             const void* residual, void* y) {
  const std::uint32_t threshold = drop_threshold(p);
  dispatch_floating(dtype, [&](auto tag) {
    using T = decltype(tag);
    const Arrays<T> a{static_cast<const T*>(x), static_cast<const T*>(residual), static_cast<T*>(y)};
    const T scale = static_cast<T>(1 / (1 - p));
    parallel_for(n, grain, [&](std::int64_t begin, std::int64_t end) {
      std::uint32_t words[block];
      for (std::int64_t next; begin < end; begin = next) {
        if (span == 1) {
          next = std::min(end, begin + block);
          philox_words(key, static_cast<std::uint64_t>(begin / 4), (next - begin + 3) / 4, words);
          each_by_its_word(a, begin, next - begin, words, threshold, scale);
        } else {
          const std::int64_t word = begin / span;
          next = std::min(end, (word + 1) * span);
          all_alike(a, begin, next, random_bits(key, static_cast<std::uint64_t>(word)) >= threshold, scale);
        }
      }
    });
  });
}

}  // namespace ff::cpu
