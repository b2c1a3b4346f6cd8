#pragma once

#include <atomic>

namespace ff::tools {

/// From now on the first SIGINT (Ctrl-C) or SIGTERM sets the flag that is returned, and a second one kills.
const std::atomic<bool>& catch_interrupts();

/// The exit status of a program that such a signal has ended: 128 and its number.
int interrupt_status();

}  // namespace ff::tools
