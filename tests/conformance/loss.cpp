// Losses of classification.

#include "ff/autograd/ops/ops.h"

#include "tests/conformance/evaluate.h"

namespace ff::conformance {

namespace {

// Attributes ignore_index and reduction, and input 2, the weights of classes, in the library's options.
template <class Options>
Options options_of(const Call& call) {
  static const std::map<std::string, Loss> reductions{{"mean", Loss::mean}, {"sum", Loss::sum}, {"none", Loss::none}};
  Options options;
  options.weight = call[2];
  options.ignore_index = call.integer("ignore_index", options.ignore_index);
  options.reduction = reductions.at(call.text("reduction", "mean"));
  return options;
}

}  // namespace

Operators loss_operators() {
  return {{"NegativeLogLikelihoodLoss",
           [](const Call& call) { return nll_loss(call[0], call[1], options_of<NllLossOptions>(call)); }},
          {"SoftmaxCrossEntropyLoss", [](const Call& call) -> Outputs {
             return {cross_entropy(call[0], call[1], options_of<CrossEntropyOptions>(call)), log_softmax(call[0], 1)};
           }}};
}

}  // namespace ff::conformance
