// Runs a fuzzer of tools/fuzz without libFuzzer: on each file of its corpus, and for so long on damaged ones made of
// them, in the same order every time. Usage: replay CORPUS [SECONDS], 4 unless told otherwise: a minute for all
// readers. Linked with one fuzzer; status 77 where there is no corpus.

#include <algorithm>
#include <chrono>
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
  const std::chrono::seconds limit(argc > 2 ? std::atoi(argv[2]) : 4);
  if (!fs::is_directory(corpus)) {
    fmt::print("{}: no such folder; tools/fuzz/make_corpus.py makes those of the readers it knows\n", corpus);
    return 77;
  }
  for (const int number : {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL}) std::signal(number, on_crash);
  std::vector<std::string> files;
  for (const auto& entry : fs::directory_iterator(corpus)) files.push_back(entry.path().string());
  std::sort(files.begin(), files.end());

  int wrong = files.empty() ? 1 : 0;
  std::vector<std::string> contents;
  for (const std::string& file : files) {
    contents.push_back(ff::test::slurp(file));
    const bool is_good = !fs::path(file).filename().string().starts_with("bad-");
    running = fmt::format("{}: crashed\n", file);
    if (runs(contents.back()) != is_good) {
      fmt::print("{}: {}\n", file, is_good ? "refused, though its name does not begin with bad-" : "accepted");
      ++wrong;
    }
  }
  std::uint64_t attempts = 0, refused = 0;
  const auto end = std::chrono::steady_clock::now() + limit;
  for (; std::chrono::steady_clock::now() < end && !files.empty(); ++attempts)
    for (std::size_t i = 0; i < files.size(); ++i) {
      running = fmt::format("{}: crashed when damaged, attempt {}\n", files[i], attempts);
      refused += runs(ff::test::damaged(contents[i], attempts)) ? 0 : 1;
    }
  fmt::print("{} files, {} damaged ones of each; {} of those were refused\n", files.size(), attempts, refused);
  return wrong == 0 ? 0 : 1;
}
