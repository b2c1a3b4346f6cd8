#pragma once

#include "ff/models/config.h"
#include "ff/nn/attention.h"

namespace ff::models {

/// The fields of a model's attention, which stand in the model's own section: attention, power, epsilon, radius,
/// radius_shape, learn_radius, attention_dropout, qkv_bias.
void visit_attention(Fields& fields, nn::AttentionOptions& attention);

}  // namespace ff::models
