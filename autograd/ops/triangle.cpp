// Triangles and diagonals of matrices.

#include "ff/autograd/ops/triangle.h"

#include <algorithm>
#include <cstdlib>

#include "ff/autograd/function.h"
#include "ff/autograd/ops/op_table.h"
#include "ff/autograd/ops/ops.h"
#include "ff/core/check.h"

namespace ff {
namespace {

// A diagonal of dimensions a and b; of a tensor of rank 2 at least.
struct Line {
  int a, b;
  std::int64_t offset;

  Line(const char* op, int rank, std::int64_t by, int first, int second)
      : a(normalize_dim(op, first, rank)), b(normalize_dim(op, second, rank)), offset(by) {
    check(rank >= 2, op, "two dimensions are needed: a tensor of rank {}", rank);
    check(a != b, op, "dimension {} is named twice", first);
  }

  // A view unknown to autograd.
  Tensor of(const Tensor& x) const {
    const std::int64_t m = x.shape()[a], n = x.shape()[b];
    const std::int64_t row = std::clamp<std::int64_t>(-offset, 0, m), column = std::clamp<std::int64_t>(offset, 0, n);
    Shape shape = x.shape(), strides = x.strides();
    const std::int64_t begin = row * strides[a] + column * strides[b], step = strides[a] + strides[b];
    for (int dim : {std::max(a, b), std::min(a, b)}) {
      shape.erase(dim);
      strides.erase(dim);
    }
    shape.push_back(std::min(m - row, n - column));
    strides.push_back(step);
    return x.as_strided(shape, strides, shape[shape.rank() - 1] > 0 ? begin : 0);
  }
};

struct Diagonal : Function<Diagonal> {
  static constexpr const char* name = "diagonal";
  Shape from;
  std::optional<Line> line;
  Tensor forward(Context&, const Tensor& x, const Line& which) {
    from = x.shape(), line = which;
    return which.of(x);
  }
  Gradients backward(Context&, const Tensor& dy) const;
};

// Zeros of a shape, but for a diagonal that is x.
struct DiagEmbed : Function<DiagEmbed> {
  static constexpr const char* name = "diag_embed";
  std::optional<Line> line;
  Tensor forward(Context&, const Tensor& x, const Shape& shape, const Line& which) {
    line = which;
    Tensor y = zeros(shape, {.dtype = x.dtype()});
    which.of(y).assign(x);
    return y;
  }
  Gradients backward(Context&, const Tensor& dy) const { return {Diagonal::apply(dy, *line)}; }
};

Gradients Diagonal::backward(Context&, const Tensor& dy) const { return {DiagEmbed::apply(dy, from, *line)}; }

// Offsets beyond every matrix are alike, and their sums with sizes cannot overflow.
std::int64_t bounded(std::int64_t offset) {
  constexpr std::int64_t far = std::int64_t{1} << 52;
  return std::clamp(offset, -far, far);
}

// column - row of (m, n), compared with diagonal.
Tensor triangle(const char* op, const Tensor& x, std::int64_t diagonal,
                Tensor (*compare)(const Operand&, const Operand&, Where)) {
  check(x.rank() >= 2, op, "matrices (.., m, n) are needed: {}", x.shape().str());
  const Tensor rows = arange(0, static_cast<double>(x.size(-2)), 1, {.dtype = i64}),
               columns = arange(0, static_cast<double>(x.size(-1)), 1, {.dtype = i64});
  const Tensor kept = compare(columns - unsqueeze(rows, 1), static_cast<double>(bounded(diagonal)), {});
  return where(kept, x, Tensor::scalar(0, x.dtype()));
}

}  // namespace

Tensor tril(const Tensor& x, std::int64_t diagonal, Where site) {
  const CallSite here(site);
  return triangle("tril", x, diagonal, le);
}
Tensor triu(const Tensor& x, std::int64_t diagonal, Where site) {
  const CallSite here(site);
  return triangle("triu", x, diagonal, ge);
}

Tensor diagonal(const Tensor& x, std::int64_t offset, int a, int b, Where site) {
  const CallSite here(site);
  return Diagonal::apply(x, Line("diagonal", x.rank(), bounded(offset), a, b));
}

Tensor diag_embed(const Tensor& x, std::int64_t offset, int a, int b, Where site) {
  const CallSite here(site);
  check(x.rank() >= 1, "diag_embed", "a scalar makes no diagonal");
  const Line line("diag_embed", x.rank() + 1, bounded(offset), a, b);
  const std::int64_t size = x.size(-1) + std::abs(line.offset);
  Shape shape = x.shape();
  shape.erase(x.rank() - 1);
  for (int dim : {std::min(line.a, line.b), std::max(line.a, line.b)}) shape.insert(dim, size);
  return DiagEmbed::apply(x, shape, line);
}

Tensor diag(const Tensor& x, std::int64_t offset, Where site) {
  const CallSite here(site);
  check(x.rank() == 1 || x.rank() == 2, "diag", "a vector or a matrix is needed: {}", x.shape().str());
  return x.rank() == 1 ? diag_embed(x, offset) : diagonal(x, offset);
}

std::vector<OpRecord> triangle_ops() {
  using Inputs = std::vector<Tensor>;
  auto sample = [](const char* label, const Tensor& x, Tensor (*op)(const Tensor&)) {
    return OpSample{label, {x}, [op](const Inputs& in) { return op(in[0]); }};
  };
  auto triangles = [=](Tensor (*op)(const Tensor&, std::int64_t, Where)) {
    return [=](Sampler& s) {
      auto call = [op](std::int64_t diagonal) { return [=](const Inputs& in) { return op(in[0], diagonal, {}); }; };
      return std::vector<OpSample>{{"square", {s.normal({3, 3})}, call(0)},
                                   {"wide, above", {s.normal({2, 4})}, call(1)},
                                   {"batch, below", {s.normal({2, 3, 2})}, call(-1)},
                                   {"empty", {s.normal({0, 3})}, call(0)}};
    };
  };
  return {
      {"tril", true, triangles(tril)},
      {"triu", true, triangles(triu)},
      {"diagonal", true,
       [=](Sampler& s) {
         return std::vector<OpSample>{
             sample("main", s.normal({3, 3}), [](const Tensor& x) { return diagonal(x); }),
             sample("above, of a wide one", s.normal({2, 4}), [](const Tensor& x) { return diagonal(x, 2); }),
             sample("below, of a batch", s.normal({2, 3, 2}), [](const Tensor& x) { return diagonal(x, -1, 1, 2); }),
             sample("exchanged", s.normal({2, 2, 3}), [](const Tensor& x) { return diagonal(x, 1, -1, 0); }),
             sample("beyond", s.normal({2, 2}), [](const Tensor& x) { return diagonal(x, 5); })};
       }},
      {"diag_embed", true,
       [=](Sampler& s) {
         return std::vector<OpSample>{
             sample("vector", s.normal({3}), [](const Tensor& x) { return diag_embed(x); }),
             sample("batch, above", s.normal({2, 2}), [](const Tensor& x) { return diag_embed(x, 1); }),
             sample("first dimensions, below", s.normal({2, 2}),
                    [](const Tensor& x) { return diag_embed(x, -1, 0, 1); }),
             sample("empty", s.normal({0}), [](const Tensor& x) { return diag_embed(x, 1); })};
       }},
      {"diag", true, [=](Sampler& s) {
         return std::vector<OpSample>{sample("vector", s.normal({3}), [](const Tensor& x) { return diag(x, -1); }),
                                      sample("matrix", s.normal({3, 2}), [](const Tensor& x) { return diag(x); })};
       }}};
}

}  // namespace ff
