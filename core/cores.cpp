#include "ff/core/cores.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <limits>
#include <memory>
#include <set>
#include <sstream>
#include <thread>

#include <sched.h>

namespace ff {
namespace {

constexpr double unlimited = std::numeric_limits<double>::infinity();

// Small files of /sys and /proc; empty where there is none.
std::string read_text(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

// Cores' worth of time that "quota period" (microseconds) allows; "max", and -1 in version 1, are no limit.
double cores_of(const std::string& quota_and_period) {
  std::istringstream text(quota_and_period);
  double quota = 0, period = 0;
  return text >> quota >> period && quota > 0 && period > 0 ? quota / period : unlimited;
}

// The least that a group and those above it allow, `folder` being where the topmost is. A container may see its own
// group as the topmost, under the name that it has outside: what is not there allows all.
double least_of_groups(const std::string& folder, std::string group) {
  double least = unlimited;
  for (;; group.erase(group.rfind('/'))) {
    const std::string at = folder + group;
    least = std::min({least, cores_of(read_text(at + "/cpu.max")),
                      cores_of(read_text(at + "/cpu.cfs_quota_us") + " " + read_text(at + "/cpu.cfs_period_us"))});
    if (group.rfind('/') == std::string::npos) return least;
  }
}

double quota(const std::string& root) {
  double least = unlimited;
  std::istringstream groups(read_text(root + "/proc/self/cgroup"));
  for (std::string line; std::getline(groups, line);) {  // "0::/a/b", "4:cpu,cpuacct:/a/b"
    const std::size_t first = line.find(':'), second = line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    std::string group = line.substr(second + 1);
    if (group == "/") group.clear();
    if (controllers.empty())
      for (const char* folder : {"/sys/fs/cgroup", "/sys/fs/cgroup/unified"})
        least = std::min(least, least_of_groups(root + folder, group));
    else if (("," + controllers + ",").find(",cpu,") != std::string::npos)
      for (const std::string& folder : {std::string("cpu"), controllers})
        least = std::min(least, least_of_groups(root + "/sys/fs/cgroup/" + folder, group));
  }
  return least;
}

}  // namespace

std::vector<int> allowed_cpus() {
  std::vector<int> cpus;
  for (int size = CPU_SETSIZE; size <= 1 << 20 && cpus.empty(); size *= 2) {  // the kernel's may be larger than ours
    const std::unique_ptr<cpu_set_t, void (*)(cpu_set_t*)> set(CPU_ALLOC(static_cast<std::size_t>(size)),
                                                               [](cpu_set_t* s) { CPU_FREE(s); });
    const std::size_t bytes = CPU_ALLOC_SIZE(static_cast<std::size_t>(size));
    if (!set || sched_getaffinity(0, bytes, set.get()) != 0) continue;
    for (int cpu = 0; cpu < size; ++cpu)
      if (CPU_ISSET_S(static_cast<std::size_t>(cpu), bytes, set.get())) cpus.push_back(cpu);
  }
  if (cpus.empty())
    for (int cpu = 0; cpu < static_cast<int>(std::max(1u, std::thread::hardware_concurrency())); ++cpu)
      cpus.push_back(cpu);
  return cpus;
}

std::vector<int> parse_cpu_list(const std::string& text) {
  constexpr int most = 1 << 20;
  std::set<int> cpus;
  std::istringstream ranges(text);
  for (std::string range; std::getline(ranges, range, ',');) {
    int first = 0, last = 0;
    char dash = 0;
    std::istringstream numbers(range);
    if (!(numbers >> first)) continue;
    if (!(numbers >> dash >> last) || dash != '-') last = first;
    for (int cpu = std::max(first, 0); cpu <= std::min(last, most); ++cpu) cpus.insert(cpu);
  }
  return {cpus.begin(), cpus.end()};
}

int usable_cores(const std::vector<int>& allowed, const std::string& root) {
  std::set<int> cores;  // by the first of their CPUs
  for (const int cpu : allowed) {
    const std::vector<int> siblings = parse_cpu_list(
        read_text(root + "/sys/devices/system/cpu/cpu" + std::to_string(cpu) + "/topology/thread_siblings_list"));
    cores.insert(siblings.empty() ? cpu : siblings.front());
  }
  const double most = std::min(static_cast<double>(cores.size()), std::ceil(quota(root)));
  return std::max(1, static_cast<int>(most));
}

}  // namespace ff
