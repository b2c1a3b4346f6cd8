#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "ff/core/named_tensors.h"

namespace ff::optim {

/// Parameters that are treated alike; what is left out is the optimiser's own.
struct ParamGroup {
  NamedTensors parameters;
  std::optional<double> lr{}, weight_decay{};
};

/// Two groups: weight decay for the matrices, none for what has at most one dimension (biases, norms, radii) and for
/// the parameters named: by the full name, or its last part ("pos_embed" names "encoder.pos_embed").
std::vector<ParamGroup> no_decay_groups(const NamedTensors& parameters, double weight_decay,
                                        const std::vector<std::string>& names = {});

/// Changes parameters by their gradients. What it remembers of a parameter goes by the parameter's name.
class Optimizer {
 public:
  /// A ParamGroup as it stands: lr may be changed between steps, and is initial_lr at first.
  struct Group {
    NamedTensors parameters;
    double lr, initial_lr, weight_decay;
  };

  virtual ~Optimizer() = default;
  Optimizer(const Optimizer&) = delete;
  Optimizer& operator=(const Optimizer&) = delete;

  /// Updates every parameter that has a gradient, as if gradients were grad_scale times what they are:
  /// `step(nn::clip_factor(nn::grad_norm(parameters), max_norm))` is clip_grad_norm and step in one pass less over the
  /// gradients, which stay unclipped. All parameters are updated in one parallel region.
  void step(double grad_scale = 1);
  /// Drops all gradients.
  void zero_grad();

  std::vector<Group>& groups() { return groups_; }
  /// Sets each group's lr to factor times its initial one: optimizer.scale_lr(schedule(step)).
  void scale_lr(double factor);

  /// All there is to its state: `<parameter>.step`, `<parameter>.<slot>` as PyTorch calls them ("exp_avg", ..) for the
  /// parameters updated so far, sharing memory with the optimiser, and the groups' "lr".
  TensorMap state_dict() const;
  /// Replaces the state. Throws an Error that lists everything wrong, and changes nothing, where the names, shapes or
  /// dtypes are not those of this optimiser's parameters. A parameter without an entry starts afresh.
  void load_state_dict(const TensorMap& state);

 protected:
  /// What is remembered of one parameter.
  struct State {
    std::int64_t step = 0;      ///< updates made, with this one
    std::vector<Tensor> slots;  ///< of the parameter's shape and dtype, dense, zero at first
  };

  /// slots are the names of what is remembered. Throws Error where there is no parameter, or where a parameter is not a
  /// contiguous floating leaf, comes twice, or has the name of another.
  Optimizer(std::vector<ParamGroup> groups, double lr, double weight_decay, std::vector<std::string> slots);

  /// A parameter that step() updates, by grad_scale times grad.
  struct Update {
    const Group& group;
    const Tensor& parameter;
    Tensor grad;  ///< dense, of the parameter's shape and dtype
    State& state;
    double grad_scale;
  };

  /// Updates elements [begin, end) of a parameter and its slots in place. Called from several threads, for different
  /// elements; step() does the rest.
  virtual void update(const Update& target, std::int64_t begin, std::int64_t end) const = 0;

 private:
  void check_parameters() const;
  State make_state(const Tensor& parameter) const;

  std::vector<Group> groups_;
  std::vector<std::string> slots_;
  std::map<std::string, State> states_;
};

}  // namespace ff::optim
