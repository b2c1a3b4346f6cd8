// Runs a fuzzer of tools/fuzz without libFuzzer: on each file of its corpus, and on damaged ones made of it, which are
// the same every time. Usage: replay CORPUS [ATTEMPTS]. Linked with one fuzzer; status 77 where there is no corpus.

#include <algorithm>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <vector>

#include <fmt/format.h>
#include <unistd.h>

#include "tests/support/files.h"
#include "tools/fuzz/reader.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

std::string running;  // what is told of where it crashes

extern "C" void on_crash(int number) {
  const ssize_t ignored = ::write(STDERR_FILENO, running.data(), running.size());
  (void)ignored;
  std::signal(number, SIG_DFL);
  std::raise(number);
}

// Whether the input was accepted. An exception that is no ff::Error ends the program.
bool runs(const std::string& input) {
  const int before = fuzz_accepted;
  LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(input.data()), input.size());
  return fuzz_accepted > before;
}

}  // namespace

int main(int argc, char** argv) {
  namespace fs = std::filesystem;
  const std::string corpus = argc > 1 ? argv[1] : "";
  const auto attempts = static_cast<std::uint64_t>(argc > 2 ? std::atoll(argv[2]) : 10000);
  if (!fs::is_directory(corpus)) {
    fmt::print("{}: no such folder; tools/fuzz/make_corpus.py makes those of the readers it knows\n", corpus);
    return 77;
  }
  for (const int number : {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL}) std::signal(number, on_crash);
  std::vector<std::string> files;
  for (const auto& entry : fs::directory_iterator(corpus)) files.push_back(entry.path().string());
  std::sort(files.begin(), files.end());

  int wrong = files.empty() ? 1 : 0;
  std::uint64_t refused = 0;
  for (const std::string& file : files) {
    const std::string contents = ff::test::slurp(file);
    const bool is_good = !fs::path(file).filename().string().starts_with("bad-");
    running = fmt::format("{}: crashed\n", file);
    if (runs(contents) != is_good) {
      fmt::print("{}: {}\n", file, is_good ? "refused, though its name does not begin with bad-" : "accepted");
      ++wrong;
    }
    for (std::uint64_t attempt = 0; attempt < attempts; ++attempt) {
      running = fmt::format("{}: crashed when damaged, attempt {}\n", file, attempt);
      refused += runs(ff::test::damaged(contents, attempt)) ? 0 : 1;
    }
  }
  fmt::print("{} files, {} damaged ones of each; {} of all were refused\n", files.size(), attempts, refused);
  return wrong == 0 ? 0 : 1;
}
