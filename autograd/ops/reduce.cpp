// Reductions over any dimensions.

#include "ff/core/cpu/reduce.h"

#include <array>
#include <cmath>

#include "ff/autograd/function.h"
#include "ff/autograd/ops/kernels.h"
#include "ff/autograd/ops/op_table.h"
#include "ff/autograd/ops/ops.h"
#include "ff/core/check.h"

namespace ff {
namespace {

using cpu::Reduction;

// Which dimensions of a shape are reduced, and what is left: with them as 1, and without them.
struct Plan {
  std::array<bool, Shape::max_rank> reduced{};
  Shape kept, result;
  std::int64_t count = 1;  // elements that make one

  Plan(const char* op, const Shape& shape, const Dims& dims, bool keepdim) {
    for (int dim : dims) {
      const auto at = static_cast<std::size_t>(normalize_dim(op, dim, shape.rank()));
      check(!reduced[at], op, "dimension {} is named twice", dim);
      reduced[at] = true;
    }
    if (dims.empty()) reduced.fill(true);
    for (int i = 0; i < shape.rank(); ++i) {
      const bool gone = reduced[static_cast<std::size_t>(i)];
      kept.push_back(gone ? 1 : shape[i]);
      if (!gone || keepdim) result.push_back(kept[i]);
      if (gone) count *= shape[i];
    }
  }
};

Tensor run(Reduction op, const Tensor& x, const Plan& plan) {
  Tensor y = Tensor::empty(plan.result, x.dtype());
  cpu::reduce(op, x.dtype(), x.shape(), plan.reduced.data(), x.raw(), x.strides(), y.raw());
  return y;
}

struct Sum : Function<Sum> {
  static constexpr const char* name = "sum";
  Shape shape, kept;
  Tensor forward(Context&, const Tensor& x, const Dims& dims, bool keepdim) {
    const Plan plan(name, x.shape(), dims, keepdim);
    shape = x.shape();
    kept = plan.kept;
    return run(Reduction::sum, is_floating(x.dtype()) ? x : kernels::to(x, i64), plan);
  }
  Gradients backward(Context&, const Tensor& dy) const { return {broadcast_to(reshape(dy, kept), shape)}; }
};

template <class F, Reduction op>
struct Extreme : Function<F> {
  Shape kept;
  Tensor forward(Context& ctx, const Tensor& x, const Dims& dims, bool keepdim) {
    const Plan plan(F::name, x.shape(), dims, keepdim);
    check(x.dtype() != boolean, F::name, "booleans are not ordered: use any or all");
    check(plan.count > 0, F::name, "nothing to choose from: shape {}", x.shape().str());
    kept = plan.kept;
    Tensor y = run(op, x, plan);
    ctx.save({x, y});
    return y;
  }
  Gradients backward(Context& ctx, const Tensor& dy) const {
    const Tensor x = ctx.saved(0), y = reshape(ctx.saved(1).detach(), kept);
    const Tensor chosen = cast(eq(x.detach(), y), dy.dtype());
    return {reshape(dy, kept) * (chosen / sum_to(chosen, kept))};
  }
};

struct Max : Extreme<Max, Reduction::max> {
  static constexpr const char* name = "max";
};
struct Min : Extreme<Min, Reduction::min> {
  static constexpr const char* name = "min";
};

Tensor arg_extreme(const char* op, const Tensor& x, int dim, bool keepdim, decltype(cpu::argmax)* kernel) {
  const int at = normalize_dim(op, dim, x.rank());
  check(x.dtype() != boolean, op, "booleans are not ordered");
  check(x.rank() > 0 ? x.shape()[at] > 0 : true, op, "nothing to choose from: shape {}", x.shape().str());
  const NoGrad no_grad;
  const Tensor rows = x.rank() > 0 ? transpose(x, at, -1).dense() : x;
  const std::int64_t n = x.rank() > 0 ? x.shape()[at] : 1;
  Shape shape = rows.shape();
  if (x.rank() > 0) shape[x.rank() - 1] = 1;
  Tensor y = Tensor::empty(shape, i64);
  kernel(x.dtype(), y.numel(), n, rows.raw(), y.data<std::int64_t>());
  if (x.rank() == 0) return y;
  const Tensor back = transpose(y, at, -1).dense();
  return keepdim ? back : squeeze(back, at);
}

Tensor of_booleans(const char* op, Reduction kernel, const Tensor& x, const Dims& dims, bool keepdim) {
  check(x.dtype() == boolean, op, "a boolean tensor is needed, the dtype is {}", name(x.dtype()));
  return run(kernel, x, Plan(op, x.shape(), dims, keepdim));
}

}  // namespace

Tensor sum(const Tensor& x, const Dims& dims, bool keepdim, Where site) { return Sum::apply(site, x, dims, keepdim); }

Tensor sum_to(const Tensor& x, const Shape& shape, Where site) {
  const CallSite here(site);
  if (x.shape() == shape) return x;
  check(broadcast_shapes("sum_to", x.shape(), shape) == x.shape(), "sum_to", "{} is not broadcast from {}",
        x.shape().str(), shape.str());
  Dims dims;
  const int added = x.rank() - shape.rank();
  for (int i = 0; i < x.rank(); ++i)
    if (i < added || (shape[i - added] == 1 && x.shape()[i] != 1)) dims.push_back(i);
  return reshape(sum(x, dims), shape);
}

Tensor mean(const Tensor& x, const Dims& dims, bool keepdim, Where site) {
  const CallSite here(site);
  const Tensor real = kernels::floating(x);
  return sum(real, dims, keepdim) / static_cast<double>(Plan("mean", x.shape(), dims, keepdim).count);
}

Tensor var(const Tensor& x, const Dims& dims, std::int64_t correction, bool keepdim, Where site) {
  const CallSite here(site);
  const std::int64_t count = Plan("var", x.shape(), dims, keepdim).count;
  return sum(square(x - mean(x, dims, true)), dims, keepdim) /
         static_cast<double>(std::max<std::int64_t>(count - correction, 0));
}

Tensor max(const Tensor& x, const Dims& dims, bool keepdim, Where site) { return Max::apply(site, x, dims, keepdim); }
Tensor min(const Tensor& x, const Dims& dims, bool keepdim, Where site) { return Min::apply(site, x, dims, keepdim); }
Tensor argmax(const Tensor& x, int dim, bool keepdim, Where site) {
  const CallSite here(site);
  return arg_extreme("argmax", x, dim, keepdim, cpu::argmax);
}
Tensor argmin(const Tensor& x, int dim, bool keepdim, Where site) {
  const CallSite here(site);
  return arg_extreme("argmin", x, dim, keepdim, cpu::argmin);
}
Tensor any(const Tensor& x, const Dims& dims, bool keepdim, Where site) {
  const CallSite here(site);
  return of_booleans("any", Reduction::any, x, dims, keepdim);
}
Tensor all(const Tensor& x, const Dims& dims, bool keepdim, Where site) {
  const CallSite here(site);
  return of_booleans("all", Reduction::all, x, dims, keepdim);
}

Tensor logsumexp(const Tensor& x, const Dims& dims, bool keepdim, Where site) {
  const CallSite here(site);
  const Tensor real = kernels::floating(x);
  const Plan plan("logsumexp", x.shape(), dims, keepdim);
  if (plan.count == 0) return log(sum(real, dims, keepdim));
  // The largest entry is a constant here: it cancels in the derivative. An infinite one would give inf - inf.
  Tensor largest = max(real.detach(), dims, true);
  largest = where(eq(abs(largest), INFINITY), kernels::number(0, largest), largest);
  return log(sum(exp(real - largest), dims, keepdim)) + reshape(largest, plan.result);
}

std::vector<OpRecord> reduce_ops() {
  using Inputs = std::vector<Tensor>;
  using Reduce = Tensor (*)(const Tensor&, const Dims&, bool, Where);
  auto over = [](Reduce op, bool with_empty) {
    return [=](Sampler& s) {
      auto call = [op](const Dims& dims, bool keepdim) {
        return [=](const Inputs& in) { return op(in[0], dims, keepdim, {}); };
      };
      std::vector<OpSample> samples{{"all", {s.distinct({2, 3, 2})}, call({}, false)},
                                    {"last", {s.distinct({3, 4})}, call({-1}, false)},
                                    {"first, kept", {s.distinct({3, 4})}, call({0}, true)},
                                    {"outer and inner", {s.distinct({2, 3, 2})}, call({0, 2}, false)},
                                    {"middle", {s.distinct({2, 3, 2})}, call({1}, false)},
                                    {"scalar", {s.distinct({})}, call({}, false)},
                                    {"size 1", {s.distinct({1, 1})}, call({0}, false)}};
      if (with_empty) samples.push_back({"empty", {s.normal({0, 3})}, call({0}, false)});
      return samples;
    };
  };
  auto index = [](Tensor (*op)(const Tensor&, int, bool, Where)) {
    return [=](Sampler& s) {
      auto call = [op](int dim) { return [=](const Inputs& in) { return op(in[0], dim, false, {}); }; };
      return std::vector<OpSample>{{"last", {s.distinct({3, 4})}, call(-1)}, {"first", {s.distinct({3, 4})}, call(0)}};
    };
  };
  auto truth = [](Reduce op) {
    return [=](Sampler& s) {
      return std::vector<OpSample>{
          {"last", {s.normal({3, 4})}, [op](const Inputs& in) { return op(gt(in[0], 0), {-1}, false, {}); }}};
    };
  };
  return {
      {"sum", true, over(sum, true)},
      {"mean", true, over(mean, false)},
      {"var", true,
       over([](const Tensor& x, const Dims& dims, bool keepdim, Where) { return var(x, dims, 0, keepdim); }, false)},
      {"max", true, over(max, false)},
      {"min", true, over(min, false)},
      {"logsumexp", true, over(logsumexp, false)},
      {"argmax", false, index(argmax)},
      {"argmin", false, index(argmin)},
      {"any", false, truth(any)},
      {"all", false, truth(all)}};
}

}  // namespace ff
