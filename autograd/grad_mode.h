#pragma once

namespace ff {

/// Whether ops on this thread are recorded for backward().
bool grad_enabled();

/// Sets grad_enabled() for the life of the object.
class GradMode {
 public:
  explicit GradMode(bool enabled);
  ~GradMode();
  GradMode(const GradMode&) = delete;
  GradMode& operator=(const GradMode&) = delete;

 private:
  bool outer_;
};

/// No op is recorded on this thread while one exists: { ff::NoGrad no_grad; ... }
class NoGrad : public GradMode {
 public:
  NoGrad() : GradMode(false) {}
};

}  // namespace ff
