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

/// gamma^(step / every), rounded down.
Schedule step_decay(std::int64_t every, double gamma = 0.1);

/// Up in a straight line from start to 1, which is reached in update warmup - 1 (so that the first, from 0, is 1 /
/// warmup and not 0); after that, `after` from its own beginning.
Schedule with_warmup(std::int64_t warmup, Schedule after, double start = 0);

/// with_warmup(warmup, cosine(total - warmup, minimum), start): total counts all updates. The usual one.
Schedule warmup_cosine(std::int64_t warmup, std::int64_t total, double minimum = 0, double start = 0);

}  // namespace ff::optim
