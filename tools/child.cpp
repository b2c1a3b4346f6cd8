#include "tools/child.h"

#include <cerrno>
#include <chrono>
#include <csignal>
#include <system_error>
#include <thread>

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace ff::tools {
namespace {

constexpr std::chrono::milliseconds look_again{20};

std::system_error failure(const char* what) { return {errno, std::generic_category(), what}; }

// In the child. A group of its own: a terminal's Ctrl-C goes to this program alone, which passes it on once.
[[noreturn]] void become(const std::vector<char*>& arguments, pid_t parent) {
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (::getppid() == parent) ::execv("/proc/self/exe", arguments.data());
  ::_exit(127);
}

}  // namespace

int run_self(const std::vector<std::string>& arguments, const std::atomic<bool>& interrupted) {
  std::vector<std::string> texts{"fourierformer"};
  texts.insert(texts.end(), arguments.begin(), arguments.end());
  std::vector<char*> pointers;
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);

  const pid_t parent = ::getpid(), child = ::fork();
  if (child < 0) throw failure("a process cannot be started");
  if (child == 0) become(pointers, parent);
  int status = 0;
  for (bool asked = false; true; std::this_thread::sleep_for(look_again)) {
    const pid_t ended = ::waitpid(child, &status, WNOHANG);
    if (ended == child) break;
    if (ended < 0 && errno != EINTR) throw failure("a process cannot be waited for");
    if (!interrupted || asked) continue;
    ::kill(child, SIGTERM);
    asked = true;
  }
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

}  // namespace ff::tools
