#pragma once

#include <functional>
#include <vector>

#include "ff/core/call_site.h"
#include "ff/core/tensor.h"

namespace ff {

/// Derivatives of functions of several tensors, as torch.autograd.functional has them: f is called with fresh leaves of
/// the elements of inputs, which must be floating. With create_graph the results can be differentiated, with respect to
/// what f captures and to inputs that require a gradient. Derivatives with respect to inputs that f does not use are
/// zero.
using TensorFunction = std::function<Tensor(const std::vector<Tensor>&)>;

/// f's value and a derivative of it.
struct Derivative {
  Tensor value;
  std::vector<Tensor> inputs;  ///< one for each input
};

/// J[i] = df / dinputs[i], of shape f.shape + inputs[i].shape. One backward pass for each element of f.
std::vector<Tensor> jacobian(const TensorFunction& f, const std::vector<Tensor>& inputs, bool create_graph = false,
                             Where site = {});
/// H[i][j] = d2f / dinputs[i] dinputs[j] of a scalar f, of shape inputs[i].shape + inputs[j].shape.
std::vector<std::vector<Tensor>> hessian(const TensorFunction& f, const std::vector<Tensor>& inputs,
                                         bool create_graph = false, Where site = {});
/// v^T J for each input; v of f's shape.
Derivative vjp(const TensorFunction& f, const std::vector<Tensor>& inputs, const Tensor& v, bool create_graph = false,
               Where site = {});
/// J v: the derivative of f along v, a tensor of each input's shape; .inputs has it as its only entry. By two backward
/// passes: v^T J is linear in v, and its derivative with respect to v is J.
Derivative jvp(const TensorFunction& f, const std::vector<Tensor>& inputs, const std::vector<Tensor>& v,
               bool create_graph = false, Where site = {});
/// H v of a scalar f; v has a tensor of each input's shape. The Hessian being symmetric, v^T H computed the cheap way.
Derivative hvp(const TensorFunction& f, const std::vector<Tensor>& inputs, const std::vector<Tensor>& v,
               bool create_graph = false, Where site = {});
/// v^T H of a scalar f.
Derivative vhp(const TensorFunction& f, const std::vector<Tensor>& inputs, const std::vector<Tensor>& v,
               bool create_graph = false, Where site = {});

}  // namespace ff
