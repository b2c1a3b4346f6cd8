// Step 3: what an op saves, and how it is kept honest.

#include <cstdio>
#include <filesystem>
#include <string>

#include "ff/ff.h"

// The message without the folders that files lie in.
void say(const ff::Error& error) {
  std::string text = error.what();
  const std::string here = __FILE__, name = std::filesystem::path(here).filename();
  for (const std::string& path : {here, "tools/examples/" + name})
    for (std::size_t at; path != name && (at = text.find(path)) != std::string::npos;)
      text.replace(at, path.size(), name);
  std::printf("  %s\n", text.c_str());
}

int main() {
  const ff::Tensor x = ff::Tensor::from({1.0, 2.0}).requires_grad_(), w = ff::Tensor::from({3.0, 4.0});
  std::printf("w is at version %d\n", static_cast<int>(w.version()));

  const ff::Tensor y = ff::sum(x * w);  // mul saves w, at this version
  w.fill(0);                            // changed under its feet
  std::printf("w is at version %d; going backward:\n", static_cast<int>(w.version()));
  try {
    y.backward();
  } catch (const ff::Error& error) {
    say(error);
  }

  const ff::Tensor z = ff::sum(ff::exp(x));  // exp saves its own result: the derivative is the function
  z.backward();                              // and frees it
  std::printf("going backward a second time:\n");
  try {
    z.backward();
  } catch (const ff::Error& error) {
    say(error);
  }
}
