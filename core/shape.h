#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>

namespace ff {

/// The sizes of a tensor's dimensions (or its strides, in elements), outermost first; at most max_rank of them.
/// Held in place: making one allocates nothing.
class Shape {
 public:
  static constexpr int max_rank = 8;

  Shape() = default;
  Shape(std::initializer_list<std::int64_t> dims) : Shape(std::span(dims.begin(), dims.size())) {}
  /// Throws Error beyond max_rank dimensions.
  explicit Shape(std::span<const std::int64_t> dims);
  /// rank dimensions of the same size.
  static Shape filled(int rank, std::int64_t size);

  int rank() const { return rank_; }
  /// Product of the sizes; 1 for rank 0.
  std::int64_t numel() const;
  std::int64_t operator[](int i) const { return dims_[static_cast<std::size_t>(i)]; }
  std::int64_t& operator[](int i) { return dims_[static_cast<std::size_t>(i)]; }
  /// Size of dimension i, counted from the end where negative. Throws Error if there is none.
  std::int64_t at(int i) const;
  void push_back(std::int64_t size);
  void insert(int at, std::int64_t size);
  void erase(int at);
  const std::int64_t* begin() const { return dims_.data(); }
  const std::int64_t* end() const { return dims_.data() + rank_; }
  bool operator==(const Shape& other) const;
  /// "(2, 3)", "(5,)", "()".
  std::string str() const;

 private:
  std::array<std::int64_t, max_rank> dims_{};
  int rank_ = 0;
};

using Strides = Shape;

/// Strides of a dense row-major layout.
Strides contiguous_strides(const Shape& shape);

/// The shape both broadcast to (NumPy's rules). Throws Error("[op] shapes do not broadcast: (3,) and (2,)").
Shape broadcast_shapes(const char* op, const Shape& a, const Shape& b);

/// Strides that read a tensor of `from` and `strides` as if it had shape `to`, which it must broadcast to: 0 where a
/// dimension is repeated.
Strides broadcast_strides(const Shape& from, const Strides& strides, const Shape& to);

/// dim as an index in [0, rank): counted from the end where negative. Throws Error naming op.
int normalize_dim(const char* op, int dim, int rank);

}  // namespace ff
