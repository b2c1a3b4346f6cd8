// Views and copies: the same elements otherwise arranged.

#include <algorithm>

#include "ff/autograd/function.h"
#include "ff/autograd/ops/op_table.h"
#include "ff/autograd/ops/ops.h"
#include "ff/core/check.h"

namespace ff {
namespace {

// Strides with which x's elements, in order, have the given shape, if some do: x is taken as runs of dimensions that
// lie densely in memory, innermost first, and each run is cut up anew.
std::optional<Strides> view_strides(const Tensor& x, const Shape& shape) {
  if (x.numel() == 0 || x.rank() == 0) return contiguous_strides(shape);
  Strides strides = Shape::filled(shape.rank(), 1);
  int to = shape.rank() - 1;
  std::int64_t step = x.strides()[x.rank() - 1], run = 1;
  for (int from = x.rank() - 1; from >= 0; --from) {
    run *= x.shape()[from];
    const bool goes_on = from > 0 && (x.shape()[from - 1] == 1 || x.strides()[from - 1] == run * step);
    if (goes_on) continue;
    std::int64_t cut = 1;
    for (; to >= 0 && (cut < run || shape[to] == 1); --to) {
      strides[to] = cut * step;
      cut *= shape[to];
    }
    if (cut != run) return std::nullopt;
    if (from > 0) step = x.strides()[from - 1];
    run = 1;
  }
  return strides;
}

// shape, its -1, if it has one, replaced by what is left of x.
Shape complete(const char* op, const Tensor& x, const Shape& shape) {
  Shape full = shape, known;
  int unknown = -1;
  for (int i = 0; i < shape.rank(); ++i) {
    if (shape[i] < -1) fail(op, "a negative size: {}", shape.str());
    if (shape[i] < 0 && unknown >= 0) fail(op, "more than one size is left open: {}", shape.str());
    if (shape[i] < 0)
      unknown = i;
    else
      known.push_back(shape[i]);
  }
  if (unknown >= 0) full[unknown] = known.numel() > 0 ? x.numel() / known.numel() : 0;
  if (full.numel() != x.numel()) fail(op, "{} does not have the elements of {}", x.shape().str(), shape.str());
  return full;
}

struct Reshape : Function<Reshape> {
  static constexpr const char* name = "reshape";
  Shape from;
  Tensor forward(Context&, const Tensor& x, const Shape& shape) {
    from = x.shape();
    if (const auto strides = view_strides(x, shape)) return x.as_strided(shape, *strides);
    return x.copy().as_strided(shape, contiguous_strides(shape));
  }
  Gradients backward(Context&, const Tensor& dy) const { return {reshape(dy, from)}; }
};

struct Permute : Function<Permute> {
  static constexpr const char* name = "permute";
  Dims inverse;
  Tensor forward(Context&, const Tensor& x, const Dims& dims) {
    Shape shape, strides;
    inverse.assign(dims.size(), -1);
    check(static_cast<int>(dims.size()) == x.rank(), name, "{} dimensions named of a tensor of shape {}", dims.size(),
          x.shape().str());
    for (std::size_t i = 0; i < dims.size(); ++i) {
      const int from = normalize_dim(name, dims[i], x.rank());
      check(inverse[static_cast<std::size_t>(from)] < 0, name, "dimension {} is named twice", dims[i]);
      inverse[static_cast<std::size_t>(from)] = static_cast<int>(i);
      shape.push_back(x.shape()[from]);
      strides.push_back(x.strides()[from]);
    }
    return x.as_strided(shape, strides);
  }
  Gradients backward(Context&, const Tensor& dy) const { return {permute(dy, inverse)}; }
};

struct BroadcastTo : Function<BroadcastTo> {
  static constexpr const char* name = "broadcast_to";
  static Tensor forward(Context&, const Tensor& x, const Shape& shape) {
    check(broadcast_shapes(name, x.shape(), shape) == shape, name, "{} does not broadcast to {}", x.shape().str(),
          shape.str());
    return x.as_strided(shape, broadcast_strides(x.shape(), x.strides(), shape));
  }
  // The engine sums it over the repeated dimensions.
  static Gradients backward(Context&, const Tensor& dy) { return {dy}; }
};

struct Clone : Function<Clone> {
  static constexpr const char* name = "clone";
  static Tensor forward(Context&, const Tensor& x) { return x.copy(); }
  static Gradients backward(Context&, const Tensor& dy) { return {dy}; }
};

}  // namespace

Tensor reshape(const Tensor& x, const Shape& shape, Where site) {
  const CallSite here(site);
  const Shape full = complete("reshape", x, shape);
  return full == x.shape() ? x : Reshape::apply(x, full);
}

Tensor view(const Tensor& x, const Shape& shape, Where site) {
  const CallSite here(site);
  const Shape full = complete("view", x, shape);
  check(view_strides(x, full).has_value(), "view", "{} with strides {} is no {} without a copy: use reshape",
        x.shape().str(), x.strides().str(), full.str());
  return reshape(x, full);
}

Tensor flatten(const Tensor& x, int begin, int end, Where site) {
  const CallSite here(site);
  if (x.rank() == 0) return reshape(x, {1});
  const int first = normalize_dim("flatten", begin, x.rank()), last = normalize_dim("flatten", end, x.rank());
  check(first <= last, "flatten", "dimension {} lies behind {}", begin, end);
  Shape shape;
  for (int i = 0; i < x.rank(); ++i) {
    if (i > first && i <= last)
      shape[first] *= x.shape()[i];
    else
      shape.push_back(x.shape()[i]);
  }
  return reshape(x, shape);
}

Tensor unflatten(const Tensor& x, int dim, const Shape& sizes, Where site) {
  const CallSite here(site);
  const int at = normalize_dim("unflatten", dim, x.rank());
  check(x.rank() > 0 && sizes.rank() > 0, "unflatten", "dimension {} of shape {} cannot be made {}", dim,
        x.shape().str(), sizes.str());
  const Tensor one = x.as_strided({x.shape()[at]}, {0});
  const Shape full = complete("unflatten", one, sizes);
  Shape shape;
  for (int i = 0; i < x.rank(); ++i) {
    if (i != at)
      shape.push_back(x.shape()[i]);
    else
      for (std::int64_t size : full) shape.push_back(size);
  }
  return reshape(x, shape);
}

Tensor permute(const Tensor& x, const Dims& dims, Where site) { return Permute::apply(site, x, dims); }

Tensor transpose(const Tensor& x, int a, int b, Where site) {
  const CallSite here(site);
  const int first = normalize_dim("transpose", a, x.rank()), second = normalize_dim("transpose", b, x.rank());
  if (first == second) return x;
  Dims dims;
  for (int i = 0; i < x.rank(); ++i) dims.push_back(i == first ? second : i == second ? first : i);
  return permute(x, dims);
}

Tensor movedim(const Tensor& x, const Dims& source, const Dims& destination, Where site) {
  const CallSite here(site);
  check(source.size() == destination.size(), "movedim", "{} dimensions to be moved to {} places", source.size(),
        destination.size());
  const auto rank = static_cast<std::size_t>(x.rank());
  Dims dims(rank, -1);
  std::vector<bool> moved(rank);
  for (std::size_t i = 0; i < source.size(); ++i) {
    check(rank > 0, "movedim", "a scalar has no dimension to move");
    const int from = normalize_dim("movedim", source[i], x.rank());
    int& place = dims[static_cast<std::size_t>(normalize_dim("movedim", destination[i], x.rank()))];
    check(!moved[static_cast<std::size_t>(from)], "movedim", "dimension {} is moved twice", source[i]);
    check(place < 0, "movedim", "two dimensions are moved to {}", destination[i]);
    moved[static_cast<std::size_t>(from)] = true;
    place = from;
  }
  int next = 0;  // of those that are not moved
  for (int& place : dims) {
    if (place >= 0) continue;
    while (moved[static_cast<std::size_t>(next)]) ++next;
    place = next++;
  }
  return permute(x, dims);
}

Tensor movedim(const Tensor& x, int source, int destination, Where site) {
  return movedim(x, Dims{source}, Dims{destination}, site);
}

Tensor unsqueeze(const Tensor& x, int dim, Where site) {
  const CallSite here(site);
  Shape shape = x.shape();
  shape.insert(normalize_dim("unsqueeze", dim, x.rank() + 1), 1);
  return reshape(x, shape);
}

Tensor squeeze(const Tensor& x, int dim, Where site) {
  const CallSite here(site);
  const int at = normalize_dim("squeeze", dim, x.rank());
  check(x.rank() > 0 && x.shape()[at] == 1, "squeeze", "dimension {} of shape {} is not 1", dim, x.shape().str());
  Shape shape = x.shape();
  shape.erase(at);
  return reshape(x, shape);
}

Tensor squeeze(const Tensor& x, const Dims& dims, Where site) {
  const CallSite here(site);
  std::vector<bool> dropped(static_cast<std::size_t>(x.rank()));
  for (int dim : dims) {
    const int at = normalize_dim("squeeze", dim, x.rank());
    check(x.rank() > 0 && x.shape()[at] == 1, "squeeze", "dimension {} of shape {} is not 1", dim, x.shape().str());
    check(!dropped[static_cast<std::size_t>(at)], "squeeze", "dimension {} is named twice", dim);
    dropped[static_cast<std::size_t>(at)] = true;
  }
  Shape shape;
  for (int i = 0; i < x.rank(); ++i)
    if (dims.empty() ? x.shape()[i] != 1 : !dropped[static_cast<std::size_t>(i)]) shape.push_back(x.shape()[i]);
  return reshape(x, shape);
}

Tensor broadcast_to(const Tensor& x, const Shape& shape, Where site) {
  const CallSite here(site);
  for (std::int64_t size : shape) check(size >= 0, "broadcast_to", "a negative size: {}", shape.str());
  return x.shape() == shape ? x : BroadcastTo::apply(x, shape);
}

Tensor expand(const Tensor& x, const Shape& shape, Where site) {
  const CallSite here(site);
  const int added = shape.rank() - x.rank();
  Shape full = shape;
  for (int i = 0; i < shape.rank(); ++i) {
    if (shape[i] != -1) continue;
    check(i >= added && added >= 0, "expand", "-1 stands for no dimension of {}: {}", x.shape().str(), shape.str());
    full[i] = x.shape()[i - added];
  }
  return broadcast_to(x, full);
}

std::vector<Tensor> meshgrid(const std::vector<Tensor>& tensors, Where site) {
  const CallSite here(site);
  Shape grid;
  for (const Tensor& t : tensors) {
    check(t.rank() <= 1, "meshgrid", "one-dimensional tensors are needed: {}", t.shape().str());
    grid.push_back(t.numel());
  }
  std::vector<Tensor> result;
  for (int i = 0; i < grid.rank(); ++i) {
    Shape along = Shape::filled(grid.rank(), 1);
    along[i] = grid[i];
    result.push_back(broadcast_to(reshape(tensors[static_cast<std::size_t>(i)], along), grid));
  }
  return result;
}

Tensor contiguous(const Tensor& x, Where site) {
  const CallSite here(site);
  return x.is_contiguous() ? x : clone(x);
}
Tensor clone(const Tensor& x, Where site) { return Clone::apply(site, x); }

std::vector<OpRecord> shape_ops() {
  using Inputs = std::vector<Tensor>;
  auto on = [](const char* label, const Shape& shape, Tensor (*op)(const Tensor&)) {
    return [=](Sampler& s) {
      return std::vector<OpSample>{{label, {s.normal(shape)}, [op](const Inputs& in) { return op(in[0]); }}};
    };
  };
  return {{"reshape", true,
           on("with -1", {2, 6},
              [](const Tensor& x) {
                return reshape(x, {3, -1});
              })},
          {"view", true,
           on("of a slice", {3, 4},
              [](const Tensor& x) {
                return view(slice(x, 1, 1, 3), {3, -1, 1, 2});
              })},
          {"unflatten", true,
           on("middle", {2, 6, 2},
              [](const Tensor& x) {
                return unflatten(x, 1, {3, -1});
              })},
          {"flatten", true, on("middle", {2, 3, 2}, [](const Tensor& x) { return flatten(x, 1); })},
          {"permute", true,
           on("three", {2, 3, 4},
              [](const Tensor& x) {
                return permute(x, {2, 0, 1});
              })},
          {"transpose", true, on("matrix", {2, 3}, [](const Tensor& x) { return transpose(x, 0, 1); })},
          {"movedim", true,
           on("two", {2, 3, 4},
              [](const Tensor& x) {
                return movedim(x, {0, -1}, {1, 0});
              })},
          {"unsqueeze", true, on("end", {2, 3}, [](const Tensor& x) { return unsqueeze(x, -1); })},
          {"squeeze", true,
           [](Sampler& s) {
             return std::vector<OpSample>{
                 {"middle", {s.normal({2, 1, 3})}, [](const Inputs& in) { return squeeze(in[0], 1); }},
                 {"all", {s.normal({1, 3, 1})}, [](const Inputs& in) { return squeeze(in[0]); }},
                 {"two of three", {s.normal({1, 2, 1, 1})}, [](const Inputs& in) {
                    return squeeze(in[0], {0, -1});
                  }}};
           }},
          {"broadcast_to", true,
           on("column", {3, 1},
              [](const Tensor& x) {
                return broadcast_to(x, {2, 3, 4});
              })},
          {"expand", true,
           on("with -1", {1, 3},
              [](const Tensor& x) {
                return expand(x, {2, 2, -1});
              })},
          {"meshgrid", true,
           [](Sampler& s) {
             return std::vector<OpSample>{{"two", {s.normal({2}), s.normal({3})}, [](const Inputs& in) {
                                             const auto grid = meshgrid(in);
                                             return grid[0] * grid[1] + grid[1];
                                           }}};
           }},
          {"contiguous", true,
           on("of a transpose", {2, 3}, [](const Tensor& x) { return contiguous(transpose(x, 0, 1)); })},
          {"clone", true, on("matrix", {2, 3}, [](const Tensor& x) { return clone(x); })}};
}

}  // namespace ff
