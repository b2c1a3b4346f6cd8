#pragma once

#include "ff/core/random.h"
#include "ff/models/config.h"
#include "ff/models/data_loader.h"

namespace ff::models {

/// Whether and how the images of a training batch are mixed with one another, as in timm's Mixup for whole batches.
struct MixConfig {
  double mixup = 0, cutmix = 0;  ///< alpha of Beta(alpha, alpha), which shares are drawn from; 0: never
  double mix_probability = 1;    ///< of a batch to be mixed at all
  double cutmix_probability = 0.5;

  bool any() const { return mixup > 0 || cutmix > 0; }
  /// The probability of cutmix for a batch that is mixed; 0 or 1 where only one of the two is asked for.
  double chance_of_cutmix() const { return cutmix == 0 ? 0 : mixup == 0 ? 1 : cutmix_probability; }
  void visit(Fields& fields);
};

/// What is done to a batch: image i keeps `own` of itself and takes the rest from its partner, image n - 1 - i.
struct Mix {
  double own = 1;
  /// Cutmix: rows top to bottom - 1 and columns left to right - 1 are the partner's. Mixup: none; every pixel is
  /// own x + (1 - own) partner's.
  bool cut = false;
  std::int64_t top = 0, bottom = 0, left = 0, right = 0;
};

/// Draws the mix of a batch of such images from key. Mixup (Zhang et al. 2018) draws
/// the share; cutmix (Yun et al. 2019) a box of that share of the area, whose centre is anywhere, and the share is then
/// that of what is left of it inside the image.
Mix draw_mix(const MixConfig& config, std::int64_t height, std::int64_t width, RandomKey key);

/// Mixes the images, f32 (n, channels, height, width), in place; the targets, i64 (n), become the probabilities of the
/// classes, f32 (n, classes). Throws Error where a target is no class.
void mix_batch(const Mix& mix, std::int64_t classes, Batch& batch);

}  // namespace ff::models
