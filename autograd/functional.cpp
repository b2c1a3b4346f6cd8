#include "ff/autograd/functional.h"

#include "ff/autograd/engine.h"
#include "ff/autograd/grad_mode.h"
#include "ff/autograd/ops/ops.h"
#include "ff/core/check.h"

namespace ff {
namespace {

// A call of f that can be differentiated with respect to its inputs.
struct Call {
  std::vector<Tensor> inputs;
  Tensor value;

  Call(const char* op, const TensorFunction& f, const std::vector<Tensor>& given, bool create_graph) {
    const GradMode enabled(true);
    for (std::size_t i = 0; i < given.size(); ++i) {
      const Tensor& x = given[i];
      check(is_floating(x.dtype()), op, "input {} of shape {} is {}, which has no derivative", i, x.shape().str(),
            name(x.dtype()));
      // Where the results are to be differentiated, what an input was computed from stays in reach.
      const bool connected = create_graph && x.requires_grad();
      inputs.push_back(connected ? reshape(x * 1, x.shape()) : x.detach().requires_grad_());
    }
    value = f(inputs);
  }

  // The gradients for a cotangent, zeros where the value does not depend on an input; differentiable if asked for.
  std::vector<Tensor> gradients(const Tensor& of, const Tensor& cotangent, bool create_graph) const {
    if (!of.requires_grad()) return zeros();
    std::vector<Tensor> result =
        grad({of}, inputs, {cotangent}, {.retain_graph = true, .create_graph = create_graph, .allow_unused = true});
    for (std::size_t i = 0; i < result.size(); ++i)
      if (!result[i].defined()) result[i] = zeros_like(inputs[i]);
    return result;
  }

  std::vector<Tensor> zeros() const {
    std::vector<Tensor> result;
    for (const Tensor& x : inputs) result.push_back(zeros_like(x));
    return result;
  }
};

void check_like(const char* op, const std::vector<Tensor>& v, const std::vector<Tensor>& inputs) {
  check(v.size() == inputs.size(), op, "{} vectors given for {} inputs", v.size(), inputs.size());
  for (std::size_t i = 0; i < v.size(); ++i)
    check(v[i].shape() == inputs[i].shape() && v[i].dtype() == inputs[i].dtype(), op,
          "vector {} is {} {}, its input {} {}", i, v[i].shape().str(), name(v[i].dtype()), inputs[i].shape().str(),
          name(inputs[i].dtype()));
}

Shape joined(const Shape& a, const Shape& b) {
  Shape shape = a;
  for (const std::int64_t size : b) shape.push_back(size);
  return shape;
}

// The gradients of every element of y, stacked: result[i] has shape y.shape + inputs[i].shape.
std::vector<Tensor> rows(const Call& call, const Tensor& y, bool create_graph) {
  std::vector<std::vector<Tensor>> parts(call.inputs.size());
  for (std::int64_t at = 0; at < y.numel(); ++at) {
    Tensor one = zeros({y.numel()}, {.dtype = y.dtype()});
    select(one, 0, at).fill(1);
    const std::vector<Tensor> row = call.gradients(y, reshape(one, y.shape()), create_graph);
    for (std::size_t i = 0; i < row.size(); ++i) parts[i].push_back(row[i]);
  }
  std::vector<Tensor> result;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const Shape shape = joined(y.shape(), call.inputs[i].shape());
    result.push_back(parts[i].empty() ? zeros(shape, {.dtype = y.dtype()}) : reshape(stack(parts[i]), shape));
  }
  return result;
}

Tensor detached(const Tensor& x, bool keep_graph) { return keep_graph ? x : x.detach(); }

std::vector<Tensor> detached(std::vector<Tensor> tensors, bool keep_graph) {
  for (Tensor& x : tensors) x = detached(x, keep_graph);
  return tensors;
}

void check_scalar(const char* op, const Tensor& y) {
  check(y.numel() == 1, op, "a function that gives a scalar is needed; it gave shape {}", y.shape().str());
}

// sum_i <a[i], b[i]>
Tensor inner(const std::vector<Tensor>& a, const std::vector<Tensor>& b) {
  Tensor total = sum(a[0] * b[0]);
  for (std::size_t i = 1; i < a.size(); ++i) total = total + sum(a[i] * b[i]);
  return total;
}

}  // namespace

std::vector<Tensor> jacobian(const TensorFunction& f, const std::vector<Tensor>& inputs, bool create_graph,
                             Where site) {
  const CallSite here(site, CallSite::Level::module);
  const Call call("jacobian", f, inputs, create_graph);
  const GradMode mode(create_graph);
  return detached(rows(call, call.value, create_graph), create_graph);
}

std::vector<std::vector<Tensor>> hessian(const TensorFunction& f, const std::vector<Tensor>& inputs, bool create_graph,
                                         Where site) {
  const CallSite here(site, CallSite::Level::module);
  const Call call("hessian", f, inputs, create_graph);
  check_scalar("hessian", call.value);
  const std::vector<Tensor> gradient = call.gradients(call.value, ones_like(call.value), true);
  const GradMode mode(create_graph);
  std::vector<std::vector<Tensor>> result;
  for (const Tensor& g : gradient) result.push_back(detached(rows(call, g, create_graph), create_graph));
  return result;
}

Derivative vjp(const TensorFunction& f, const std::vector<Tensor>& inputs, const Tensor& v, bool create_graph,
               Where site) {
  const CallSite here(site, CallSite::Level::module);
  const Call call("vjp", f, inputs, create_graph);
  check(v.shape() == call.value.shape(), "vjp", "a vector of shape {} given for a value of shape {}", v.shape().str(),
        call.value.shape().str());
  return {detached(call.value, create_graph), call.gradients(call.value, v, create_graph)};
}

Derivative jvp(const TensorFunction& f, const std::vector<Tensor>& inputs, const std::vector<Tensor>& v,
               bool create_graph, Where site) {
  const CallSite here(site, CallSite::Level::module);
  check_like("jvp", v, inputs);
  const Call call("jvp", f, inputs, create_graph);
  const GradMode enabled(true);
  const Tensor cotangent = zeros_like(call.value).requires_grad_();
  const std::vector<Tensor> linear = call.gradients(call.value, cotangent, true);
  const Tensor along = inner(linear, v);
  Tensor result;
  if (along.requires_grad())
    result = grad({along}, {cotangent}, {}, {.create_graph = create_graph, .allow_unused = true})[0];
  if (!result.defined()) result = zeros_like(call.value);
  return {detached(call.value, create_graph), {result}};
}

Derivative vhp(const TensorFunction& f, const std::vector<Tensor>& inputs, const std::vector<Tensor>& v,
               bool create_graph, Where site) {
  const CallSite here(site, CallSite::Level::module);
  check_like("vhp", v, inputs);
  const Call call("vhp", f, inputs, create_graph);
  check_scalar("vhp", call.value);
  const GradMode enabled(true);
  const std::vector<Tensor> gradient = call.gradients(call.value, ones_like(call.value), true);
  const Tensor along = inner(gradient, v);
  return {detached(call.value, create_graph), call.gradients(along, ones_like(along), create_graph)};
}

Derivative hvp(const TensorFunction& f, const std::vector<Tensor>& inputs, const std::vector<Tensor>& v,
               bool create_graph, Where site) {
  return vhp(f, inputs, v, create_graph, site);
}

}  // namespace ff
