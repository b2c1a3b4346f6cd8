#include "ff/core/cpu/sort.h"

#include <algorithm>

#include "ff/core/cpu/scratch.h"
#include "ff/core/parallel.h"

namespace ff::cpu {
namespace {

constexpr std::int64_t grain = 8 * 1024;  // elements a task sorts

// Values beside their positions: what is compared lies close together.
template <class T>
struct Entry {
  T value;
  std::int64_t position;
};

// a < b, NaN above all; false for two NaN.
template <class T>
bool less(T a, T b) {
  return a < b || (b != b && a == a);
}

// The first k of the n entries in order. No two are equal in it, so any way of sorting gives the same.
template <class T, class Before>
void sort_first(Entry<T>* entries, std::int64_t n, std::int64_t k, Before before) {
  if (k < n) std::nth_element(entries, entries + k, entries + n, before);
  std::sort(entries, entries + k, before);
}

}  // namespace

void sort(DType dtype, std::int64_t rows, std::int64_t n, std::int64_t k, bool descending, const void* x,
          std::int64_t* index) {
  if (k == 0) return;
  dispatch(dtype == boolean ? u8 : dtype, [&](auto tag) {
    using T = decltype(tag);
    using E = Entry<T>;
    parallel_for(rows, std::max<std::int64_t>(1, grain / n), [&](std::int64_t begin, std::int64_t end) {
      const Scratch<E> entries(n);
      for (std::int64_t r = begin; r < end; ++r) {
        for (std::int64_t i = 0; i < n; ++i) entries[i] = {static_cast<const T*>(x)[r * n + i], i};
        if (descending)
          sort_first(entries.data(), n, k, [](const E& a, const E& b) {
            return less(b.value, a.value) || (!less(a.value, b.value) && a.position < b.position);
          });
        else
          sort_first(entries.data(), n, k, [](const E& a, const E& b) {
            return less(a.value, b.value) || (!less(b.value, a.value) && a.position < b.position);
          });
        for (std::int64_t j = 0; j < k; ++j) index[r * k + j] = entries[j].position;
      }
    });
  });
}

}  // namespace ff::cpu
