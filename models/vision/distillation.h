#pragma once

#include <memory>
#include <string>

#include "ff/models/run_config.h"
#include "ff/models/vision/model.h"

namespace ff::models {

/// What a student, of logits (B, classes), loses by answering other than its teacher, of logits of that shape, as in
/// DeiT (Touvron et al. 2021). Soft: the Kullback-Leibler divergence of softmax(student / tau) from softmax(teacher /
/// tau), times tau^2, summed and divided by the number of logits, B classes, which is what DeiT's published code does.
/// Hard: the cross entropy with the class that the teacher gives most to; tau plays no part. A scalar, differentiable
/// in the student's logits.
Tensor distillation_loss(const Tensor& student, const Tensor& teacher, DistillationKind kind, double tau);

/// The model of a run, in evaluation mode, to teach a model of that configuration. Throws Error naming the run's folder
/// where it cannot: images of another size, channels or normalisation, other classes.
std::unique_ptr<VisionTransformer> load_teacher(const std::string& folder, const VisionConfig& student);

}  // namespace ff::models
