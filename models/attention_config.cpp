#include "ff/models/attention_config.h"

namespace ff::models {

void visit_attention(Fields& f, nn::AttentionOptions& attention) {
  using nn::AttentionKind, nn::RadiusShape;
  f.choice<AttentionKind>("attention", attention.attention,
                          {{"fourier", AttentionKind::fourier}, {"softmax", AttentionKind::softmax}},
                          "what weighs the values");
  f.number("power", attention.power, {.min = 1}, "p of the kernel |sinc(R (q - k))|^p; Fourier attention alone");
  f.number("epsilon", attention.epsilon, {.min = 0},
           "added to the sum of the weights, 1e-6 in the published models; Fourier attention alone");
  f.number("radius", attention.radius, {.above = 0}, "what R starts at; Fourier attention alone");
  f.choice<RadiusShape>(
      "radius_shape", attention.radius_shape,
      {{"scalar", RadiusShape::scalar}, {"feature", RadiusShape::feature}, {"head_feature", RadiusShape::head_feature}},
      "who has an R of their own: nobody, each feature, each feature of each head");
  f.flag("learn_radius", attention.learn_radius, "whether R is learnt");
  f.number("attention_dropout", attention.attn_drop, {.min = 0, .below = 1}, "share of the weights that is dropped");
  f.flag("qkv_bias", attention.qkv_bias, "whether queries, keys and values have a bias");
}

}  // namespace ff::models
