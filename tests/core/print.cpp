#include <cmath>
#include <sstream>

#include <doctest/doctest.h>

#include "ff/core/tensor.h"

using namespace ff;

TEST_CASE("print: values as NumPy writes them") {
  CHECK(Tensor::from({1.0f, 2.5f, -3.0f}).str() == "tensor([ 1.0,  2.5, -3.0])");
  CHECK(Tensor::from({1.0f, 2.0f}).str() == "tensor([1., 2.])");
  CHECK(Tensor::scalar(3).str() == "tensor(3.)");
  CHECK(Tensor::from<std::int64_t>({1, -20}).str() == "tensor([  1, -20], dtype=i64)");
  CHECK(Tensor::from<bool>({true, false}).str() == "tensor([ true, false], dtype=boolean)");
  CHECK(Tensor::from(std::vector<double>{1, 2, 3, 4}, {2, 2}).str() ==
        "tensor([[1., 2.],\n        [3., 4.]], dtype=f64)");
  CHECK(Tensor::from({1e-6f, 1.0f}).str() == "tensor([1.0000e-06, 1.0000e+00])");
  CHECK(Tensor::from({1.0f, NAN, INFINITY}).str() == "tensor([ 1., nan, inf])");
  CHECK(Tensor::from({0.123456f, 0.5f}).str() == "tensor([0.1235, 0.5000])");
}

TEST_CASE("print: nothing, empty, and summaries of the long") {
  CHECK(Tensor().str() == "tensor(undefined)");
  CHECK(Tensor::empty({0}).str() == "tensor([], shape=(0,))");
  CHECK(Tensor::empty({2, 0}).str() == "tensor([], shape=(2, 0))");
  Tensor x = Tensor::empty({2000}, i32);
  for (int i = 0; i < 2000; ++i) x.data<std::int32_t>()[i] = i;
  CHECK(x.str() == "tensor([   0,    1,    2, ..., 1997, 1998, 1999], shape=(2000,), dtype=i32)");
  const Tensor matrix = x.as_strided({40, 50}, {50, 1});
  std::ostringstream out;
  out << matrix;
  CHECK(out.str().find("...") != std::string::npos);
  CHECK(out.str().find("shape=(40, 50)") != std::string::npos);
  CHECK(out.str().size() < 600);
}

TEST_CASE("print: long rows are broken within 80 columns") {
  const Tensor x = Tensor::empty({3, 40});
  x.fill(1.25);
  std::istringstream lines(x.str());
  for (std::string line; std::getline(lines, line);) CHECK_MESSAGE(line.size() <= 80, line);
}
