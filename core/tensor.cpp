#include "ff/core/tensor.h"

#include <cstring>

#include "ff/core/check.h"
#include "ff/core/cpu/elementwise.h"

namespace ff {

Index::Index(const Tensor& tensor) : kind_(Kind::tensor), tensor_(std::make_shared<const Tensor>(tensor)) {}

Tensor Tensor::empty(const Shape& shape, DType dtype) {
  for (auto d : shape) check(d >= 0, "empty", "negative size: {}", shape.str());
  check(shape.numel() <= INT64_MAX / 8, "empty", "more elements than memory can hold: {}", shape.str());
  return over(std::make_shared<Storage>(static_cast<std::size_t>(shape.numel()) * size_of(dtype)), shape, dtype);
}

Tensor Tensor::over(std::shared_ptr<Storage> storage, const Shape& shape, DType dtype) {
  check(static_cast<std::size_t>(shape.numel()) <= storage->bytes() / size_of(dtype), "over",
        "{} bytes are too few for {} of shape {}", storage->bytes(), name(dtype), shape.str());
  auto impl = std::make_shared<Impl>();
  impl->storage = std::move(storage);
  impl->shape = shape;
  impl->strides = contiguous_strides(shape);
  impl->dtype = dtype;
  return Tensor(std::move(impl));
}

Tensor Tensor::from_memory(const void* data, std::size_t count, const Shape& shape, DType dtype) {
  check(static_cast<std::int64_t>(count) == shape.numel(), "from", "{} elements do not make a tensor of shape {}",
        count, shape.str());
  Tensor out = empty(shape, dtype);
  if (count > 0) std::memcpy(out.raw(), data, count * size_of(dtype));
  return out;
}

Tensor Tensor::scalar(double value, DType dtype) {
  Tensor out = empty({}, dtype);
  out.fill(value);
  return out;
}

bool Tensor::is_contiguous() const {
  std::int64_t expected = 1;
  for (int i = rank() - 1; i >= 0; --i) {
    if (shape()[i] != 1 && strides()[i] != expected) return numel() == 0;
    expected *= shape()[i];
  }
  return true;
}

template <class T>
std::vector<T> Tensor::to_vector() const {
  const Tensor converted = copy(dtype_of<T>());
  const T* first = converted.data<T>();
  return std::vector<T>(first, first + numel());
}
template std::vector<float> Tensor::to_vector() const;
template std::vector<double> Tensor::to_vector() const;
template std::vector<std::int32_t> Tensor::to_vector() const;
template std::vector<std::int64_t> Tensor::to_vector() const;
template std::vector<std::uint8_t> Tensor::to_vector() const;
template std::vector<bool> Tensor::to_vector() const;

Tensor Tensor::as_strided(const Shape& shape, const Strides& strides, std::int64_t offset) const {
  auto view = std::make_shared<Impl>();
  view->storage = impl().storage;
  view->shape = shape;
  view->strides = strides;
  view->offset = impl().offset + offset;
  view->dtype = dtype();
  return Tensor(std::move(view));
}

Tensor Tensor::dense() const { return is_contiguous() ? *this : copy(); }

Tensor Tensor::copy(DType to) const {
  Tensor out = empty(shape(), to);
  cpu::copy(dtype(), to, shape(), raw(), strides(), out.raw(), out.strides());
  return out;
}

void Tensor::assign(const Tensor& source, Where site) const {
  const CallSite here(site);
  check(broadcast_shapes("assign", source.shape(), shape()) == shape(), "assign", "shape {} does not broadcast to {}",
        source.shape().str(), shape().str());
  const Tensor from = source.storage() == storage() ? source.copy() : source;
  cpu::copy(from.dtype(), dtype(), shape(), from.raw(), broadcast_strides(from.shape(), from.strides(), shape()), raw(),
            strides());
  bump_version();
}

void Tensor::fill(double value) const {
  if (is_contiguous()) {
    cpu::fill(dtype(), numel(), raw(), value);
    bump_version();
  } else {
    assign(scalar(value, dtype()));
  }
}

void Tensor::throw_undefined() { throw Error("[tensor] an undefined tensor was used"); }

void* Tensor::checked_data(DType asked, Where site) const {
  const CallSite here(site);
  check(asked == dtype(), "data", "the tensor's dtype is {}, {} asked for", name(dtype()), name(asked));
  check(is_contiguous(), "data", "the tensor is not contiguous: shape {}, strides {}; call contiguous() first",
        shape().str(), strides().str());
  return raw();
}

template <class T>
T Tensor::item(Where site) const {
  const CallSite here(site);
  check(numel() == 1, "item", "a tensor of one element is needed, the shape is {}", shape().str());
  return dispatch(dtype(), [&](auto tag) { return static_cast<T>(*static_cast<const decltype(tag)*>(raw())); });
}
template float Tensor::item(Where) const;
template double Tensor::item(Where) const;
template std::int32_t Tensor::item(Where) const;
template std::int64_t Tensor::item(Where) const;
template std::uint8_t Tensor::item(Where) const;
template bool Tensor::item(Where) const;

}  // namespace ff
