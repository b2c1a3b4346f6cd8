// Sums and products of all that stands before, along one dimension.

#include "ff/core/cpu/scan.h"

#include "ff/autograd/function.h"
#include "ff/autograd/ops/kernels.h"
#include "ff/autograd/ops/op_table.h"
#include "ff/autograd/ops/ops.h"

namespace ff {
namespace {

// Rows of the last dimension.
std::int64_t row_size(const Tensor& x) { return x.rank() > 0 ? x.size(-1) : 1; }
std::int64_t rows(const Tensor& x) { return row_size(x) > 0 ? x.numel() / row_size(x) : 0; }

struct CumSum : Function<CumSum> {
  static constexpr const char* name = "cumsum";
  bool backwards = false;
  Tensor forward(Context&, const Tensor& x, bool from_the_end) {
    backwards = from_the_end;
    const Tensor dense = x.dense();
    Tensor y = Tensor::empty(x.shape(), x.dtype());
    cpu::cumsum(x.dtype(), rows(x), row_size(x), backwards, dense.raw(), y.raw());
    return y;
  }
  Gradients backward(Context&, const Tensor& dy) const { return {CumSum::apply(dy, !backwards)}; }
};

// The same of plain ops, without a division: after each step, an entry is the product of twice as many before it.
Tensor composed(const Tensor& x) {
  Tensor y = x;
  for (std::int64_t step = 1; step < row_size(x); step *= 2)
    y = concatenate({slice(y, -1, 0, step), slice(y, -1, step) * slice(y, -1, 0, row_size(x) - step)}, -1);
  return y;
}

struct CumProd : Function<CumProd> {
  static constexpr const char* name = "cumprod";
  static Tensor forward(Context& ctx, const Tensor& x) {
    const Tensor dense = x.dense();
    Tensor y = Tensor::empty(x.shape(), x.dtype());
    cpu::cumprod(x.dtype(), rows(x), row_size(x), dense.raw(), y.raw());
    ctx.save({x});
    return y;
  }
  static Gradients backward(Context& ctx, const Tensor& dy) {
    const Tensor x = ctx.saved(0);
    if (grad_enabled())
      return kernels::backward_of_composition([](const auto& in) { return composed(in[0]); }, {x}, dy);
    const Tensor dense = x.dense();
    Tensor dx = Tensor::empty(x.shape(), x.dtype());
    cpu::cumprod_backward(x.dtype(), rows(x), row_size(x), dense.raw(), dy.dense().raw(), dx.raw());
    return {dx};
  }
};

// The kernels work along the last dimension; another is exchanged with it, before and after. Op: of such rows.
template <class Op>
Tensor along(const char* name, const Tensor& x, int dim, Op op) {
  const int at = normalize_dim(name, dim, x.rank());
  const Tensor numbers = is_floating(x.dtype()) ? x : kernels::to(x, i64);
  return x.rank() < 2 || at == x.rank() - 1 ? op(numbers) : transpose(op(transpose(numbers, at, -1)), at, -1);
}

}  // namespace

Tensor cumsum(const Tensor& x, int dim, Where site) {
  const CallSite here(site);
  return along(CumSum::name, x, dim, [](const Tensor& rows) { return CumSum::apply(rows, false); });
}

Tensor cumprod(const Tensor& x, int dim, Where site) {
  const CallSite here(site);
  return along(CumProd::name, x, dim, [](const Tensor& rows) { return CumProd::apply(rows); });
}

std::vector<OpRecord> scan_ops() {
  auto samples = [](Tensor (*op)(const Tensor&, int, Where)) {
    return [op](Sampler& s) {
      auto call = [op](int dim) { return [=](const std::vector<Tensor>& in) { return op(in[0], dim, {}); }; };
      const Tensor one = s.distinct({2, 4}), two = s.distinct({2, 4}), all = Tensor::empty({4}, f64);
      one.data<double>()[1] = 0;
      two.data<double>()[1] = two.data<double>()[2] = 0;
      all.fill(0);
      return std::vector<OpSample>{{"last", {s.distinct({2, 5})}, call(-1)},
                                   {"first", {s.distinct({4, 2})}, call(0)},
                                   {"middle", {s.distinct({2, 3, 2})}, call(1)},
                                   {"scalar", {s.distinct({})}, call(0)},
                                   {"size 1", {s.distinct({2, 1})}, call(1)},
                                   {"no rows", {s.normal({0, 3})}, call(1)},
                                   {"empty rows", {s.normal({3, 0})}, call(1)},
                                   {"one zero", {one}, call(1)},
                                   {"two zeros", {two}, call(1)},
                                   {"all zeros", {all}, call(0)}};
    };
  };
  return {{"cumsum", true, samples(cumsum)}, {"cumprod", true, samples(cumprod)}};
}

}  // namespace ff
