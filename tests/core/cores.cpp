#include "ff/core/cores.h"

#include <filesystem>

#include <doctest/doctest.h>

#include "ff/core/parallel.h"

#include "tests/support/files.h"

using namespace ff;
using namespace ff::test;

namespace {

// A machine of four cores with two hyperthreads each: CPUs 0 and 4 are one core, 1 and 5, ...
void write_machine(const TempDir& dir) {
  for (int cpu = 0; cpu < 8; ++cpu) {
    const std::string folder = "sys/devices/system/cpu/cpu" + std::to_string(cpu) + "/topology";
    std::filesystem::create_directories(dir.path(folder));
    dir.write(folder + "/thread_siblings_list", std::to_string(cpu % 4) + "," + std::to_string(cpu % 4 + 4) + "\n");
  }
}

void write_file(const TempDir& dir, const std::string& path, const std::string& text) {
  std::filesystem::create_directories(std::filesystem::path(dir.path(path)).parent_path());
  dir.write(path, text);
}

const std::vector<int> all{0, 1, 2, 3, 4, 5, 6, 7};

}  // namespace

TEST_CASE("cores: lists of CPUs") {
  CHECK(parse_cpu_list("0-3,8,10-11\n") == std::vector<int>{0, 1, 2, 3, 8, 10, 11});
  CHECK(parse_cpu_list("5") == std::vector<int>{5});
  CHECK(parse_cpu_list("").empty());
  CHECK(parse_cpu_list("x,3-1,2-") == std::vector<int>{2});
}

TEST_CASE("cores: hyperthreads count once, and only what is allowed") {
  const TempDir dir;
  write_machine(dir);
  CHECK(usable_cores(all, dir.path("")) == 4);
  CHECK(usable_cores({4, 5}, dir.path("")) == 2);
  CHECK(usable_cores({2, 6}, dir.path("")) == 1);
  CHECK(usable_cores({0, 9}, dir.path("")) == 2);  // of 9 nothing is known
  CHECK(usable_cores({}, dir.path("")) == 1);
}

TEST_CASE("cores: quota of a control group, version 2") {
  const TempDir dir;
  write_machine(dir);
  write_file(dir, "proc/self/cgroup", "0::/user/job\n");
  write_file(dir, "sys/fs/cgroup/user/job/cpu.max", "max 100000\n");
  CHECK(usable_cores(all, dir.path("")) == 4);
  write_file(dir, "sys/fs/cgroup/user/job/cpu.max", "250000 100000\n");
  CHECK(usable_cores(all, dir.path("")) == 3);  // two and a half
  write_file(dir, "sys/fs/cgroup/user/cpu.max", "150000 100000\n");
  CHECK(usable_cores(all, dir.path("")) == 2);  // what is above binds, too
  write_file(dir, "sys/fs/cgroup/cpu.max", "10000 100000\n");
  CHECK(usable_cores(all, dir.path("")) == 1);
  write_file(dir, "sys/fs/cgroup/cpu.max", "900000 100000\n");
  CHECK(usable_cores({0, 4}, dir.path("")) == 1);
}

TEST_CASE("cores: quota of a control group, version 1, and in a container that has another name outside") {
  const TempDir dir;
  write_machine(dir);
  write_file(dir, "proc/self/cgroup", "5:memory:/box\n4:cpu,cpuacct:/outside/box\n0::/\n");
  write_file(dir, "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us", "100000\n");
  write_file(dir, "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "-1\n");
  CHECK(usable_cores(all, dir.path("")) == 4);
  write_file(dir, "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "190000\n");
  CHECK(usable_cores(all, dir.path("")) == 2);
  write_file(dir, "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "nonsense\n");
  CHECK(usable_cores(all, dir.path("")) == 4);
}

TEST_CASE("cores: this machine") {
  CHECK(!allowed_cpus().empty());
  const int cores = usable_cores(allowed_cpus());
  CHECK(cores >= 1);
  CHECK(cores <= static_cast<int>(allowed_cpus().size()));
}
