// Entries read, written and counted at indices.

#include "ff/autograd/ops/ops.h"
#include "ff/core/check.h"

#include "tests/conformance/evaluate.h"

namespace ff::conformance {

namespace {

Outputs gathered(const Call& call) {
  const Tensor& x = call[0];
  const int axis = normalize_dim("Gather", static_cast<int>(call.integer("axis", 0)), x.rank());
  const Tensor index = wrap_index(call[1], x.size(axis));
  const Tensor y = index_select(x, axis, reshape(index, {-1}));
  // The axis becomes the dimensions of the index.
  Shape shape = x.shape();
  shape.erase(axis);
  for (int i = index.rank(); i-- > 0;) shape.insert(axis, index.size(i));
  return reshape(y, shape);
}

Outputs gathered_elements(const Call& call) {
  const int axis = static_cast<int>(call.integer("axis", 0));
  return gather(call[0], axis, wrap_index(call[1], call[0].size(axis)));
}

std::int64_t product(const Shape& shape, int begin, int end) {
  std::int64_t n = 1;
  for (int i = begin; i < end; ++i) n *= shape[i];
  return n;
}

Shape joined(const Shape& a, int a_begin, int a_end, const Shape& b, int b_begin, int b_end) {
  Shape shape;
  for (int i = a_begin; i < a_end; ++i) shape.push_back(a[i]);
  for (int i = b_begin; i < b_end; ++i) shape.push_back(b[i]);
  return shape;
}

// The last dimension of index (.., k) names entries of dimensions first to first + k of a tensor of that shape:
// the number of each in row-major order, (..).
Tensor flat_index(const Tensor& index, const Shape& shape, int first) {
  Tensor flat = zeros(joined(index.shape(), 0, index.rank() - 1, {}, 0, 0), {.dtype = i64});
  for (int i = 0; i < index.size(-1); ++i) {
    const std::int64_t size = shape[first + i];
    flat = flat * static_cast<double>(size) + wrap_index(select(index, -1, i), size);
  }
  return flat;
}

Outputs gathered_slices(const Call& call) {
  const Tensor &x = call[0], &index = call[1];
  const int b = static_cast<int>(call.integer("batch_dims", 0)), k = b + static_cast<int>(index.size(-1));
  // Dimensions: the batch, those the index chooses from, the rest.
  const std::int64_t batch = product(x.shape(), 0, b), entries = product(x.shape(), b, k);
  const Tensor rows = reshape(x, {batch * entries, product(x.shape(), k, x.rank())});
  const Tensor first = arange(0, static_cast<double>(batch * entries), static_cast<double>(entries), {.dtype = i64});
  const Tensor chosen = reshape(flat_index(index, x.shape(), b), {batch, -1}) + unsqueeze(first, 1);
  return reshape(index_select(rows, 0, reshape(chosen, {-1})),
                 joined(index.shape(), 0, index.rank() - 1, x.shape(), k, x.rank()));
}

Outputs scattered_elements(const Call& call) {
  const int axis = static_cast<int>(call.integer("axis", 0));
  const Tensor index = wrap_index(call[1], call[0].size(axis));
  const std::string reduction = call.text("reduction", "none");
  check(reduction == "none" || reduction == "add", "ScatterElements", "no reduction {}", reduction);
  return reduction == "add" ? scatter_add(call[0], axis, index, call[2]) : scatter(call[0], axis, index, call[2]);
}

Outputs scattered_slices(const Call& call) {
  const Tensor &x = call[0], &index = call[1];
  const int k = static_cast<int>(index.size(-1));
  Tensor y = reshape(x, {product(x.shape(), 0, k), product(x.shape(), k, x.rank())});
  const Tensor chosen = reshape(flat_index(index, x.shape(), 0), {-1});
  const Tensor source = reshape(call[2], {chosen.numel(), y.size(1)});
  const std::string reduction = call.text("reduction", "none");
  if (reduction == "add") {
    y = index_add(y, 0, chosen, source);
  } else if (reduction == "mul") {
    // One after the other, since an entry may be named again.
    for (std::int64_t i = 0; i < chosen.numel(); ++i) {
      const Tensor at = slice(chosen, 0, i, i + 1);
      y = index_copy(y, 0, at, index_select(y, 0, at) * slice(source, 0, i, i + 1));
    }
  } else {
    y = index_copy(y, 0, chosen, source);
  }
  return reshape(y, x.shape());
}

// values[1] at the index along a new axis, values[0] elsewhere and where the index is out of range.
Outputs one_hot_of_values(const Call& call) {
  const auto depth = call[1].item<std::int64_t>();
  const int axis = static_cast<int>(call.integer("axis", -1));
  const Tensor classes = arange(0, static_cast<double>(depth), 1, {.dtype = i64});
  const Tensor hot = eq(unsqueeze(wrap_index(cast(call[0], i64), depth), -1), classes);
  return move_dim(where(hot, select(call[2], 0, 1), select(call[2], 0, 0)), -1, axis);
}

// Entries along the axis (of all as one row without one) where the condition is true; it may be shorter.
Outputs compressed(const Call& call) {
  const Tensor chosen = reshape(nonzero(call[1]), {-1});
  if (!call.has("axis")) return index_select(reshape(call[0], {-1}), 0, chosen);
  return index_select(call[0], static_cast<int>(call.integer("axis", 0)), chosen);
}

// Distinct entries along an axis, or of all as one row: sorted stably by every column, the last first, equal
// neighbours are found.
Outputs unique(const Call& call) {
  const bool flat = !call.has("axis");
  const int axis = static_cast<int>(call.integer("axis", 0));
  const Tensor entries = flat ? reshape(call[0], {-1}) : move_dim(call[0], axis, 0);  // (n, ..)
  const std::int64_t n = entries.size(0);
  const Tensor rows = reshape(entries, {n, -1});

  Tensor order = arange(0, static_cast<double>(n), 1, {.dtype = i64});
  for (std::int64_t column = rows.size(1); column-- > 0;)
    order = index_select(order, 0, argsort(index_select(select(rows, 1, column), 0, order)));
  const Tensor sorted = index_select(rows, 0, order);
  const Tensor differs = any(ne(slice(sorted, 0, 1), slice(sorted, 0, 0, -1)), {1});
  const Tensor starts = concatenate({ones({1}, {.dtype = boolean}), differs});
  // Of each place in the order: the number of its distinct entry; of each of those, its first index.
  Tensor number = cumsum(cast(starts, i64), 0) - 1.0;
  Tensor first = index_select(order, 0, reshape(nonzero(starts), {-1}));
  if (!call.integer("sorted", 1)) {
    const Tensor by_first = argsort(first);
    number = index_select(argsort(by_first), 0, number);
    first = index_select(first, 0, by_first);
  }
  const Tensor inverse = scatter(zeros_like(order), 0, order, number);
  const Tensor counts = sum(one_hot(number, first.numel()), {0});
  const Tensor values = index_select(entries, 0, first);
  return {flat ? values : move_dim(values, 0, axis), first, inverse, counts};
}

}  // namespace

Operators indexing_operators() {
  return {{"Compress", compressed},
          {"Gather", gathered},
          {"GatherElements", gathered_elements},
          {"GatherND", gathered_slices},
          {"NonZero", [](const Call& call) { return transpose(nonzero(call[0]), 0, 1); }},
          {"OneHot", one_hot_of_values},
          {"Scatter", scattered_elements},
          {"ScatterElements", scattered_elements},
          {"ScatterND", scattered_slices},
          {"Unique", unique}};
}

}  // namespace ff::conformance
