// Arithmetic and comparisons of several tensors.

#include "ff/autograd/ops/ops.h"

#include "tests/conformance/evaluate.h"

namespace ff::conformance {

namespace {

using Binary = Tensor (*)(const Operand&, const Operand&, Where);

template <class Argument>
Operator binary(Tensor (*f)(const Argument&, const Argument&, Where)) {
  return [f](const Call& call) { return f(call[0], call[1], {}); };
}

// Of any number of inputs.
Operator fold(Binary f) {
  return [f](const Call& call) {
    Tensor y = call[0];
    for (std::size_t i = 1; i < call.inputs().size(); ++i) y = f(y, call[i], {});
    return y;
  };
}

Outputs mean_of_inputs(const Call& call) {
  return div(fold(add)(call).tensors[0], static_cast<double>(call.inputs().size()));
}

// Of integers, the quotient without its fraction.
Outputs divide(const Call& call) {
  if (is_floating(call[0].dtype())) return div(call[0], call[1]);
  return floor_divide(call[0] - fmod(call[0], call[1]), call[1]);
}

// Of the base's dtype.
Outputs power(const Call& call) { return cast(pow(call[0], call[1]), call[0].dtype()); }

Outputs modulo(const Call& call) {
  return call.integer("fmod", 0) ? fmod(call[0], call[1]) : remainder(call[0], call[1]);
}

Outputs shift_bits(const Call& call) {
  return call.text("direction", "") == "LEFT" ? bitwise_left_shift(call[0], call[1])
                                              : bitwise_right_shift(call[0], call[1]);
}

}  // namespace

Operators arithmetic_operators() {
  return {{"Add", binary(add)},
          {"And", binary(logical_and)},
          {"BitShift", shift_bits},
          {"Div", divide},
          {"Equal", binary(eq)},
          {"Greater", binary(gt)},
          {"GreaterOrEqual", binary(ge)},
          {"Less", binary(lt)},
          {"LessOrEqual", binary(le)},
          {"Max", fold(maximum)},
          {"Mean", mean_of_inputs},
          {"Min", fold(minimum)},
          {"Mod", modulo},
          {"Mul", binary(mul)},
          {"Or", binary(logical_or)},
          {"Pow", power},
          {"Sub", binary(sub)},
          {"Sum", fold(add)},
          {"Where", [](const Call& call) { return where(call[0], call[1], call[2]); }},
          {"Xor", binary(logical_xor)}};
}

}  // namespace ff::conformance
