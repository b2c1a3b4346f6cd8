#include "tests/conformance/exclusions.h"

namespace ff::conformance {

const std::vector<Exclusion>& exclusions() {
  static constexpr std::string_view training = "optimisers are ff::optim's, not functions of tensors";
  static constexpr std::string_view control = "control flow is the program's, not a graph's";
  static constexpr std::string_view signal = "no complex numbers, no signal processing";
  static constexpr std::string_view detection = "no detection of objects";
  static constexpr std::string_view three = "no convolution or pooling in three dimensions";
  static constexpr std::string_view random = "random numbers, which ONNX does not define";
  static const std::vector<Exclusion> all{
      {"Adagrad", "", training},
      {"Adam", "", training},
      {"Bernoulli", "", random},
      {"DFT", "", signal},
      {"If", "", control},
      {"Loop", "", control},
      {"MelWeightMatrix", "", signal},
      {"Momentum", "", training},
      {"NonMaxSuppression", "", detection},
      {"RoiAlign", "", detection},
      {"STFT", "", signal},
      {"Scan", "", control},
      {"TfIdfVectorizer", "", "no processing of text"},
      {"", "averagepool_3d_default", three},
      {"", "convtranspose_3d", three},
      {"", "maxpool_3d_default", three},
      {"", "range_float_type_positive_delta_expanded", control},
      {"", "range_int32_type_negative_delta_expanded", control},
      {"", "training_dropout", random},
      {"", "training_dropout_default", random},
      {"", "training_dropout_default_mask", random},
      {"", "training_dropout_mask", random},
  };
  return all;
}

const std::vector<Allowance>& allowances() {
  static constexpr std::string_view pi = "the expected values were computed with 3.1415 in place of pi";
  static constexpr std::string_view cancels = "an element near 0 is what is left of a sum of larger terms";
  static constexpr Tolerance coarse{.relative = 1e-3, .of_largest = 1.2e-7}, last_place{.of_largest = 1.2e-7};
  static const std::vector<Allowance> all{
      {"averagepool_2d_default", last_place, cancels},
      {"averagepool_2d_pads", last_place, cancels},
      {"averagepool_2d_pads_count_include_pad", last_place, cancels},
      {"averagepool_2d_same_lower", last_place, cancels},
      {"averagepool_2d_same_upper", last_place, cancels},
      {"averagepool_2d_strides", last_place, cancels},
      {"batchnorm_example_training_mode", last_place, cancels},
      {"blackmanwindow", coarse, pi},
      {"blackmanwindow_expanded", coarse, pi},
      {"blackmanwindow_symmetric", coarse, pi},
      {"blackmanwindow_symmetric_expanded", coarse, pi},
      {"gridsample_bicubic", {.relative = 5e-4}, "the expected values were rounded to four decimals"},
      {"gru_seq_length", last_place, cancels},
      {"hammingwindow", coarse, pi},
      {"hammingwindow_expanded", coarse, pi},
      {"hammingwindow_symmetric", coarse, pi},
      {"hammingwindow_symmetric_expanded", coarse, pi},
      {"hannwindow", coarse, pi},
      {"hannwindow_expanded", coarse, pi},
      {"hannwindow_symmetric", coarse, pi},
      {"hannwindow_symmetric_expanded", coarse, pi},
      {"instancenorm_epsilon", last_place, cancels},
      {"layer_normalization_4d_axis1", last_place, cancels},
  };
  return all;
}

}  // namespace ff::conformance
