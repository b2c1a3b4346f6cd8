#pragma once

/// All of optim.
#include "ff/optim/adam.h"
#include "ff/optim/average.h"
#include "ff/optim/plateau.h"
#include "ff/optim/schedule.h"
#include "ff/optim/sgd.h"
#include "ff/optim/sparse_adam.h"
