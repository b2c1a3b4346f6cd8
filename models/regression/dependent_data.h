#pragma once

#include "ff/core/random.h"
#include "ff/core/tensor.h"

namespace ff::models {

/// Densities of the plane whose two features depend on each other, the more so the smaller `spread` is.
enum class Density {
  mixture,  ///< a cross: half of two normal densities of variance 1, correlation r and -r, r^2 = 1 - spread^2
  banana,   ///< x standard normal, y normal of deviation spread about x^2 / 2 - 1
  ring,     ///< uniform on the circle of radius 1.5, normal noise of deviation spread added to x and y
};

/// A density, to be drawn from and evaluated.
class DependentData {
 public:
  /// Throws Error unless 0.05 <= spread <= 1.
  DependentData(Density density, double spread);

  /// n points, f64 (n, 2); takes 5 n words of a stretch of random numbers.
  Tensor sample(std::int64_t n, RandomKey key) const;
  double operator()(double x, double y) const;

  /// A rectangle that all but 1e-4 of the mass is in.
  struct Box {
    double x_low, x_high, y_low, y_high;
  };
  Box box() const;
  double spread() const { return spread_; }

 private:
  Density density_;
  double spread_;
};

/// A function to be learnt of points, floating (n, 2): sin(3 x) + cos(2 y), (n).
Tensor smooth_function(const Tensor& points);

}  // namespace ff::models
