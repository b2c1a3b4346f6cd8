#pragma once

#include <atomic>
#include <string>
#include <vector>

namespace ff::tools {

/// Runs this program again with arguments, as a process of its own, which writes where this one does, and waits for it.
/// Once `interrupted` is set it is asked to end (SIGTERM), and waited for all the same; it is so, too, where this
/// process dies. Its exit status, 128 and the number for one that a signal ended. Throws std::system_error where it
/// cannot be started.
int run_self(const std::vector<std::string>& arguments, const std::atomic<bool>& interrupted);

}  // namespace ff::tools
