#pragma once

/// All of nn.
#include "ff/nn/activation.h"
#include "ff/nn/adaptive_softmax.h"
#include "ff/nn/attention.h"
#include "ff/nn/clip.h"
#include "ff/nn/containers.h"
#include "ff/nn/conv.h"
#include "ff/nn/dropout.h"
#include "ff/nn/embedding.h"
#include "ff/nn/init.h"
#include "ff/nn/key_value_cache.h"
#include "ff/nn/linear.h"
#include "ff/nn/mlp.h"
#include "ff/nn/module.h"
#include "ff/nn/norm.h"
#include "ff/nn/pool.h"
