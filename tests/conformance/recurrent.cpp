// Recurrent networks, one direction and layer, a step at a time.

#include "ff/autograd/ops/ops.h"
#include "ff/core/check.h"

#include "tests/conformance/evaluate.h"

namespace ff::conformance {

namespace {

// x (T, B, I); weights of G gates, one under the other: w (G H, I), r (G H, H), biases (G H); h (B, H).
struct Network {
  Tensor x, w, r, w_bias, r_bias, h;
  bool batch_first;

  /// The share of gate g of x w^T, of one step, or of h r^T.
  Tensor of_input(std::int64_t g, const Tensor& step) const { return gate(g, step, w, w_bias); }
  Tensor of_state(std::int64_t g, const Tensor& state) const { return gate(g, state, r, r_bias); }

 private:
  Tensor gate(std::int64_t g, const Tensor& a, const Tensor& weight, const Tensor& bias) const {
    const std::int64_t n = r.size(1);
    return linear(a, slice(weight, 0, g * n, (g + 1) * n), slice(bias, 0, g * n, (g + 1) * n));
  }
};

// The inputs X, W, R, B, sequence_lens, initial_h, which all of them have.
Network network(const Call& call) {
  const std::int64_t size = call.integer("hidden_size", 0), layout = call.integer("layout", 0);
  check(call.text("direction", "forward") == "forward", "conformance", "only forward");
  const Tensor x = layout == 1 ? transpose(call[0], 0, 1) : call[0];
  const Tensor r = select(call[2], 0, 0);
  check(r.size(1) == size, "conformance", "hidden_size {} of a weight {}", size, r.shape().str());
  if (call.has(4))
    for (const std::int64_t length : integers_of(call[4]))
      check(length == x.size(0), "conformance", "a sequence of length {} of {}", length, x.size(0));
  const Tensor biases = call.has(3) ? select(call[3], 0, 0) : zeros({2 * r.size(0)});
  const std::vector<Tensor> bias = split(biases, {r.size(0), r.size(0)});
  const Tensor h = call.has(5) ? select(call[5], layout == 1 ? 1 : 0, 0) : zeros({x.size(1), size});
  return {x, select(call[1], 0, 0), r, bias[0], bias[1], h, layout == 1};
}

// Y (T, 1, B, H), Y_h (1, B, H), the batch first if it came so; step computes the next h.
Outputs run(const Network& net, const std::function<Tensor(const Tensor& x, const Tensor& h)>& step) {
  Tensor h = net.h;
  std::vector<Tensor> all;
  for (const Tensor& x : unbind(net.x, 0)) all.push_back(h = step(x, h));
  const Tensor y = unsqueeze(stack(all), 1);
  if (net.batch_first) return {permute(y, {2, 0, 1, 3}), unsqueeze(h, 1)};
  return {y, unsqueeze(h, 0)};
}

Outputs simple(const Call& call) {
  const Network net = network(call);
  return run(net, [&](const Tensor& x, const Tensor& h) { return tanh(net.of_input(0, x) + net.of_state(0, h)); });
}

// Cho et al. 2014. Gates z, r, h.
Outputs gated(const Call& call) {
  const Network net = network(call);
  check(!call.integer("linear_before_reset", 0), "GRU", "no linear_before_reset");
  return run(net, [&](const Tensor& x, const Tensor& h) {
    const Tensor z = sigmoid(net.of_input(0, x) + net.of_state(0, h));
    const Tensor r = sigmoid(net.of_input(1, x) + net.of_state(1, h));
    const Tensor candidate = tanh(net.of_input(2, x) + net.of_state(2, r * h));
    return (1.0 - z) * candidate + z * h;
  });
}

// Gers and Schmidhuber 2000. Gates i, o, f, c; peepholes from the cell to i, o, f.
Outputs long_short_term(const Call& call) {
  const Network net = network(call);
  const std::int64_t size = net.r.size(1);
  Tensor c = call.has(6) ? select(call[6], net.batch_first ? 1 : 0, 0) : zeros_like(net.h);
  const Tensor holes = call.has(7) ? select(call[7], 0, 0) : zeros({3 * size});
  const std::vector<Tensor> peephole = split(holes, {size, size, size});
  Outputs outputs = run(net, [&](const Tensor& x, const Tensor& h) {
    const auto gate = [&](std::int64_t g) { return net.of_input(g, x) + net.of_state(g, h); };
    const Tensor i = sigmoid(gate(0) + peephole[0] * c), f = sigmoid(gate(2) + peephole[2] * c);
    c = f * c + i * tanh(gate(3));
    return sigmoid(gate(1) + peephole[1] * c) * tanh(c);
  });
  outputs.tensors.push_back(unsqueeze(c, net.batch_first ? 1 : 0));
  return outputs;
}

}  // namespace

Operators recurrent_operators() { return {{"GRU", gated}, {"LSTM", long_short_term}, {"RNN", simple}}; }

}  // namespace ff::conformance
