#pragma once

#include <cstdint>
#include <functional>

namespace ff::optim {

/// The factor that the initial learning rate is multiplied by in update `step` (counted from 0). It has no state: what
/// a run resumed at a step needs is the step. Used as optimizer.scale_lr(schedule(step)) before optimizer.step().
using Schedule = std::function<double(std::int64_t step)>;

/// 1 throughout.
Schedule constant();

/// From 1 to minimum (a factor, too) along half a cosine in total updates (Loshchilov and Hutter 2017), minimum from
/// then on.
Schedule cosine(std::int64_t total, double minimum = 0);

/// cosine() over and over, each time from 1: the first takes `first` updates, each other `growth` times as many as the
/// one before (Loshchilov and Hutter 2017; PyTorch's CosineAnnealingWarmRestarts with T_0, T_mult). growth is at
/// least 1.
Schedule cosine_restarts(std::int64_t first, std::int64_t growth = 1, double minimum = 0);

/// From 1 to minimum in a straight line in total updates, minimum from then on (PyTorch's LinearLR from 1).
Schedule linear(std::int64_t total, double minimum = 0);

/// sqrt(scale / (scale + step)): falls by the inverse square root of the update's number. with_warmup(n,
/// inverse_sqrt(n)) is the schedule of Vaswani et al. 2017 for n updates of warm-up. scale is at least 1.
Schedule inverse_sqrt(std::int64_t scale);

/// Smith and Topin 2018, as PyTorch's OneCycleLR does it, the highest rate being 1: along half a cosine from start to
/// 1, which is reached in update rise - 1, and along another to end, which is reached in update total - 1. PyTorch's
/// pct_start is rise / total, its div_factor 1 / start, its final_div_factor start / end. 2 <= rise < total.
Schedule one_cycle(std::int64_t total, std::int64_t rise, double start = 1.0 / 25, double end = 1.0 / 25e4);

/// gamma^(step / every), rounded down.
Schedule step_decay(std::int64_t every, double gamma = 0.1);

/// Up in a straight line from start to 1, which is reached in update warmup - 1 (so that the first, from 0, is 1 /
/// warmup and not 0); after that, `after` from its own beginning.
Schedule with_warmup(std::int64_t warmup, Schedule after, double start = 0);

/// with_warmup(warmup, cosine(total - warmup, minimum), start): total counts all updates. The usual one.
Schedule warmup_cosine(std::int64_t warmup, std::int64_t total, double minimum = 0, double start = 0);

}  // namespace ff::optim
