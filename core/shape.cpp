#include "ff/core/shape.h"

#include <algorithm>

#include "ff/core/check.h"

namespace ff {

Shape::Shape(std::span<const std::int64_t> dims) : rank_(static_cast<int>(dims.size())) {
  check(dims.size() <= max_rank, "shape", "at most {} dimensions: {} asked for", max_rank, dims.size());
  std::copy(dims.begin(), dims.end(), dims_.begin());
}

Shape Shape::filled(int rank, std::int64_t size) {
  Shape shape;
  for (int i = 0; i < rank; ++i) shape.push_back(size);
  return shape;
}

std::int64_t Shape::numel() const {
  std::int64_t n = 1;
  bool overflow = false;
  for (auto d : *this) overflow |= __builtin_mul_overflow(n, d, &n);
  if (!overflow) return n;
  check(std::find(begin(), end(), 0) != end(), "shape", "{} has more elements than can be counted", str());
  return 0;
}

std::int64_t Shape::at(int i) const { return (*this)[normalize_dim("shape", i, rank_)]; }

void Shape::push_back(std::int64_t size) { insert(rank_, size); }

void Shape::insert(int at, std::int64_t size) {
  check(rank_ < max_rank, "shape", "at most {} dimensions: {} and one more asked for", max_rank, str());
  std::copy_backward(dims_.begin() + at, dims_.begin() + rank_, dims_.begin() + rank_ + 1);
  dims_[static_cast<std::size_t>(at)] = size;
  ++rank_;
}

void Shape::erase(int at) {
  std::copy(dims_.begin() + at + 1, dims_.begin() + rank_, dims_.begin() + at);
  --rank_;
}

bool Shape::operator==(const Shape& other) const { return std::equal(begin(), end(), other.begin(), other.end()); }

std::string Shape::str() const {
  return rank_ == 1 ? fmt::format("({},)", dims_[0]) : fmt::format("({})", fmt::join(begin(), end(), ", "));
}

Strides contiguous_strides(const Shape& shape) {
  Strides strides = Shape::filled(shape.rank(), 1);
  for (int i = shape.rank() - 2; i >= 0; --i) strides[i] = strides[i + 1] * std::max<std::int64_t>(shape[i + 1], 1);
  return strides;
}

Shape broadcast_shapes(const char* op, const Shape& a, const Shape& b) {
  Shape out = Shape::filled(std::max(a.rank(), b.rank()), 1);
  for (int i = 1; i <= out.rank(); ++i) {
    const std::int64_t da = i <= a.rank() ? a[a.rank() - i] : 1, db = i <= b.rank() ? b[b.rank() - i] : 1;
    check(da == db || da == 1 || db == 1, op, "shapes do not broadcast: {} and {}", a.str(), b.str());
    out[out.rank() - i] = da == 1 ? db : da;
  }
  return out;
}

Strides broadcast_strides(const Shape& from, const Strides& strides, const Shape& to) {
  Strides out = Shape::filled(to.rank(), 0);
  for (int i = 1; i <= from.rank(); ++i)
    if (from[from.rank() - i] != 1) out[to.rank() - i] = strides[from.rank() - i];
  return out;
}

int normalize_dim(const char* op, int dim, int rank) {
  const int range = std::max(rank, 1);  // a scalar is taken to have one dimension
  check(dim >= -range && dim < range, op, "dimension out of range: {} of a tensor of rank {}", dim, rank);
  return dim < 0 ? dim + range : dim;
}

}  // namespace ff
