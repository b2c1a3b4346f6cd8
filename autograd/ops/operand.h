#pragma once

#include "ff/core/call_site.h"
#include "ff/core/tensor.h"

namespace ff {

/// What stands beside a tensor in arithmetic and comparisons: another tensor, or a number, and the line it was written
/// on (operators have no other place for it).
class Operand {
 public:
  Operand(const Tensor& tensor, Where site = {}) : tensor_(tensor), site_(site) {}
  Operand(double number, Where site = {}) : number_(number), is_number_(true), site_(site) {}

  /// The tensor; a number as a zero-dimensional one beside `other`: of its dtype, or f32 if it has a fraction and
  /// other is integral, i64 if other is boolean. Two numbers: f32.
  Tensor beside(const Operand& other) const;
  Where site() const { return site_; }

 private:
  Tensor tensor_;
  double number_ = 0;
  bool is_number_ = false;
  Where site_;
};

}  // namespace ff
