// Matrix products.

#include "ff/core/cpu/matmul.h"

#include <vector>

#include "ff/autograd/function.h"
#include "ff/autograd/ops/kernels.h"
#include "ff/autograd/ops/op_table.h"
#include "ff/autograd/ops/ops.h"
#include "ff/core/check.h"

namespace ff {
namespace {

// The last two dimensions of a tensor as BLAS takes a matrix.
struct Matrix {
  Tensor tensor;
  bool transposed = false;
  std::int64_t rows = 0, cols = 0, ld = 0;

  // Copied only where neither dimension has unit stride.
  explicit Matrix(const Tensor& x) : tensor(x), rows(x.size(-2)), cols(x.size(-1)) {
    auto fits = [](std::int64_t unit, std::int64_t unit_size, std::int64_t step, std::int64_t steps) {
      return (unit == 1 || unit_size == 1) && (steps <= 1 || step >= std::max<std::int64_t>(unit_size, 1));
    };
    auto stride = [&](int i) { return tensor.strides()[tensor.rank() + i]; };
    if (fits(stride(-2), rows, stride(-1), cols) && !fits(stride(-1), cols, stride(-2), rows))
      transposed = true;
    else if (!fits(stride(-1), cols, stride(-2), rows))
      tensor = tensor.copy();
    const std::int64_t steps = transposed ? cols : rows, width = transposed ? rows : cols;
    ld = std::max<std::int64_t>({1, width, steps > 1 ? stride(transposed ? -1 : -2) : 1});
  }

  cpu::MatrixSteps steps() const { return transposed ? cpu::MatrixSteps{1, ld} : cpu::MatrixSteps{ld, 1}; }

  // Where each matrix of a batch of the given shape begins.
  std::vector<std::int64_t> offsets(const Shape& batch) const {
    const int own = tensor.rank() - 2;
    const Strides strides =
        broadcast_strides(Shape(std::span(tensor.shape().begin(), static_cast<std::size_t>(own))),
                          Strides(std::span(tensor.strides().begin(), static_cast<std::size_t>(own))), batch);
    std::vector<std::int64_t> result(static_cast<std::size_t>(batch.numel()));
    Shape at = Shape::filled(batch.rank(), 0);
    std::int64_t offset = 0;
    for (auto& entry : result) {
      entry = offset;
      for (int i = batch.rank() - 1; i >= 0; --i) {
        offset += strides[i];
        if (++at[i] < batch[i]) break;
        offset -= strides[i] * at[i];
        at[i] = 0;
      }
    }
    return result;
  }
};

Shape batch_of(const Tensor& x) { return Shape(std::span(x.shape().begin(), static_cast<std::size_t>(x.rank() - 2))); }

// a (.., M, K) times b (.., K, N), both of rank 2 at least and of one dtype.
struct MatMul : Function<MatMul> {
  static constexpr const char* name = "matmul";
  static Tensor forward(Context& ctx, const Tensor& left, const Tensor& right) {
    ctx.save({ctx.needs_grad(1) ? left : Tensor(), ctx.needs_grad(0) ? right : Tensor()});
    const Matrix a(left), b(right);
    const Shape batch = broadcast_shapes(name, batch_of(left), batch_of(right));
    Shape shape = batch;
    shape.push_back(a.rows);
    shape.push_back(b.cols);
    Tensor y = Tensor::empty(shape, left.dtype());
    const std::vector<std::int64_t> a_at = a.offsets(batch), b_at = b.offsets(batch), y_at = Matrix(y).offsets(batch);
    if (!is_floating(y.dtype())) {
      cpu::matmul_integers(y.dtype(), batch.numel(), a.rows, b.cols, a.cols, a.tensor.raw(), a_at.data(), a.steps(),
                           b.tensor.raw(), b_at.data(), b.steps(), y.raw());
      return y;
    }
    dispatch_floating(left.dtype(), [&](auto tag) {
      using T = decltype(tag);
      cpu::gemm_batched(a.transposed, b.transposed, batch.numel(), a.rows, b.cols, a.cols,
                        static_cast<const T*>(a.tensor.raw()), a_at.data(), a.ld, static_cast<const T*>(b.tensor.raw()),
                        b_at.data(), b.ld, y.data<T>(), y_at.data(), std::max<std::int64_t>(b.cols, 1));
    });
    return y;
  }
  static Gradients backward(Context& ctx, const Tensor& dy) {
    return {ctx.needs_grad(0) ? matmul(dy, transpose(ctx.saved(1), -2, -1)) : Tensor(),
            ctx.needs_grad(1) ? matmul(transpose(ctx.saved(0), -2, -1), dy) : Tensor()};
  }
};

// y = bias, broadcast to y's shape.
void fill_with(const Tensor& y, const Tensor& bias) {
  cpu::copy(y.dtype(), y.dtype(), y.shape(), bias.raw(), broadcast_strides(bias.shape(), bias.strides(), y.shape()),
            y.raw(), y.strides());
}

// beta bias + alpha a b: a (M, K), b (K, N), bias broadcast to (M, N), all of one dtype.
struct AddMM : Function<AddMM> {
  static constexpr const char* name = "addmm";
  double beta = 1, alpha = 1;
  Tensor forward(Context& ctx, const Tensor& bias, const Tensor& left, const Tensor& right, double of_bias,
                 double of_product) {
    beta = of_bias, alpha = of_product;
    ctx.save({ctx.needs_grad(2) ? left : Tensor(), ctx.needs_grad(1) ? right : Tensor()});
    const Matrix a(left), b(right);
    const Tensor y = Tensor::empty({a.rows, b.cols}, left.dtype());
    if (beta != 0) fill_with(y, bias);
    dispatch_floating(y.dtype(), [&](auto tag) {
      using T = decltype(tag);
      cpu::gemm(a.transposed, b.transposed, a.rows, b.cols, a.cols, static_cast<T>(alpha),
                static_cast<const T*>(a.tensor.raw()), a.ld, static_cast<const T*>(b.tensor.raw()), b.ld,
                static_cast<T>(beta), y.data<T>(), std::max<std::int64_t>(b.cols, 1));
    });
    return y;
  }
  Gradients backward(Context& ctx, const Tensor& dy) const {
    return {ctx.needs_grad(0) ? dy * beta : Tensor(),
            ctx.needs_grad(1) ? matmul(dy, transpose(ctx.saved(1), 0, 1)) * alpha : Tensor(),
            ctx.needs_grad(2) ? matmul(transpose(ctx.saved(0), 0, 1), dy) * alpha : Tensor()};
  }
};

// x (R, I) times weight (O, I) transposed, plus bias.
struct Linear : Function<Linear> {
  static constexpr const char* name = "linear";
  bool biased = false;
  Tensor forward(Context& ctx, const Tensor& x, const Tensor& weight, const Tensor& bias) {
    ctx.save({x, weight});
    biased = bias.defined();
    const Matrix a(x), b(weight);
    const Shape shape{a.rows, b.rows};
    Tensor y = Tensor::empty(shape, x.dtype());
    const Tensor row = biased ? bias.dense() : Tensor();
    dispatch_floating(x.dtype(), [&](auto tag) {
      using T = decltype(tag);
      cpu::gemm_biased(a.transposed, !b.transposed, a.rows, b.rows, a.cols, static_cast<const T*>(a.tensor.raw()), a.ld,
                       static_cast<const T*>(b.tensor.raw()), b.ld, biased ? static_cast<const T*>(row.raw()) : nullptr,
                       y.data<T>(), std::max<std::int64_t>(b.rows, 1));
    });
    return y;
  }
  Gradients backward(Context& ctx, const Tensor& dy) const {
    Gradients gradients{ctx.needs_grad(0) ? matmul(dy, ctx.saved(1)) : Tensor(),
                        ctx.needs_grad(1) ? matmul(transpose(dy, 0, 1), ctx.saved(0)) : Tensor()};
    if (biased) gradients.push_back(ctx.needs_grad(2) ? sum(dy, {0}) : Tensor());
    return gradients;
  }
};

}  // namespace

Tensor matmul(const Tensor& a, const Tensor& b, Where site) {
  const CallSite here(site);
  const char* op = MatMul::name;
  check(a.rank() > 0 && b.rank() > 0, op, "scalars have no matrix product: {} x {}", a.shape().str(), b.shape().str());
  check(a.dtype() == b.dtype(), op, "two tensors of one dtype are needed: {} x {}", name(a.dtype()), name(b.dtype()));
  check(a.dtype() != boolean, op, "booleans have no arithmetic: cast them first");
  if (a.rank() == 1) return squeeze(matmul(unsqueeze(a, 0), b), b.rank() == 1 ? 0 : -2);
  if (b.rank() == 1) return squeeze(matmul(a, unsqueeze(b, 1)), -1);
  check(a.size(-1) == b.size(-2), op, "inner dimensions differ: {} x {}", a.shape().str(), b.shape().str());
  if (b.rank() == 2 && a.rank() > 2) {
    // One large product in place of a batch of small ones.
    Shape shape = a.shape();
    shape[shape.rank() - 1] = b.size(1);
    return reshape(MatMul::apply(reshape(a, {a.numel() / std::max<std::int64_t>(a.size(-1), 1), a.size(-1)}), b),
                   shape);
  }
  return MatMul::apply(a, b);
}

Tensor bmm(const Tensor& a, const Tensor& b, Where site) {
  const CallSite here(site);
  check(a.rank() == 3 && b.rank() == 3 && a.size(0) == b.size(0) && a.size(2) == b.size(1), "bmm",
        "batches of matrices (B, M, K) and (B, K, N) are needed: {} and {}", a.shape().str(), b.shape().str());
  return matmul(a, b);
}

Tensor dot(const Tensor& a, const Tensor& b, Where site) {
  const CallSite here(site);
  check(a.rank() == 1 && a.shape() == b.shape(), "dot", "two vectors of one size are needed: {} and {}",
        a.shape().str(), b.shape().str());
  return matmul(a, b);
}

Tensor outer(const Tensor& a, const Tensor& b, Where site) {
  const CallSite here(site);
  check(a.rank() == 1 && b.rank() == 1, "outer", "two vectors are needed: {} and {}", a.shape().str(), b.shape().str());
  return unsqueeze(a, 1) * unsqueeze(b, 0);
}

Tensor addmm(const Tensor& bias, const Tensor& a, const Tensor& b, double beta, double alpha, Where site) {
  const CallSite here(site);
  const char* op = AddMM::name;
  check(a.rank() == 2 && b.rank() == 2 && a.size(1) == b.size(0), op,
        "matrices (M, K) and (K, N) are needed: {} and {}", a.shape().str(), b.shape().str());
  check(is_floating(a.dtype()) && a.dtype() == b.dtype() && a.dtype() == bias.dtype(), op,
        "floating tensors of one dtype are needed: bias {}, a {}, b {}", name(bias.dtype()), name(a.dtype()),
        name(b.dtype()));
  const Shape shape{a.size(0), b.size(1)};
  check(broadcast_shapes(op, bias.shape(), shape) == shape, op, "a bias of shape {} does not broadcast to {}",
        bias.shape().str(), shape.str());
  return AddMM::apply(bias, a, b, beta, alpha);
}

Tensor linear(const Tensor& x, const Tensor& weight, const Tensor& bias, Where site) {
  const CallSite here(site);
  const char* op = Linear::name;
  if (weight.rank() != 2 || x.rank() == 0 || x.size(-1) != weight.size(1))
    fail(op, "x (.., I) and weight (O, I) are needed: {} and {}", x.shape().str(), weight.shape().str());
  check(is_floating(x.dtype()) && x.dtype() == weight.dtype() && (!bias.defined() || bias.dtype() == x.dtype()), op,
        "floating tensors of one dtype are needed: x {}, weight {}, bias {}", name(x.dtype()), name(weight.dtype()),
        bias.defined() ? name(bias.dtype()) : "none");
  if (bias.defined() && (bias.rank() != 1 || bias.size(0) != weight.size(0)))
    fail(op, "a bias of shape {} for {} outputs", bias.shape().str(), weight.size(0));
  Shape shape = x.shape();
  shape[shape.rank() - 1] = weight.size(0);
  std::int64_t rows = 1;
  for (int i = 0; i + 1 < x.rank(); ++i) rows *= x.shape()[i];
  return reshape(Linear::apply(reshape(x, {rows, x.size(-1)}), weight, bias), shape);
}

std::vector<OpRecord> matmul_ops() {
  using Inputs = std::vector<Tensor>;
  return {{"matmul", true,
           [](Sampler& s) {
             auto call = [](const Inputs& in) { return matmul(in[0], in[1]); };
             auto pair = [&](const char* label, const Shape& a, const Shape& b) {
               return OpSample{label, {s.normal(a), s.normal(b)}, call};
             };
             return std::vector<OpSample>{pair("matrices", {2, 3}, {3, 4}),
                                          pair("batches", {2, 2, 3}, {2, 3, 2}),
                                          pair("batch by matrix", {2, 2, 3}, {3, 2}),
                                          pair("matrix by batch", {2, 3}, {2, 3, 2}),
                                          pair("broadcast batches", {2, 1, 2, 3}, {3, 3, 1}),
                                          pair("vectors", {3}, {3}),
                                          pair("vector by matrix", {3}, {3, 2}),
                                          pair("batch by vector", {2, 2, 3}, {3}),
                                          pair("no inner dimension", {2, 0}, {0, 3}),
                                          pair("no rows", {0, 3}, {3, 2}),
                                          pair("size 1", {1, 1}, {1, 1}),
                                          {"transposed", {s.normal({3, 2}), s.normal({4, 3})}, [](const Inputs& in) {
                                             return matmul(transpose(in[0], 0, 1), transpose(in[1], 0, 1));
                                           }}};
           }},
          {"bmm", true,
           [](Sampler& s) {
             auto call = [](const Inputs& in) { return bmm(in[0], in[1]); };
             return std::vector<OpSample>{{"matrices", {s.normal({2, 2, 3}), s.normal({2, 3, 2})}, call},
                                          {"size 1", {s.normal({1, 1, 1}), s.normal({1, 1, 1})}, call},
                                          {"empty batch", {s.normal({0, 2, 3}), s.normal({0, 3, 2})}, call}};
           }},
          {"dot", true,
           [](Sampler& s) {
             auto call = [](const Inputs& in) { return dot(in[0], in[1]); };
             return std::vector<OpSample>{{"vectors", {s.normal({4}), s.normal({4})}, call},
                                          {"empty", {s.normal({0}), s.normal({0})}, call}};
           }},
          {"outer", true,
           [](Sampler& s) {
             auto call = [](const Inputs& in) { return outer(in[0], in[1]); };
             return std::vector<OpSample>{{"vectors", {s.normal({3}), s.normal({2})}, call},
                                          {"size 1", {s.normal({1}), s.normal({3})}, call},
                                          {"empty", {s.normal({0}), s.normal({3})}, call}};
           }},
          {"addmm", true,
           [](Sampler& s) {
             auto call = [](double beta, double alpha) {
               return [=](const Inputs& in) { return addmm(in[0], in[1], in[2], beta, alpha); };
             };
             auto with_bias = [&](const char* label, const Shape& bias, double beta, double alpha) {
               return OpSample{label, {s.normal(bias), s.normal({2, 3}), s.normal({3, 2})}, call(beta, alpha)};
             };
             return std::vector<OpSample>{
                 with_bias("row", {2}, 1, 1),
                 with_bias("column, scaled", {2, 1}, 0.5, -2),
                 with_bias("matrix", {2, 2}, -1, 0.5),
                 with_bias("scalar", {}, 2, 1),
                 with_bias("beta = 0", {2, 2}, 0, 1),
                 {"no inner dimension", {s.normal({2}), s.normal({3, 0}), s.normal({0, 2})}, call(2, 1)}};
           }},
          {"linear", true, [](Sampler& s) {
             return std::vector<OpSample>{{"biased",
                                           {s.normal({2, 3, 4}), s.normal({5, 4}), s.normal({5})},
                                           [](const Inputs& in) { return linear(in[0], in[1], in[2]); }},
                                          {"vector, no bias",
                                           {s.normal({4}), s.normal({2, 4})},
                                           [](const Inputs& in) { return linear(in[0], in[1]); }},
                                          {"no rows",
                                           {s.normal({0, 4}), s.normal({2, 4}), s.normal({2})},
                                           [](const Inputs& in) { return linear(in[0], in[1], in[2]); }}};
           }}};
}

}  // namespace ff
