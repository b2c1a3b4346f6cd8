// Einstein's sum convention, of batched matrix products.

#include "ff/autograd/ops/einsum.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string>

#include "ff/autograd/ops/op_table.h"
#include "ff/autograd/ops/ops.h"
#include "ff/core/check.h"

namespace ff {
namespace {

constexpr const char* op = "einsum";

// A dimension's name: a letter, or first_dot + i for the i-th dimension of "..." counted from the right.
using Label = int;
using Labels = std::vector<Label>;
constexpr Label first_dot = 128;

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

std::string text_of(Label label) {
  if (label < first_dot) return fmt::format("'{}'", static_cast<char>(label));
  return fmt::format("dimension {} of '...'", first_dot - label - 1);
}

bool has(const Labels& labels, Label label) { return std::find(labels.begin(), labels.end(), label) != labels.end(); }

int place(const Labels& labels, Label label) {
  return static_cast<int>(std::find(labels.begin(), labels.end(), label) - labels.begin());
}

// The letters of one operand or of the result, and where among them the dots stand.
struct Subscripts {
  std::string letters;
  std::optional<std::size_t> dots;

  Subscripts(std::string_view equation, std::string_view text) {
    for (std::size_t i = 0; i < text.size(); ++i) {
      if (is_letter(text[i])) {
        letters += text[i];
      } else if (text.substr(i, 3) == "...") {
        check(!dots, op, "\"{}\": '...' stands twice in \"{}\"", equation, text);
        dots = letters.size();
        i += 2;
      } else {
        check(text[i] == ' ', op, "\"{}\": '{}' in \"{}\" is none of letters, '...', ',' and '->'", equation, text[i],
              text);
      }
    }
  }

  // With labels for `count` dimensions in place of the dots.
  Labels labels(int count) const {
    Labels result(letters.begin(), letters.end());
    if (dots) {
      Labels dotted;
      for (int i = count - 1; i >= 0; --i) dotted.push_back(first_dot + i);
      result.insert(result.begin() + static_cast<std::ptrdiff_t>(*dots), dotted.begin(), dotted.end());
    }
    return result;
  }
};

struct Equation {
  std::vector<Subscripts> operands;
  std::optional<Subscripts> result;

  explicit Equation(std::string_view text) {
    const std::size_t arrow = text.find("->");
    std::string_view left = text.substr(0, arrow);
    for (std::size_t comma; (comma = left.find(',')) != left.npos; left.remove_prefix(comma + 1))
      operands.emplace_back(text, left.substr(0, comma));
    operands.emplace_back(text, left);
    if (arrow != text.npos) result.emplace(text, text.substr(arrow + 2));
  }
};

// A tensor and the label of each of its dimensions.
struct Labelled {
  Tensor tensor;
  Labels labels;

  std::int64_t size(Label label) const { return tensor.shape()[place(labels, label)]; }

  // The diagonal in place of a label that occurs twice, as every (n + 1)-th entry of both dimensions made one.
  void take_diagonals() {
    for (std::size_t i = 0; i < labels.size(); ++i) {
      const auto again = std::find(labels.begin() + static_cast<std::ptrdiff_t>(i) + 1, labels.end(), labels[i]);
      if (again == labels.end()) continue;
      const int first = static_cast<int>(i), second = static_cast<int>(again - labels.begin());
      const std::int64_t n = tensor.shape()[first];
      Dims order;
      for (int k = 0; k < tensor.rank(); ++k)
        if (k != first && k != second) order.push_back(k);
      order.push_back(first);
      order.push_back(second);
      const Tensor moved = permute(tensor, order);
      tensor = slice(flatten(moved, -2, -1), -1, 0, n * n, n + 1);
      const Label label = labels[i];
      labels.erase(again);
      labels.erase(labels.begin() + first);
      labels.push_back(label);
      --i;  // what stands there now
    }
  }

  // Summed over the labels that fail the test. A sum of integers keeps their dtype, as a product does.
  template <class Wanted>
  void sum_unless(Wanted wanted) {
    Dims dims;
    Labels left;
    for (int i = 0; i < tensor.rank(); ++i) {
      const Label label = labels[static_cast<std::size_t>(i)];
      if (wanted(label))
        left.push_back(label);
      else
        dims.push_back(i);
    }
    if (dims.empty()) return;
    tensor = cast(sum(tensor, dims), tensor.dtype());
    labels = left;
  }

  void drop(Label label) {
    tensor = squeeze(tensor, place(labels, label));
    labels.erase(labels.begin() + place(labels, label));
  }

  void reorder(const Labels& order) {
    Dims dims;
    for (Label label : order) dims.push_back(place(labels, label));
    tensor = permute(tensor, dims);
    labels = order;
  }
};

// Operand i with labels for its dimensions, its diagonals taken.
Labelled label_operand(std::string_view equation, const Subscripts& subscripts, const Tensor& tensor, std::size_t i) {
  const int letters = static_cast<int>(subscripts.letters.size()), dots = tensor.rank() - letters;
  check(subscripts.dots ? dots >= 0 : dots == 0, op, "\"{}\": {}{} labels for operand {} of shape {}", equation,
        subscripts.dots ? "at least " : "", letters, i, tensor.shape().str());
  Labelled operand{tensor, subscripts.labels(dots)};
  for (int k = 0; k < tensor.rank(); ++k) {
    const Label label = operand.labels[static_cast<std::size_t>(k)];
    check(operand.size(label) == tensor.shape()[k], op, "\"{}\": label {} twice in operand {}, of sizes {} and {}",
          equation, text_of(label), i, operand.size(label), tensor.shape()[k]);
  }
  operand.take_diagonals();
  return operand;
}

std::vector<Labelled> label_operands(std::string_view text, const Equation& equation,
                                     const std::vector<Tensor>& tensors) {
  check(tensors.size() == equation.operands.size(), op, "\"{}\" is for {} operands, not {}", text,
        equation.operands.size(), tensors.size());
  std::vector<Labelled> operands;
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    check(tensors[i].dtype() == tensors[0].dtype(), op, "operands of one dtype are needed: 0 is {}, {} is {}",
          name(tensors[0].dtype()), i, name(tensors[i].dtype()));
    check(tensors[i].dtype() != boolean, op, "booleans have no arithmetic: cast them first");
    operands.push_back(label_operand(text, equation.operands[i], tensors[i], i));
  }
  return operands;
}

// Sizes of one label must agree or be 1.
void check_sizes(std::string_view equation, const std::vector<Labelled>& operands) {
  for (std::size_t i = 0; i < operands.size(); ++i)
    for (Label label : operands[i].labels)
      for (std::size_t k = 0; k < i; ++k) {
        if (!has(operands[k].labels, label)) continue;
        const std::int64_t a = operands[k].size(label), b = operands[i].size(label);
        check(a == b || a == 1 || b == 1, op, "\"{}\": label {} has size {} in operand {} and {} in operand {}",
              equation, text_of(label), a, k, b, i);
      }
}

Labels result_labels(std::string_view text, const Equation& equation, const std::vector<Labelled>& operands) {
  int dots = 0;
  std::array<int, first_dot> occurrences{};
  for (const Labelled& operand : operands)
    for (Label label : operand.labels)
      if (label >= first_dot) dots = std::max(dots, label - first_dot + 1);
  for (const Subscripts& subscripts : equation.operands)
    for (char letter : subscripts.letters) ++occurrences[static_cast<std::size_t>(letter)];
  if (equation.result) {
    const std::string& letters = equation.result->letters;
    for (std::size_t i = 0; i < letters.size(); ++i) {
      check(occurrences[static_cast<std::size_t>(letters[i])] > 0, op,
            "\"{}\": label '{}' of the result is in no operand", text, letters[i]);
      check(letters.find(letters[i]) == i, op, "\"{}\": label '{}' stands twice in the result", text, letters[i]);
    }
    return equation.result->labels(dots);
  }
  Labels result;
  for (int i = dots - 1; i >= 0; --i) result.push_back(first_dot + i);
  for (int letter = 0; letter < first_dot; ++letter)
    if (occurrences[static_cast<std::size_t>(letter)] == 1) result.push_back(letter);
  return result;
}

// Both operands multiplied, and summed over the labels that fail the test needed(label).
template <class Needed>
Labelled contract(Labelled a, Labelled b, Needed needed) {
  for (const Label label : Labels(a.labels)) {  // a size of 1 broadcasts: the other's alone is left
    if (!has(b.labels, label) || a.size(label) == b.size(label)) continue;
    (a.size(label) == 1 ? a : b).drop(label);
  }
  a.sum_unless([&](Label label) { return needed(label) || has(b.labels, label); });
  b.sum_unless([&](Label label) { return needed(label) || has(a.labels, label); });
  Labels batch, summed, rows, columns;
  Shape batch_shape, row_shape, column_shape;
  std::int64_t terms = 1;
  for (const Label label : a.labels) {
    if (!has(b.labels, label)) {
      rows.push_back(label), row_shape.push_back(a.size(label));
    } else if (needed(label)) {
      batch.push_back(label), batch_shape.push_back(a.size(label));
    } else {
      summed.push_back(label), terms *= a.size(label);
    }
  }
  for (const Label label : b.labels)
    if (!has(a.labels, label)) columns.push_back(label), column_shape.push_back(b.size(label));

  auto joined = [](std::initializer_list<Labels> parts) {
    Labels all;
    for (const Labels& part : parts) all.insert(all.end(), part.begin(), part.end());
    return all;
  };
  a.reorder(joined({batch, rows, summed}));
  b.reorder(joined({batch, summed, columns}));
  Labelled y{{}, joined({batch, rows, columns})};
  check(y.labels.size() <= Shape::max_rank, op,
        "operands of shapes {} and {} have a product of {} dimensions, at most {} are possible", a.tensor.shape().str(),
        b.tensor.shape().str(), y.labels.size(), Shape::max_rank);
  const std::int64_t count = batch_shape.numel(), m = row_shape.numel(), n = column_shape.numel();
  const Tensor left = reshape(a.tensor, {count, m, terms}), right = reshape(b.tensor, {count, terms, n});
  Shape shape = batch_shape;
  for (std::int64_t size : row_shape) shape.push_back(size);
  for (std::int64_t size : column_shape) shape.push_back(size);
  y.tensor = reshape(summed.empty() ? left * right : matmul(left, right), shape);
  return y;
}

}  // namespace

Tensor einsum(std::string_view equation, const std::vector<Tensor>& operands, Where site) {
  const CallSite here(site);
  const Equation parsed(equation);
  std::vector<Labelled> labelled = label_operands(equation, parsed, operands);
  check_sizes(equation, labelled);
  const Labels result = result_labels(equation, parsed, labelled);
  Labelled product = labelled[0];
  for (std::size_t i = 1; i < labelled.size(); ++i)
    product = contract(std::move(product), labelled[i], [&](Label label) {
      return has(result, label) || std::any_of(labelled.begin() + static_cast<std::ptrdiff_t>(i) + 1, labelled.end(),
                                               [&](const Labelled& later) { return has(later.labels, label); });
    });
  product.sum_unless([&](Label label) { return has(result, label); });
  product.reorder(result);
  return product.tensor;
}

std::vector<OpRecord> einsum_ops() {
  return {{"einsum", true, [](Sampler& s) {
             auto sample = [&](const char* equation, std::initializer_list<Shape> shapes) {
               OpSample result{equation, {}, [=](const std::vector<Tensor>& in) { return einsum(equation, in); }};
               for (const Shape& shape : shapes) result.inputs.push_back(s.normal(shape));
               return result;
             };
             return std::vector<OpSample>{sample("ij,jk->ik", {{2, 3}, {3, 2}}),
                                          sample("ij,jk", {{2, 3}, {3, 2}}),
                                          sample("ba", {{2, 3}}),
                                          sample("bij,bkj->bik", {{2, 2, 3}, {2, 2, 3}}),
                                          sample("ij,ij->ij", {{2, 3}, {2, 3}}),
                                          sample("i,j->ji", {{2}, {3}}),
                                          sample("ii->i", {{3, 3}}),
                                          sample("ii", {{3, 3}}),
                                          sample("iij,jk->ki", {{2, 2, 3}, {3, 2}}),
                                          sample("ijk->j", {{2, 3, 2}}),
                                          sample("ij,kl->k", {{2, 2}, {3, 2}}),
                                          sample("...ij,...jk->...ik", {{2, 1, 2, 3}, {3, 3, 2}}),
                                          sample("i...->...", {{2, 3}}),
                                          sample("...i->i", {{2, 3}}),
                                          sample("ij,jk,kl->il", {{2, 3}, {3, 2}, {2, 3}}),
                                          sample("i,i,i->i", {{3}, {1}, {3}}),
                                          sample("ij,jk->ik ", {{2, 1}, {3, 2}}),
                                          sample(",i->i", {{}, {3}}),
                                          sample("ij,jk -> ik", {{2, 0}, {0, 3}}),
                                          sample("->", {{}})};
           }}};
}

}  // namespace ff
