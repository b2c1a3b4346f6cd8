#include "ff/autograd/ops/einsum.h"

#include <map>
#include <string>

#include <doctest/doctest.h>

#include "ff/autograd/ops/ops.h"

#include "tests/support/compare.h"
#include "tests/support/errors.h"
#include "tests/support/files.h"
#include "tests/support/strided_arrays.h"

using namespace ff;

namespace {

// By definition: for every value of every label, the product of the entries, added up. Subscripts are letters alone.
std::vector<double> reference(const std::vector<std::string>& subscripts, const std::string& result,
                              const std::vector<Tensor>& operands) {
  std::map<char, std::int64_t> sizes;
  for (std::size_t i = 0; i < operands.size(); ++i)
    for (std::size_t k = 0; k < subscripts[i].size(); ++k) {
      std::int64_t& size = sizes.try_emplace(subscripts[i][k], 1).first->second;
      if (operands[i].size(static_cast<int>(k)) != 1) size = operands[i].size(static_cast<int>(k));
    }
  std::string labels = result;
  for (const auto& [label, size] : sizes)
    if (result.find(label) == std::string::npos) labels += label;
  Shape all, kept;
  for (char label : labels) all.push_back(sizes[label]);
  for (char label : result) kept.push_back(sizes[label]);
  std::vector<std::vector<double>> values;
  for (const Tensor& x : operands) values.push_back(x.to_vector<double>());
  std::vector<double> sums(static_cast<std::size_t>(kept.numel()));
  const std::int64_t terms = kept.numel() == 0 ? 1 : all.numel() / kept.numel();
  std::int64_t flat = 0;
  test::for_each_index(all, [&](const Shape& index) {
    double product = 1;
    for (std::size_t i = 0; i < operands.size(); ++i) {
      std::int64_t at = 0;
      for (std::size_t k = 0; k < subscripts[i].size(); ++k) {
        const std::int64_t size = operands[i].size(static_cast<int>(k));
        at = at * size + (size == 1 ? 0 : index[static_cast<int>(labels.find(subscripts[i][k]))]);
      }
      product *= values[i][static_cast<std::size_t>(at)];
    }
    sums[static_cast<std::size_t>(flat++ / terms)] += product;
  });
  return sums;
}

// equation, the same in letters alone, the shapes.
void check_equation(const char* equation, const std::vector<std::string>& subscripts, const std::string& result,
                    const std::vector<Shape>& shapes) {
  CAPTURE(equation);
  std::vector<Tensor> operands;
  for (const Shape& shape : shapes) operands.push_back(randn(shape, {.dtype = f64}));
  const Tensor got = einsum(equation, operands);
  CHECK(got.rank() == static_cast<int>(result.size()));
  const auto d =
      test::largest_difference(got.to_vector<double>(), reference(subscripts, result, operands), got.shape());
  CHECK_MESSAGE(d.absolute <= 1e-12, d.str());
}

std::string error(const char* equation, const std::vector<Tensor>& operands) {
  return test::error_of([&] { einsum(equation, operands); });
}

}  // namespace

TEST_CASE("einsum equals its definition") {
  manual_seed(3);
  check_equation("ij,jk->ik", {"ij", "jk"}, "ik", {{3, 4}, {4, 5}});
  check_equation("ij,jk->ki", {"ij", "jk"}, "ki", {{3, 4}, {4, 5}});
  check_equation("bhqd,bhkd->bhqk", {"bhqd", "bhkd"}, "bhqk", {{2, 3, 4, 5}, {2, 3, 6, 5}});
  check_equation("bqhd,bkhd->bhqk", {"bqhd", "bkhd"}, "bhqk", {{2, 4, 3, 5}, {2, 6, 3, 5}});
  check_equation("i,ij,j->", {"i", "ij", "j"}, "", {{3}, {3, 4}, {4}});
  check_equation("ij,ij->", {"ij", "ij"}, "", {{3, 4}, {3, 4}});
  check_equation("ijk,jil,kl->kil", {"ijk", "jil", "kl"}, "kil", {{2, 3, 4}, {3, 2, 5}, {4, 5}});
  check_equation("iji->j", {"iji"}, "j", {{3, 2, 3}});
  check_equation("iii->i", {"iii"}, "i", {{4, 4, 4}});
  check_equation("iijj->ij", {"iijj"}, "ij", {{2, 2, 3, 3}});
  check_equation("iijj", {"iijj"}, "", {{2, 2, 3, 3}});
  check_equation("ii,jj->ij", {"ii", "jj"}, "ij", {{3, 3}, {2, 2}});
  check_equation("ii,i->i", {"ii", "i"}, "i", {{3, 3}, {3}});
  check_equation("ab,cd->bc", {"ab", "cd"}, "bc", {{2, 3}, {4, 5}});
  check_equation("i,i,i,i->i", {"i", "i", "i", "i"}, "i", {{3}, {3}, {3}, {3}});
  check_equation("abc,abd,abe,ab->cde", {"abc", "abd", "abe", "ab"}, "cde", {{2, 3, 2}, {2, 3, 3}, {2, 3, 4}, {2, 3}});
}

TEST_CASE("einsum without a result, with dots, with spaces") {
  check_equation("ij,jk", {"ij", "jk"}, "ik", {{3, 4}, {4, 5}});
  check_equation("ba", {"ba"}, "ab", {{3, 4}});
  check_equation("bA", {"bA"}, "Ab", {{3, 4}});
  check_equation("ii", {"ii"}, "", {{3, 3}});
  check_equation(" i j , j k -> i k ", {"ij", "jk"}, "ik", {{3, 4}, {4, 5}});
  check_equation("...ij,...jk->...ik", {"abij", "abjk"}, "abik", {{2, 3, 4, 5}, {2, 3, 5, 2}});
  check_equation("...ij,...jk", {"abij", "bjk"}, "abik", {{2, 3, 4, 5}, {3, 5, 2}});
  check_equation("i...j,j->...i", {"iabj", "j"}, "abi", {{2, 3, 4, 5}, {5}});
  check_equation("...,...", {"ab", "b"}, "ab", {{2, 3}, {3}});
  check_equation("...i->i", {"abi"}, "i", {{2, 3, 4}});
  check_equation("i...->...i", {"i"}, "i", {{3}});
  check_equation("ij,...->...ji", {"ij", "a"}, "aji", {{2, 3}, {4}});
}

TEST_CASE("einsum: sizes of 1 broadcast, empty sums are 0") {
  check_equation("ij,jk->ik", {"ij", "jk"}, "ik", {{3, 1}, {4, 5}});
  check_equation("ij,ij->ij", {"ij", "ij"}, "ij", {{3, 1}, {1, 5}});
  check_equation("i,i,i->i", {"i", "i", "i"}, "i", {{1}, {1}, {4}});
  check_equation("i,i,i->", {"i", "i", "i"}, "", {{1}, {1}, {4}});
  check_equation("...i,...i->...", {"abi", "abi"}, "ab", {{2, 1, 3}, {1, 4, 3}});
  check_equation("ij,jk->ik", {"ij", "jk"}, "ik", {{3, 0}, {0, 5}});
  check_equation("ij,jk->ik", {"ij", "jk"}, "ik", {{0, 3}, {3, 5}});
  check_equation("ij,jk->ik", {"ij", "jk"}, "ik", {{3, 1}, {0, 5}});
  check_equation("ii->i", {"ii"}, "i", {{0, 0}});
  check_equation(",->", {"", ""}, "", {{}, {}});
}

TEST_CASE("einsum keeps the dtype, and the operands as they were") {
  for (DType dtype : {f32, f64, i32, i64, u8}) {
    const Tensor a = cast(reshape(arange(0, 6), {2, 3}), dtype);
    CHECK(einsum("ij,kj->ik", {a, a}).dtype() == dtype);
    CHECK(einsum("ij,kj->ik", {a, a}).to_vector<int>() == std::vector<int>{5, 14, 14, 50});
    CHECK(einsum("ij->i", {a}).dtype() == dtype);
    CHECK(einsum("ij->i", {a}).to_vector<int>() == std::vector<int>{3, 12});
    CHECK(einsum("ij,ij->ij", {a, a}).to_vector<int>() == std::vector<int>{0, 1, 4, 9, 16, 25});
  }
}

TEST_CASE("einsum names what is wrong with the equation") {
  const Tensor m = zeros({2, 3}), v = zeros({3});
  CHECK(test::contains(error("ij", {}), {"[einsum]", "\"ij\" is for 1 operands, not 0"}));
  CHECK(test::contains(error("ij,jk->ik", {m}), {"is for 2 operands, not 1"}));
  CHECK(test::contains(error("i$->i", {m}), {"'$' in \"i$\""}));
  CHECK(test::contains(error("i.j->i", {m}), {"'.' in \"i.j\""}));
  CHECK(test::contains(error("ij->i->j", {m}), {"'-' in \"i->j\""}));
  CHECK(test::contains(error("ij->i,j", {m}), {"',' in \"i,j\""}));
  CHECK(test::contains(error("...i...->i", {m}), {"'...' stands twice in \"...i...\""}));
  CHECK(test::contains(error("ij->ik", {m}), {"label 'k' of the result is in no operand"}));
  CHECK(test::contains(error("ij->ii", {m}), {"label 'i' stands twice in the result"}));
}

TEST_CASE("einsum names the operand or the label that does not fit") {
  const Tensor m = zeros({2, 3}), v = zeros({3});
  CHECK(test::contains(error("ijk->i", {m}), {"3 labels for operand 0 of shape (2, 3)"}));
  CHECK(test::contains(error("ij,i->j", {m, m}), {"1 labels for operand 1 of shape (2, 3)"}));
  CHECK(test::contains(error("...ij->i", {v}), {"at least 2 labels for operand 0 of shape (3,)"}));
  CHECK(test::contains(error("ii->i", {m}), {"label 'i' twice in operand 0, of sizes 2 and 3"}));
  CHECK(test::contains(error("ij,jk->ik", {m, m}), {"label 'j' has size 3 in operand 0 and 2 in operand 1"}));
  CHECK(test::contains(error("...,...", {m, zeros({2})}),
                       {"dimension -1 of '...' has size 3 in operand 0 and 2 in operand 1"}));
  CHECK(test::contains(error("i,i", {v, zeros({3}, {.dtype = f64})}), {"one dtype", "0 is f32, 1 is f64"}));
  CHECK(test::contains(error("i->i", {cast(v, boolean)}), {"booleans"}));
  CHECK(test::contains(error("abcde,fghij->abcdefghij", {zeros({1, 1, 1, 1, 1}), zeros({1, 1, 1, 1, 1})}),
                       {"[einsum]", "10 dimensions, at most 8"}));
}
