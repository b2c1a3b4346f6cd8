// Reductions over any dimensions.

#include "ff/core/cpu/reduce.h"

#include <array>
#include <cmath>

#include "ff/autograd/function.h"
#include "ff/autograd/ops/kernels.h"
#include "ff/autograd/ops/op_table.h"
#include "ff/autograd/ops/ops.h"
#include "ff/core/check.h"
#include "ff/core/cpu/scan.h"

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

// The order of dimensions that has the reduced ones last.
Dims reduced_last(const Plan& plan, int rank) {
  Dims order;
  for (bool reduced : {false, true})
    for (int i = 0; i < rank; ++i)
      if (plan.reduced[static_cast<std::size_t>(i)] == reduced) order.push_back(i);
  return order;
}

Dims inverse(const Dims& order) {
  Dims back(order.size());
  for (std::size_t i = 0; i < order.size(); ++i) back[static_cast<std::size_t>(order[i])] = static_cast<int>(i);
  return back;
}

struct Prod : Function<Prod> {
  static constexpr const char* name = "prod";
  Dims dims;
  bool keepdim = false;
  Tensor forward(Context& ctx, const Tensor& x, const Dims& over, bool keep) {
    dims = over, keepdim = keep;
    ctx.save({x});
    return run(Reduction::prod, is_floating(x.dtype()) ? x : kernels::to(x, i64), Plan(name, x.shape(), dims, keepdim));
  }
  Gradients backward(Context& ctx, const Tensor& dy) const {
    const Tensor x = ctx.saved(0);
    const Plan plan(name, x.shape(), dims, keepdim);
    if (grad_enabled())
      return kernels::backward_of_composition([&](const auto& in) { return composed(in[0], plan); }, {x}, dy);
    const Dims order = reduced_last(plan, x.rank());
    const Tensor moved = permute(x, order), dense = moved.dense();
    Tensor dx = Tensor::empty(moved.shape(), x.dtype());
    cpu::prod_backward(x.dtype(), plan.kept.numel(), plan.count, dense.raw(), dy.dense().raw(), dx.raw());
    return {permute(dx, inverse(order))};
  }
  // Of plain ops, without a division: halves are multiplied together until one entry is left.
  static Tensor composed(const Tensor& x, const Plan& plan) {
    Tensor rows = reshape(permute(x, reduced_last(plan, x.rank())), {plan.kept.numel(), plan.count});
    if (plan.count == 0) return reshape(sum(rows, {1}) + 1, plan.result);
    while (rows.size(1) > 1) {
      const std::int64_t half = rows.size(1) / 2;
      const Tensor odd = slice(rows, 1, 2 * half);
      rows = concatenate({slice(rows, 1, 0, half) * slice(rows, 1, half, 2 * half), odd}, 1);
    }
    return reshape(rows, plan.result);
  }
};

struct Norm : Function<Norm> {
  static constexpr const char* name = "norm";
  double p = 2;
  Shape kept;
  // Computed in f64, so that powers of f32 neither overflow nor vanish.
  Tensor forward(Context& ctx, const Tensor& x, double order, const Dims& dims, bool keepdim) {
    const Plan plan(name, x.shape(), dims, keepdim);
    check(!std::isnan(order), name, "the order p is NaN");
    check(plan.count > 0 || (order >= 0 && std::isfinite(order)), name,
          "the norm of order {} of no entries is not defined: shape {}", order, x.shape().str());
    p = order, kept = plan.kept;
    const Tensor y = cast(of_sizes(abs(x.copy(f64)), plan), x.dtype());
    ctx.save({x, y});
    return y;
  }
  Gradients backward(Context& ctx, const Tensor& dy) const {
    const Tensor x = ctx.saved(0), y = reshape(ctx.saved(1), kept), up = reshape(dy, kept), signs = sign(x.detach());
    if (p == 0) return {zeros(x.shape(), {.dtype = x.dtype()})};
    if (p == 1) return {up * signs};
    if (std::isinf(p)) {
      const Tensor chosen = cast(eq(abs(x.detach()), y.detach()), x.dtype());
      return {up * signs * (chosen / sum_to(chosen, kept))};
    }
    const Tensor none = eq(y, 0), scale = where(none, 1, y);
    if (p == 2) return {up * masked_fill(x / scale, none, 0)};
    // Powers of what is not 0 alone: those of 0 may have no derivative.
    const Tensor sizes = where(eq(x, 0), scale, abs(x));
    return {up * masked_fill(signs * pow(sizes / scale, p - 1), none, 0)};
  }

 private:
  Tensor of_sizes(const Tensor& sizes, const Plan& plan) const {
    if (std::isinf(p)) return run(p > 0 ? Reduction::max : Reduction::min, sizes, plan);
    if (p == 0) return run(Reduction::sum, cast(ne(sizes, 0), f64), plan);
    if (p == 1) return run(Reduction::sum, sizes, plan);
    if (p == 2) return sqrt(run(Reduction::sum, square(sizes), plan));
    return pow(run(Reduction::sum, pow(sizes, p), plan), 1 / p);
  }
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

Tensor arg_extreme(const char* op, const Tensor& x, std::optional<int> dim, bool keepdim,
                   decltype(cpu::argmax)* kernel) {
  if (!dim) {
    check(x.numel() > 0, op, "nothing to choose from: shape {}", x.shape().str());
    const Tensor y = arg_extreme(op, flatten(x.detach()), 0, false, kernel);
    return keepdim ? reshape(y, Shape::filled(x.rank(), 1)) : y;
  }
  const int at = normalize_dim(op, *dim, x.rank());
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

Tensor of_truths(const char* op, Reduction kernel, const Tensor& x, const Dims& dims, bool keepdim) {
  const Plan plan(op, x.shape(), dims, keepdim);
  return run(kernel, x.dtype() == boolean ? x : ne(x, 0), plan);
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

Tensor prod(const Tensor& x, const Dims& dims, bool keepdim, Where site) { return Prod::apply(site, x, dims, keepdim); }

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

Tensor std(const Tensor& x, const Dims& dims, std::int64_t correction, bool keepdim, Where site) {
  const CallSite here(site);
  const Tensor variance = var(x, dims, correction, keepdim), none = eq(variance, 0);
  return where(none, 0, sqrt(where(none, 1, variance)));
}

Tensor norm(const Tensor& x, double p, const Dims& dims, bool keepdim, Where site) {
  const CallSite here(site);
  return Norm::apply(kernels::floating(x), p, dims, keepdim);
}

Tensor max(const Tensor& x, const Dims& dims, bool keepdim, Where site) { return Max::apply(site, x, dims, keepdim); }
Tensor min(const Tensor& x, const Dims& dims, bool keepdim, Where site) { return Min::apply(site, x, dims, keepdim); }
Tensor amax(const Tensor& x, const Dims& dims, bool keepdim, Where site) { return Max::apply(site, x, dims, keepdim); }
Tensor amin(const Tensor& x, const Dims& dims, bool keepdim, Where site) { return Min::apply(site, x, dims, keepdim); }
Tensor argmax(const Tensor& x, std::optional<int> dim, bool keepdim, Where site) {
  const CallSite here(site);
  return arg_extreme("argmax", x, dim, keepdim, cpu::argmax);
}
Tensor argmin(const Tensor& x, std::optional<int> dim, bool keepdim, Where site) {
  const CallSite here(site);
  return arg_extreme("argmin", x, dim, keepdim, cpu::argmin);
}
Tensor any(const Tensor& x, const Dims& dims, bool keepdim, Where site) {
  const CallSite here(site);
  return of_truths("any", Reduction::any, x, dims, keepdim);
}
Tensor all(const Tensor& x, const Dims& dims, bool keepdim, Where site) {
  const CallSite here(site);
  return of_truths("all", Reduction::all, x, dims, keepdim);
}

Tensor count_nonzero(const Tensor& x, const Dims& dims, Where site) {
  const CallSite here(site);
  const Plan plan("count_nonzero", x.shape(), dims, false);
  return run(Reduction::sum, cast(ne(x, 0), i64), plan);
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
  auto product = [over](Sampler& s) {
    auto call = [](const Inputs& in) { return prod(in[0], {-1}); };
    auto zeros_at = [&](std::initializer_list<int> places) {
      const Tensor x = s.distinct({2, 5});
      for (int i : places) x.data<double>()[i] = 0;
      return x;
    };
    std::vector<OpSample> samples = over(prod, true)(s);
    samples.push_back({"one zero", {zeros_at({1})}, call});
    samples.push_back({"two zeros", {zeros_at({0, 3})}, call});
    samples.push_back({"all zeros", {zeros_at({0, 1, 2, 3, 4, 5, 6, 7, 8, 9})}, call});
    return samples;
  };
  auto norms = [over](Sampler& s) {
    auto call = [](double p, const Dims& dims, bool keepdim) {
      return [=](const Inputs& in) { return norm(in[0], p, dims, keepdim); };
    };
    std::vector<OpSample> samples = over(
        [](const Tensor& x, const Dims& dims, bool keepdim, Where) { return norm(x, 2, dims, keepdim); }, false)(s);
    for (const auto& [label, p] : std::vector<std::pair<const char*, double>>{{"p = 1", 1},
                                                                              {"p = 3", 3},
                                                                              {"p = 1.5", 1.5},
                                                                              {"p = 0.5", 0.5},
                                                                              {"p = -2", -2},
                                                                              {"p = inf", INFINITY},
                                                                              {"p = -inf", -INFINITY}})
      samples.push_back({label, {s.distinct({3, 4})}, call(p, {-1}, false)});
    const Tensor with_zero = s.distinct({4});
    with_zero.data<double>()[2] = 0;
    samples.push_back({"an entry of 0", {with_zero}, call(4, {}, true)});
    return samples;
  };
  auto deviation = [](Sampler& s) {
    auto call = [](const Dims& dims, std::int64_t correction, bool keepdim) {
      return [=](const Inputs& in) { return std(in[0], dims, correction, keepdim); };
    };
    return std::vector<OpSample>{{"all", {s.distinct({2, 3, 2})}, call({}, 1, false)},
                                 {"last, kept", {s.distinct({3, 4})}, call({-1}, 1, true)},
                                 {"outer and inner", {s.distinct({2, 3, 2})}, call({0, 2}, 2, false)},
                                 {"uncorrected", {s.distinct({3, 4})}, call({0}, 0, false)},
                                 {"no columns", {s.normal({2, 0})}, call({0}, 1, false)}};
  };
  auto index = [](Tensor (*op)(const Tensor&, std::optional<int>, bool, Where)) {
    return [=](Sampler& s) {
      auto call = [op](std::optional<int> dim, bool keepdim) {
        return [=](const Inputs& in) { return op(in[0], dim, keepdim, {}); };
      };
      return std::vector<OpSample>{{"last", {s.distinct({3, 4})}, call(-1, false)},
                                   {"first", {s.distinct({3, 4})}, call(0, false)},
                                   {"all", {s.distinct({3, 4})}, call({}, false)},
                                   {"all, kept", {s.distinct({3, 4})}, call({}, true)}};
    };
  };
  auto truth = [](Reduce op) {
    return [=](Sampler& s) {
      return std::vector<OpSample>{
          {"last", {s.normal({3, 4})}, [op](const Inputs& in) { return op(gt(in[0], 0), {-1}, false, {}); }},
          {"numbers", {s.normal({3, 4})}, [op](const Inputs& in) { return op(relu(in[0]), {0}, true, {}); }}};
    };
  };
  return {
      {"sum", true, over(sum, true)},
      {"prod", true, product},
      {"mean", true, over(mean, false)},
      {"var", true,
       over([](const Tensor& x, const Dims& dims, bool keepdim, Where) { return var(x, dims, 0, keepdim); }, false)},
      {"std", true, deviation},
      {"norm", true, norms},
      {"max", true, over(max, false)},
      {"min", true, over(min, false)},
      {"logsumexp", true, over(logsumexp, false)},
      {"argmax", false, index(argmax)},
      {"argmin", false, index(argmin)},
      {"any", false, truth(any)},
      {"all", false, truth(all)},
      {"count_nonzero", false, [](Sampler& s) {
         return std::vector<OpSample>{
             {"middle", {s.normal({2, 3, 2})}, [](const Inputs& in) { return count_nonzero(relu(in[0]), {1}); }}};
       }}};
}

}  // namespace ff
