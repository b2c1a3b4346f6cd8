#pragma once

#include <concepts>
#include <cstdint>
#include <memory>
#include <optional>

namespace ff {

class Tensor;

/// begin, begin + step, ... before end, as Python's begin:end:step: what is left out reaches to the end of the
/// dimension, negative ends count from it, and both are clamped to it. Slice() is the whole dimension.
struct Slice {
  std::optional<std::int64_t> begin, end;
  std::int64_t step;

  constexpr Slice(std::optional<std::int64_t> from = {}, std::optional<std::int64_t> to = {}, std::int64_t by = 1)
      : begin(from), end(to), step(by) {}
};

/// As many whole dimensions as the other indices leave.
struct Ellipsis {};
inline constexpr Ellipsis ellipsis{};

/// A new dimension of size 1.
struct NewAxis {};
inline constexpr NewAxis new_axis{};

/// One of the arguments of Tensor::operator(): made implicitly from what may stand there.
class Index {
 public:
  enum class Kind { none, integer, slice, rest, new_dimension, tensor };

  /// No index: what an argument is that was not given.
  Index() = default;
  /// One entry, counted from the end where negative; the dimension goes.
  template <std::integral T>
  requires(!std::same_as<T, bool>) Index(T at) : kind_(Kind::integer), integer_(static_cast<std::int64_t>(at)) {}
  Index(Slice slice) : kind_(Kind::slice), slice_(slice) {}
  Index(Ellipsis) : kind_(Kind::rest) {}
  Index(NewAxis) : kind_(Kind::new_dimension) {}
  /// Chosen entries: i64 or i32, or a boolean mask over as many dimensions as it has.
  Index(const Tensor& tensor);

  Kind kind() const { return kind_; }
  std::int64_t integer() const { return integer_; }
  const Slice& slice() const { return slice_; }
  const Tensor& tensor() const { return *tensor_; }

 private:
  Kind kind_ = Kind::none;
  std::int64_t integer_ = 0;
  Slice slice_;
  std::shared_ptr<const Tensor> tensor_;  // by pointer: Tensor is not complete here
};

}  // namespace ff
