// Losses of numbers and of probabilities. Those of classes: classification_loss.cpp.

#include "ff/autograd/ops/loss.h"

#include <cmath>

#include "ff/autograd/function.h"
#include "ff/autograd/ops/kernels.h"
#include "ff/autograd/ops/op_table.h"
#include "ff/autograd/ops/ops.h"
#include "ff/core/check.h"

namespace ff {
namespace {

Tensor reduced(const Tensor& losses, Loss reduction) {
  return reduction == Loss::mean ? mean(losses) : reduction == Loss::sum ? sum(losses) : losses;
}

// Losses times a weight that may be left out, reduced.
Tensor weighted(const char* op, const Tensor& losses, const Tensor& weight, Loss reduction) {
  if (!weight.defined()) return reduced(losses, reduction);
  check(broadcast_shapes(op, losses.shape(), weight.shape()) == losses.shape(), op,
        "a weight of shape {} does not broadcast to {}", weight.shape().str(), losses.shape().str());
  return reduced(losses * weight, reduction);
}

// alike where the target is 1, unlike where it is -1.
Tensor of_likeness(const char* op, const Tensor& target, const Tensor& alike, const Tensor& unlike) {
  const Tensor one = eq(target, 1);
  check(all(logical_or(one, eq(target, -1))).item<bool>(), op, "targets must be 1 or -1");
  return where(one, alike, unlike);
}

void check_binary(const char* op, const Tensor& input, const Tensor& target) {
  check(input.shape() == target.shape(), op, "input and target of one shape are needed: {} and {}", input.shape().str(),
        target.shape().str());
  kernels::check_floating(op, input);
  check(is_floating(target.dtype()), op, "a floating target is needed, its dtype is {}", name(target.dtype()));
}

constexpr double least_log = -100;

struct BinaryCrossEntropy : Function<BinaryCrossEntropy> {
  static constexpr const char* name = "binary_cross_entropy";
  static Tensor forward(Context& ctx, const Tensor& x, const Tensor& target) {
    ctx.save({x, target});
    return neg(target * maximum(log(x), least_log) + (1 - target) * maximum(log1p(neg(x)), least_log));
  }
  static Gradients backward(Context& ctx, const Tensor& dy) {
    const Tensor x = ctx.saved(0), target = ctx.saved(1);
    return {ctx.needs_grad(0) ? dy * (x - target) / maximum((1 - x) * x, 1e-12) : Tensor(),
            ctx.needs_grad(1) ? dy * (clamped_log(1 - x) - clamped_log(x)) : Tensor()};
  }
  // Its own gradient is 0 where it is clamped.
  static Tensor clamped_log(const Tensor& x) {
    const Tensor tiny = lt(x, std::exp(least_log));
    return where(tiny, least_log, log(where(tiny, 1, x)));
  }
};

// log(1 + exp(x)), without overflow: what a logit x costs that should be -infinity.
struct LogitCost : Function<LogitCost> {
  static constexpr const char* name = "binary_cross_entropy_with_logits";
  static Tensor forward(Context& ctx, const Tensor& x) {
    ctx.save({x});
    return relu(x) + log1p(exp(neg(abs(x))));
  }
  static Gradients backward(Context& ctx, const Tensor& dy) { return {dy * sigmoid(ctx.saved(0))}; }
};

}  // namespace

Tensor mse_loss(const Tensor& input, const Tensor& target, Loss reduction, Where site) {
  const CallSite here(site);
  return reduced(square(input - target), reduction);
}

Tensor l1_loss(const Tensor& input, const Tensor& target, Loss reduction, Where site) {
  const CallSite here(site);
  return reduced(abs(input - target), reduction);
}

Tensor smooth_l1_loss(const Tensor& input, const Tensor& target, Loss reduction, double beta, Where site) {
  const CallSite here(site);
  check(beta >= 0, "smooth_l1_loss", "beta must not be negative: {}", beta);
  if (beta == 0) return l1_loss(input, target, reduction);
  const Tensor difference = kernels::floating(input - target), size = abs(difference);
  return reduced(where(lt(size, beta), square(difference) * (0.5 / beta), size - 0.5 * beta), reduction);
}

Tensor huber_loss(const Tensor& input, const Tensor& target, Loss reduction, double delta, Where site) {
  const CallSite here(site);
  check(delta > 0, "huber_loss", "delta must be positive: {}", delta);
  const Tensor difference = kernels::floating(input - target), size = abs(difference);
  return reduced(where(le(size, delta), square(difference) * 0.5, (size - 0.5 * delta) * delta), reduction);
}

Tensor binary_cross_entropy(const Tensor& input, const Tensor& target, const BinaryCrossEntropyOptions& options,
                            Where site) {
  const CallSite here(site);
  const char* op = BinaryCrossEntropy::name;
  check_binary(op, input, target);
  const auto inside = count_nonzero(logical_and(ge(input, 0), le(input, 1))).item<std::int64_t>();
  check(inside == input.numel(), op, "the input has {} entries that are no probabilities in [0, 1]",
        input.numel() - inside);
  return weighted(op, BinaryCrossEntropy::apply(input, target), options.weight, options.reduction);
}

Tensor binary_cross_entropy_with_logits(const Tensor& logits, const Tensor& target,
                                        const BinaryCrossEntropyWithLogitsOptions& options, Where site) {
  const CallSite here(site);
  const char* op = LogitCost::name;
  check_binary(op, logits, target);
  const Tensor& positive = options.pos_weight;
  check(!positive.defined() || broadcast_shapes(op, logits.shape(), positive.shape()) == logits.shape(), op,
        "a pos_weight of shape {} does not broadcast to {}", positive.defined() ? positive.shape().str() : "",
        logits.shape().str());
  const Tensor hits = positive.defined() ? target * positive : target;
  const Tensor losses = hits * LogitCost::apply(neg(logits)) + (1 - target) * LogitCost::apply(logits);
  return weighted(op, losses, options.weight, options.reduction);
}

Tensor kl_div(const Tensor& input, const Tensor& target, const KlDivOptions& options, Where site) {
  const CallSite here(site);
  kernels::check_floating("kl_div", input);
  kernels::check_floating("kl_div", target);
  auto divergence = [&] {
    if (options.log_target) return exp(target) * (target - input);
    return target * (log(where(eq(target, 0), 1, target)) - input);
  };
  const Tensor losses = divergence();
  if (!options.batchmean) return reduced(losses, options.reduction);
  return input.rank() > 0 ? sum(losses) / static_cast<double>(input.size(0)) : sum(losses);
}

Tensor cosine_similarity(const Tensor& a, const Tensor& b, int dim, double eps, Where site) {
  const CallSite here(site);
  const char* op = "cosine_similarity";
  check(eps >= 0, op, "eps must not be negative: {}", eps);
  const Shape shape = broadcast_shapes(op, a.shape(), b.shape());
  const int at = normalize_dim(op, dim, shape.rank());
  auto direction = [&](const Tensor& x) {
    const Tensor whole = broadcast_to(kernels::floating(x), shape);
    return whole / maximum(norm(whole, 2, {at}, true), eps);
  };
  return sum(direction(a) * direction(b), {at});
}

Tensor hinge_embedding_loss(const Tensor& input, const Tensor& target, double margin, Loss reduction, Where site) {
  const CallSite here(site);
  return reduced(of_likeness("hinge_embedding_loss", target, input, relu(margin - input)), reduction);
}

Tensor cosine_embedding_loss(const Tensor& a, const Tensor& b, const Tensor& target, double margin, Loss reduction,
                             Where site) {
  const CallSite here(site);
  const char* op = "cosine_embedding_loss";
  check((a.rank() == 1 || a.rank() == 2) && a.shape() == b.shape() && target.rank() == a.rank() - 1 &&
            (a.rank() == 1 || target.size(0) == a.size(0)),
        op, "vectors (N, D) and (N, D) with targets (N) are needed: {}, {} and {}", a.shape().str(), b.shape().str(),
        target.shape().str());
  auto length_squared = [](const Tensor& x) { return sum(square(x), {-1}) + 1e-12; };
  const Tensor cosine = sum(a * b, {-1}) * rsqrt(length_squared(a) * length_squared(b));
  return reduced(of_likeness(op, target, 1 - cosine, relu(cosine - margin)), reduction);
}

std::vector<OpRecord> loss_ops() {
  using Inputs = std::vector<Tensor>;
  // Differences on both sides of every kink, at a distance from it.
  auto differences = [](Sampler& s, const Shape& a, const Shape& b) {
    return Inputs{s.distinct(a) * 8.0, s.uniform(b, 0.1, 0.2)};
  };
  using OfDifferences = std::function<Tensor(const Tensor&, const Tensor&, Loss, Where)>;
  auto of_differences = [differences](const OfDifferences& op) {
    return [=](Sampler& s) {
      auto sample = [&](const char* label, const Shape& a, const Shape& b, Loss reduction) {
        return OpSample{label, differences(s, a, b), [=](const Inputs& in) { return op(in[0], in[1], reduction, {}); }};
      };
      return std::vector<OpSample>{sample("mean", {3, 2}, {3, 2}, Loss::mean), sample("sum", {3, 2}, {3, 2}, Loss::sum),
                                   sample("none, broadcast", {3, 2}, {2}, Loss::none),
                                   sample("scalar", {}, {}, Loss::mean), sample("empty", {0, 2}, {2}, Loss::sum)};
    };
  };
  auto with_width = [=](Tensor (*op)(const Tensor&, const Tensor&, Loss, double, Where)) {
    return [=](Sampler& s) {
      const OfDifferences of_width_1 = [op](const Tensor& a, const Tensor& b, Loss reduction, Where site) {
        return op(a, b, reduction, 1, site);
      };
      std::vector<OpSample> samples = of_differences(of_width_1)(s);
      samples.push_back({"width 3", differences(s, {3, 2}, {3, 2}),
                         [op](const Inputs& in) { return op(in[0], in[1], Loss::none, 3, {}); }});
      return samples;
    };
  };
  auto probabilities = [](Sampler& s) {
    auto call = [](Loss reduction, bool with_weight) {
      return [=](const Inputs& in) {
        return binary_cross_entropy(in[0], in[1], {.weight = with_weight ? in[2] : Tensor(), .reduction = reduction});
      };
    };
    auto x = [&](const Shape& shape) { return s.uniform(shape, 0.1, 0.9); };
    return std::vector<OpSample>{{"mean", {x({3, 2}), x({3, 2})}, call(Loss::mean, false)},
                                 {"weighted", {x({3, 2}), x({3, 2}), x({2})}, call(Loss::none, true)},
                                 {"scalar", {x({}), x({})}, call(Loss::sum, false)},
                                 {"empty", {x({0}), x({0})}, call(Loss::sum, false)}};
  };
  auto logits = [](Sampler& s) {
    auto call = [](Loss reduction, bool with_weight, bool with_positive) {
      return [=](const Inputs& in) {
        return binary_cross_entropy_with_logits(in[0], in[1],
                                                {.weight = with_weight ? in[2] : Tensor(),
                                                 .pos_weight = with_positive ? in.back() : Tensor(),
                                                 .reduction = reduction});
      };
    };
    auto x = [&](const Shape& shape) { return s.normal(shape); };
    auto t = [&](const Shape& shape) { return s.uniform(shape, 0.1, 0.9); };
    return std::vector<OpSample>{{"mean", {x({3, 2}), t({3, 2})}, call(Loss::mean, false, false)},
                                 {"weighted", {x({3, 2}), t({3, 2}), t({3, 1})}, call(Loss::sum, true, false)},
                                 {"pos_weight", {x({3, 2}), t({3, 2}), t({2})}, call(Loss::mean, false, true)},
                                 {"both weights", {x({3, 2}), t({3, 2}), t({2}), t({2})}, call(Loss::none, true, true)},
                                 {"scalar", {x({}), t({})}, call(Loss::mean, false, false)},
                                 {"empty", {x({0}), t({0})}, call(Loss::sum, false, false)}};
  };
  auto divergences = [](Sampler& s) {
    auto call = [](const KlDivOptions& options) {
      return [=](const Inputs& in) { return kl_div(in[0], in[1], options); };
    };
    auto x = [&](const Shape& shape) { return s.normal(shape); };
    auto t = [&](const Shape& shape) { return s.uniform(shape, 0.1, 0.9); };
    return std::vector<OpSample>{
        {"mean", {x({3, 2}), t({3, 2})}, call({})},
        {"batchmean", {x({3, 2}), t({3, 2})}, call({.batchmean = true})},
        {"log_target, none", {x({3, 2}), x({2})}, call({.log_target = true, .reduction = Loss::none})},
        {"scalar", {x({}), t({})}, call({.reduction = Loss::sum})}};
  };
  auto cosines = [](Sampler& s) {
    auto call = [](int dim) { return [=](const Inputs& in) { return cosine_similarity(in[0], in[1], dim); }; };
    return std::vector<OpSample>{{"rows", {s.normal({3, 4}), s.normal({3, 4})}, call(1)},
                                 {"broadcast", {s.normal({2, 1, 3}), s.normal({2, 3})}, call(-1)},
                                 {"first", {s.normal({3, 2}), s.normal({3, 2})}, call(0)},
                                 {"size 1", {s.normal({3, 1}), s.normal({3, 1})}, call(1)},
                                 {"no rows", {s.normal({0, 3}), s.normal({3})}, call(1)}};
  };
  const Tensor likeness = Tensor::from<std::int64_t>({1, -1, -1});
  auto hinges = [likeness](Sampler& s) {
    auto call = [](double margin, Loss reduction) {
      return [=](const Inputs& in) { return hinge_embedding_loss(in[0], in[1], margin, reduction); };
    };
    return std::vector<OpSample>{{"mean", {s.distinct({3}) * 8.0, likeness}, call(1, Loss::mean)},
                                 {"margin, broadcast", {s.distinct({2, 3}) * 8.0, likeness}, call(0.1, Loss::none)}};
  };
  auto cosine_embeddings = [likeness](Sampler& s) {
    auto call = [](double margin, Loss reduction) {
      return [=](const Inputs& in) { return cosine_embedding_loss(in[0], in[1], in[2], margin, reduction); };
    };
    auto x = [&](const Shape& shape) { return s.uniform(shape, 0.2, 1); };  // cosines above the margin
    return std::vector<OpSample>{{"mean", {x({3, 4}), x({3, 4}), likeness}, call(0, Loss::mean)},
                                 {"margin, each", {x({3, 4}), x({3, 4}), likeness}, call(0.1, Loss::none)},
                                 {"below the margin", {x({3, 4}), neg(x({3, 4})), likeness}, call(0, Loss::sum)},
                                 {"one", {x({4}), x({4}), Tensor::scalar(-1, i64)}, call(0, Loss::sum)}};
  };
  return {{"mse_loss", true, of_differences(mse_loss)},
          {"l1_loss", true, of_differences(l1_loss)},
          {"smooth_l1_loss", true, with_width(smooth_l1_loss)},
          {"huber_loss", true, with_width(huber_loss)},
          {"binary_cross_entropy", true, probabilities},
          {"binary_cross_entropy_with_logits", true, logits},
          {"kl_div", true, divergences},
          {"cosine_similarity", true, cosines},
          {"hinge_embedding_loss", true, hinges},
          {"cosine_embedding_loss", true, cosine_embeddings}};
}

}  // namespace ff
