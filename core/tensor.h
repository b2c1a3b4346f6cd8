#pragma once

#include <cstdint>
#include <functional>
#include <iosfwd>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "ff/core/call_site.h"
#include "ff/core/dtype.h"
#include "ff/core/index.h"
#include "ff/core/shape.h"
#include "ff/core/storage.h"

namespace ff {

class Tensor;

namespace autograd {
struct Meta;  // what autograd knows of a tensor; core only carries it
class Node;
}  // namespace autograd

/// An array of numbers: a handle, copied by reference, onto shared storage seen through a shape and strides. Functions
/// of tensors (`ff::exp(x)`, `ff::matmul(a, b)`, `a + b`) are declared in ff/autograd/ops/ops.h.
class Tensor {
 public:
  /// No tensor: defined() is false, and anything else but assignment throws.
  Tensor() = default;

  /// A dense tensor whose elements are not set.
  static Tensor empty(const Shape& shape, DType dtype = f32);
  /// A dense tensor over storage that is there already, from its first byte on. Throws Error where it is too small.
  static Tensor over(std::shared_ptr<Storage> storage, const Shape& shape, DType dtype);
  /// A dense copy of data, of T's dtype. Throws Error where the sizes differ.
  template <class T>
  static Tensor from(std::span<const T> data, const Shape& shape) {
    return from_memory(data.data(), data.size(), shape, dtype_of<T>());
  }
  template <class T>
  static Tensor from(const std::vector<T>& data, const Shape& shape) {
    return from(std::span<const T>(data), shape);
  }
  /// A one-dimensional tensor: Tensor::from({1.0f, 2.0f}).
  template <class T>
  static Tensor from(std::initializer_list<T> data) {
    return from(std::span<const T>(data.begin(), data.size()), {static_cast<std::int64_t>(data.size())});
  }
  /// A zero-dimensional tensor.
  static Tensor scalar(double value, DType dtype = f32);

  bool defined() const { return impl_ != nullptr; }
  const Shape& shape() const { return impl().shape; }
  /// Size of one dimension, counted from the end where negative.
  std::int64_t size(int dim) const { return shape().at(dim); }
  /// Steps between neighbours along each dimension, in elements.
  const Strides& strides() const { return impl().strides; }
  int rank() const { return shape().rank(); }
  std::int64_t numel() const { return shape().numel(); }
  DType dtype() const { return impl().dtype; }
  bool is_contiguous() const;

  /// The elements of a contiguous tensor. Throws Error where T is not its dtype, or where its layout has gaps. Writing
  /// through it is not seen by autograd: call bump_version() after.
  template <class T>
  T* data(Where site = {}) const {
    return static_cast<T*>(checked_data(dtype_of<T>(), site));
  }
  /// The only element, converted to T. Throws Error if there is not exactly one.
  template <class T>
  T item(Where site = {}) const;
  /// The elements in row-major order, converted to T.
  template <class T>
  std::vector<T> to_vector() const;

  /// Address of the first element, whatever the dtype and layout: for kernels.
  void* raw() const { return impl().storage->data() + impl().offset * static_cast<std::int64_t>(size_of(dtype())); }
  const std::shared_ptr<Storage>& storage() const { return impl().storage; }
  std::uint64_t version() const { return storage()->version(); }
  void bump_version() const { storage()->bump_version(); }
  /// The same storage seen otherwise, offset in elements from this tensor's first; unknown to autograd.
  Tensor as_strided(const Shape& shape, const Strides& strides, std::int64_t offset = 0) const;
  /// Itself where contiguous, else a dense copy; unknown to autograd.
  Tensor dense() const;
  /// A dense copy of the given dtype; unknown to autograd.
  Tensor copy(DType dtype) const;
  Tensor copy() const { return copy(dtype()); }
  /// Overwrites the elements in place with source's, broadcast and converted. Autograd sees the change, not where from.
  void assign(const Tensor& source, Where site = {}) const;
  /// Sets every element.
  void fill(double value) const;
  /// Whether both are handles on the same tensor object.
  bool is(const Tensor& other) const { return impl_ == other.impl_; }
  /// Whether nobody else has a handle on this tensor or its storage, so that it may be taken over.
  bool sole() const { return impl_.use_count() == 1 && storage().use_count() == 1; }
  /// What autograd keeps of this tensor; null for most.
  std::shared_ptr<autograd::Meta>& meta() const { return impl().meta; }

  /// Entries, as Python's x[...]: x(0, Slice(1, 4), ellipsis, new_axis), x(Slice(), -1), x(mask), x(rows, columns). See
  /// index() in ff/autograd/ops/subscript.h, which takes any number of indices. Differentiable; a view unless a tensor
  /// or a negative step is among the indices, so that x(0).assign(y) writes to x.
  Tensor operator()(const Index& first, const Index& second = {}, const Index& third = {}, const Index& fourth = {},
                    const Index& fifth = {}, const Index& sixth = {}, const Index& seventh = {},
                    const Index& eighth = {}, Where site = {}) const;

  /// The tensor as text, as NumPy prints arrays: a long one is summarised.
  std::string str() const;

  // Autograd; defined in autograd/tensor.cpp.

  /// Whether gradients flow to this tensor.
  bool requires_grad() const;
  /// Asks for a gradient (or ends that), and returns the tensor. Throws Error unless it is a floating leaf.
  const Tensor& requires_grad_(bool value = true, Where site = {}) const;
  /// Whether it is not the result of a recorded op.
  bool is_leaf() const;
  /// The gradient accumulated by backward(); undefined before.
  Tensor grad() const;
  void set_grad(const Tensor& grad, Where site = {}) const;
  /// Computes the gradient of this tensor, a scalar unless its own gradient is given, with respect to every leaf that
  /// requires one, and adds it to their grad(). The graph is freed unless retained.
  void backward(const Tensor& gradient = {}, bool retain_graph = false, bool create_graph = false,
                Where site = {}) const;
  /// The same elements, cut off from the graph.
  Tensor detach() const;
  /// Keeps the gradient of a tensor that is not a leaf, too.
  void retain_grad(Where site = {}) const;
  /// Calls hook with each gradient of this tensor before it is passed on; what it returns, if defined, takes its place.
  /// Returns a number for remove_hook().
  int register_hook(std::function<Tensor(const Tensor&)> hook, Where site = {}) const;
  /// Calls hook with this leaf each time that backward() has added to its grad().
  int register_post_accumulate_grad_hook(std::function<void(const Tensor&)> hook, Where site = {}) const;
  /// Takes either kind of hook away.
  void remove_hook(int id) const;
  /// The node of the graph that computed it, or null.
  std::shared_ptr<autograd::Node> grad_fn() const;

 private:
  struct Impl {
    std::shared_ptr<Storage> storage;
    Shape shape;
    Strides strides;
    std::int64_t offset = 0;  // in elements
    DType dtype = f32;
    std::shared_ptr<autograd::Meta> meta;
  };

  explicit Tensor(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
  static Tensor from_memory(const void* data, std::size_t count, const Shape& shape, DType dtype);
  Impl& impl() const {
    if (!impl_) [[unlikely]]
      throw_undefined();
    return *impl_;
  }
  [[noreturn]] static void throw_undefined();
  void* checked_data(DType dtype, Where site) const;

  std::shared_ptr<Impl> impl_;
};

std::ostream& operator<<(std::ostream& out, const Tensor& tensor);

}  // namespace ff
