#pragma once

#include "ff/core/named_tensors.h"

namespace ff::optim {

/// Exponential moving average of parameters: after each update, average += (1 - decay) (parameter - average). It starts
/// at the parameters' values.
class Average {
 public:
  /// Throws Error unless decay is in [0, 1) and all parameters are contiguous and floating.
  Average(NamedTensors parameters, double decay);

  void update();
  /// Exchanges the averages with the parameters: once to evaluate them, once more to train on.
  void swap();

  /// The averages by parameter name, sharing memory with this object.
  TensorMap state_dict() const;
  /// Overwrites the averages. Throws an Error that lists everything wrong, and changes nothing, unless the state has
  /// exactly their names, shapes and dtypes.
  void load_state_dict(const TensorMap& state);

 private:
  NamedTensors parameters_;
  std::vector<Tensor> averages_;
  double decay_;
};

}  // namespace ff::optim
