#pragma once

#include <string>
#include <vector>

namespace ff {

/// The CPUs that the scheduler may run this process on (sched_getaffinity), ascending.
std::vector<int> allowed_cpus();

/// The CPUs of a list as Linux writes it, "0-3,8,10-11": ascending. What is no number is passed over.
std::vector<int> parse_cpu_list(const std::string& text);

/// How many of the physical cores that the CPUs `allowed` belong to this process can keep busy: hyperthreads of a core
/// count once, and the quota of its control groups (cpu.max, or cpu.cfs_quota_us of version 1; the smallest of them and
/// those above) limits it, rounded up. At least 1. root is where /sys and /proc are.
int usable_cores(const std::vector<int>& allowed, const std::string& root = "");

}  // namespace ff
