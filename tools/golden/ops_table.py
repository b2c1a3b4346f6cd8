"""How PyTorch computes each op of autograd/ops/op_table.cpp: PYTORCH, for ops.py.

A function of a sample's inputs, one for all samples of an op, or one for each label; its parameters are those of the
sample in autograd/ops. In-place ops change in place here, too.
"""

import math
from dataclasses import dataclass
from typing import Callable

import torch
import torch.nn.functional as F

import ops_composed as composed


@dataclass
class Drawn:
    """Of a random op: function(result, *inputs), which reads off our result what was drawn."""
    function: Callable


def by_label(function, options):
    """{label: arguments after the inputs} to {label: function}."""
    def bind(option):
        keywords = option if isinstance(option, dict) else {}
        rest = () if isinstance(option, dict) else option if isinstance(option, tuple) else (option,)
        return lambda *inputs: function(*inputs, *rest, **keywords)
    return {label: bind(option) for label, option in options.items()}


def at(function, *labels):
    return {label: function for label in labels}


def named(names, module=torch):
    return {name: getattr(module, name) for name in names.split()}


def each_at(functions, *labels):
    """The other samples, of no entry or of one, are nothing new to an elementwise op."""
    return {name: at(function, *labels) for name, function in functions.items()}


# Reductions: label to dimensions (None: all) and whether they are kept.
OVER = {"all": (None, False), "last": (-1, False), "first, kept": (0, True), "outer and inner": ((0, 2), False),
        "middle": (1, False)}


def dims_of(x, dims):
    return tuple(range(x.dim())) if dims is None else dims


def over(function, **options):
    return by_label(lambda x, dims, kept: function(x, dims_of(x, dims), keepdim=kept, **options), OVER)


def norm(p, dims=None, keepdim=False):
    return lambda x: torch.linalg.vector_norm(x, p, dims_of(x, dims), keepdim=keepdim)


def of_index(function):
    return {"last": lambda x: function(x, -1), "first": lambda x: function(x, 0), "all": function,
            "all, kept": lambda x: function(x).reshape(1, 1)}


def of_truth(function):
    return {"last": lambda x: function(x > 0, -1), "numbers": lambda x: function(F.relu(x), 0, keepdim=True)}


# In place, on a result of another op, as only such may be changed while recorded.
def changed(name):
    return lambda x: getattr(x * 1, name)() + 0


def changed_by(name):
    def by_tensor(x, other):
        x = x * 1
        return getattr(x, name)(other) * x
    return {**at(by_tensor, "same shape", "row"), "number": lambda x: getattr(x * 1, name)(1.5).square()}


def copy_(x, other):
    x = x * 1
    before = x.sum()
    return x.copy_(other).square() + before


def of_quotients(function):
    return {**at(function, "same shape", "negative dividend", "negative divisor", "scalar"),
            "number": lambda x: function(x, 1.0)}


def of_logic(function):
    return {"row": lambda x, y: function(x > 0, y > 0), "integers": lambda x, y: function(x.int(), y.byte())}


def of_integers(function):
    return lambda x, y: function(x.long(), y.long())


def of_specials(function):
    return lambda x, y: function(x.int().double() / y.int())


def split_of_one_size(x):
    a, b, c = x.split(2)
    return a * c + b


def split_two_of_three(x):
    a, _, c = x.split([1, 2, 3], 1)
    return torch.cat([c, a * a], 1)


def chunk(x):
    a, b, c = x.chunk(3, -1)
    return a * b + c


def meshgrid(x, y):
    a, b = torch.meshgrid(x, y, indexing="ij")
    return a * b + b


def padded_embedding(index, weight):
    rows = F.embedding(index, weight, padding_idx=1)
    return torch.cat([rows[1:2], rows[3:]])


def batch_norm(x, mean, var, weight=None, bias=None):
    return F.batch_norm(x, x.new_full(x.shape[1:2], mean), x.new_full(x.shape[1:2], var), weight, bias)


# Of both ops; of the one that is composed of others, less.
ATTENTION = {**at(composed.attention, "self", "cross, masked", "one shared head"),
             **by_label(composed.attention, {"causal": {"causal": True}, "shared heads": {"causal": True}}),
             "dropped, scaled": Drawn(composed.attention_dropped)}
ATTENTION_COMPOSED = {label: ATTENTION[label] for label in ("cross, masked", "shared heads", "dropped, scaled")}


# Losses of two tensors: label to reduction.
REDUCTIONS = {"mean": "mean", "sum": "sum", "none, broadcast": "none"}


def of_differences(function, **width):
    def broadcast(x, y, reduction, **options):
        return function(*torch.broadcast_tensors(x, y), reduction=reduction, **options)
    labels = by_label(broadcast, {label: (reduction,) for label, reduction in REDUCTIONS.items()})
    return {**labels, "width 3": lambda x, y: function(x, y, reduction="none", **width)} if width else labels


ELEMENTWISE = {
    **each_at(named("neg square frac sqrt rsqrt reciprocal exp exp2 expm1 log log2 log10 log1p sin cos tan asin acos"
                    " atan sinh cosh tanh asinh acosh atanh erf erfc lgamma"), "matrix"),
    **each_at({"digamma": composed.Digamma.apply, "sinc": lambda x: x.sin() / x,
               "log_sinc": lambda x: (x.sin() / x).log()}, "matrix"),
    **named("abs sign floor ceil round trunc"),
    "bitwise_not": lambda x: x.int().bitwise_not(),
    "cast": lambda x: x.double(),
}

PAIRS = "same shape", "row", "column", "both ways"

ARITHMETIC = {
    **each_at(named("add sub mul div atan2"), *PAIRS),
    **named("maximum minimum"),
    "pow": {**at(torch.pow, *PAIRS), "negative base": lambda x: x.pow(3)},
    "clamp": {**at(torch.clamp, "tensors", "rows below", "rows above", "bounds crossed", "scalar"),
              **by_label(torch.clamp, {"numbers": (-0.55, 0.45), "below": {"min": 0.15}, "above": {"max": 0.15}})},
    **{name: of_quotients(f) for name, f in named("floor_divide remainder fmod").items()},
    **{name: of_integers(f) for name, f in named("bitwise_and bitwise_or bitwise_xor bitwise_left_shift"
                                                 " bitwise_right_shift").items()},
}

ACTIVATIONS = {
    **each_at({"sigmoid": torch.sigmoid, **named("logsigmoid silu mish tanhshrink", F)}, "matrix"),
    **each_at(named("softsign relu selu", F), "both signs"),
    **each_at({"hardtanh": lambda x: F.hardtanh(x, -0.75, 0.9),
               "relu6": lambda x: F.relu6(x * 6 + 3.21),
               "hardsigmoid": lambda x: composed.hardsigmoid(x * 3.5),
               "hardswish": lambda x: F.hardswish(x * 3.5)}, "both kinks"),
    "threshold": at(lambda x: F.threshold(x, 0.3, -2), "both sides"),
    "softplus": by_label(F.softplus, {"matrix": (), "beta": 2.5, "threshold": (0.7, 0.5)}),
    "leaky_relu": by_label(F.leaky_relu, {"both signs": (), "slope": 0.3}),
    "elu": by_label(F.elu, {"both signs": (), "alpha": 1.7}),
    "celu": by_label(composed.celu, {"both signs": 1.0, "alpha": 0.6}),
    "gelu": by_label(F.gelu, {"matrix": {}, "tanh": {"approximate": "tanh"}}),
    "hardshrink": by_label(F.hardshrink, {"both kinks": (), "lambd": 0.9}),
    "softshrink": by_label(F.softshrink, {"both kinks": (), "lambd": 0.9}),
    "prelu": lambda x, weight: F.prelu(x, weight.reshape(-1)),
    "glu": by_label(F.glu, {"last": (), "first": 0}),
    "dropout": Drawn(lambda result, x: x * (result != 0) / 0.7),
    "dropout2d": Drawn(lambda result, x: x * (result != 0) / 0.7),
    "drop_path": Drawn(lambda result, x: x * (result != 0) / 0.7),
    "dropout_add": Drawn(lambda result, x, residual: residual + x * (result != residual) / 0.7),
    "drop_path_add": Drawn(lambda result, x, residual: residual + x * (result != residual) / 0.7),
}

COMPARISONS = {
    **named("eq ne lt le gt ge where"),
    **{name: of_logic(f) for name, f in named("logical_and logical_or logical_xor").items()},
    "logical_not": lambda x: (x > 0).logical_not(),
    **{name: of_specials(f) for name, f in named("isnan isinf isfinite").items()},
    "masked_fill": lambda x, mask: x.masked_fill(mask, -3),
}

IN_PLACE = {
    **{name: at(changed(name), "matrix") for name in (
        "neg_", "abs_", "square_", "sqrt_", "rsqrt_", "reciprocal_", "exp_", "log_", "sin_", "cos_", "tanh_",
        "sigmoid_", "relu_")},
    **{name: changed_by(name) for name in ("add_", "sub_", "mul_", "div_", "pow_", "remainder_")},
    "clamp_": lambda x: (x * 1).clamp_(-0.55, 0.45).square(),
    "copy_": copy_,
    "fill_": lambda x: x.exp() * (x + 2).fill_(3),
    "masked_fill_": lambda x, mask: (x * 1).masked_fill_(mask, -3).square(),
}

CUMULATED = {"last": -1, "first": 0, "middle": 1, "scalar": 0}
ZEROS = {"one zero": 1, "two zeros": 1, "all zeros": 0}

REDUCTIONS_AND_SCANS = {
    "sum": {**over(torch.sum), "empty": lambda x: x.sum(0)},
    "mean": over(torch.mean),
    "prod": {**over(composed.prod), "empty": lambda x: x.prod(0),
             **at(lambda x: x.prod(-1), "one zero", "two zeros", "all zeros")},
    "var": over(torch.var, unbiased=False),
    "std": by_label(torch.std, {"all": {}, "last, kept": {"dim": -1, "keepdim": True}, "no columns": {"dim": 0},
                                "outer and inner": {"dim": (0, 2), "correction": 2, "keepdim": False},
                                "uncorrected": {"dim": 0, "unbiased": False}}),
    "norm": {**over(lambda x, dims, keepdim: norm(2, dims, keepdim)(x)), "an entry of 0": norm(4, None, True),
             **{f"p = {p:g}": norm(p, -1) for p in (1, 3, 1.5, 0.5, -2, math.inf, -math.inf)}},
    "max": over(torch.amax),
    "min": over(torch.amin),
    "logsumexp": over(torch.logsumexp),
    "argmax": of_index(torch.argmax),
    "argmin": of_index(torch.argmin),
    "any": of_truth(torch.any),
    "all": of_truth(torch.all),
    "count_nonzero": lambda x: F.relu(x).count_nonzero(1),
    "cumsum": by_label(torch.cumsum, CUMULATED),
    "cumprod": by_label(torch.cumprod, {**CUMULATED, **ZEROS}),
}

SORTED = {"last": (-1, False), "first, descending": (0, True), "middle": (1, False), "scalar": (0, False)}

SEARCH = {
    "sort": by_label(lambda x, dim, descending: x.sort(dim, descending).values, SORTED),
    "argsort": by_label(torch.argsort, {label: SORTED[label] for label in ("last", "first, descending", "scalar")}),
    "topk": by_label(lambda x, k, dim, largest: x.topk(k, dim, largest).values,
                     {"last": (3, -1, True), "first, smallest": (2, 0, False), "middle": (1, 1, True),
                      "all": (4, 0, True), "scalar": (1, 0, True), "none": (0, 1, True), "no rows": (2, 1, True)}),
    "nonzero": lambda x: F.relu(x).nonzero(),
    "masked_select": torch.masked_select,
    "searchsorted": by_label(torch.searchsorted, {"one row": {}, "each its own": {}, "scalar": {}, "empty": {},
                                                  "ties, right": {"right": True}}),
    "bucketize": by_label(torch.bucketize, {"matrix": {}, "ties, right": {"right": True}}),
}

SHAPES = {
    "reshape": lambda x: x.reshape(3, -1),
    "view": lambda x: x[:, 1:3].view(3, -1, 1, 2),
    "unflatten": lambda x: x.unflatten(1, (3, -1)),
    "flatten": lambda x: x.flatten(1),
    "permute": lambda x: x.permute(2, 0, 1),
    "transpose": lambda x: x.transpose(0, 1),
    "movedim": lambda x: x.movedim((0, -1), (1, 0)),
    "unsqueeze": lambda x: x.unsqueeze(-1),
    "squeeze": {"middle": lambda x: x.squeeze(1), "all": torch.squeeze,
                "two of three": lambda x: x.squeeze(0).squeeze(-1)},
    "broadcast_to": lambda x: x.broadcast_to(2, 3, 4),
    "expand": lambda x: x.expand(2, 2, -1),
    "meshgrid": meshgrid,
    "contiguous": lambda x: x.transpose(0, 1).contiguous(),
    "clone": torch.clone,
    "slice": {"middle": lambda x: x[:, 1:4], "every second": lambda x: x[:, ::2], "from the end": lambda x: x[-3:-1],
              "nothing": lambda x: x[2:1], "backwards": lambda x: x.flip(0)[::2],
              "nothing of many": lambda x: x[0:0:5]},
    "narrow": by_label(torch.narrow, {"from the end": (1, -3, 2), "nothing": (0, 2, 0)}),
    "select": by_label(torch.select, {"negative": (1, -2), "of a vector": (0, 1)}),
    "unfold": by_label(torch.Tensor.unfold, {"overlapping": (0, 3, 2), "middle": (1, 2, 1), "with gaps": (-1, 1, 4),
                                             "one window": (0, 3, 1), "of nothing": (0, 0, 2)}),
    **{name: by_label(f, {"square": 0, "wide, above": 1, "batch, below": -1, "empty": 0})
       for name, f in named("tril triu").items()},
    "diagonal": by_label(torch.diagonal, {"main": (), "above, of a wide one": 2, "below, of a batch": (-1, 1, 2),
                                          "exchanged": (1, -1, 0), "beyond": 5}),
    "diag_embed": by_label(torch.diag_embed, {"vector": (), "batch, above": 1, "first dimensions, below": (-1, 0, 1),
                                              "empty": 1}),
    "diag": by_label(torch.diag, {"vector": -1, "matrix": ()}),
    "flip": {"outer and inner": lambda x: x.flip(0, -1), "vector": lambda x: x.flip(0),
             "scalar": lambda x: torch.flip(x, ()), "empty": lambda x: x.flip(0)},
    "roll": by_label(torch.roll, {"two dimensions": ((1, -2), (0, 1)), "as one row": 2,
                                  "more than once around": (-7, 0), "empty": (1, 0)}),
    "repeat": {"new dimension": lambda x: x.repeat(2, 1, 2), "scalar": lambda x: x.repeat(3),
               "once": lambda x: x.repeat(1, 1), "never": lambda x: x.repeat(2, 0)},
    "repeat_interleave": by_label(torch.repeat_interleave, {"columns": (2, 1), "as one row": 3,
                                                            "each its own": {"dim": 0}}),
    "pad": {**by_label(F.pad, {"constant": ((1, 2), "constant", -1.5), "constant, two dimensions": ((1, 0, 0, 1),),
                               "cut off": ((-1, 1, 1, -1), "constant", 2.0),
                               "of nothing": ((0, 0, 2, 1), "constant", 3.0), "scalar": ((),),
                               "reflect": ((3, 2), "reflect")}),
            "reflect, cut off": lambda x: F.pad(x[None], (2, -1), "reflect")[0],
            "replicate": lambda x: F.pad(x[None], (2, 1, 3, 0), "replicate")[0],
            "circular": lambda x: F.pad(x[None, None], (1, 2, 3, 1), "circular")[0, 0]},
    "concatenate": {"rows": lambda *x: torch.cat(x), "columns": lambda *x: torch.cat(x, -1)},
    "stack": {"scalars": lambda *x: torch.stack(x), "last": lambda *x: torch.stack(x, -1)},
    "split": {"two of three": split_two_of_three, "of one size": split_of_one_size},
    "chunk": chunk,
    "unbind": lambda x: x.unbind()[0] * x.unbind()[2],
    "pixel_shuffle": lambda x: F.pixel_shuffle(x, 2),
    "pixel_unshuffle": by_label(F.pixel_unshuffle, {"batch": 2, "no batch": 3}),
}

def scattering(function):
    """PyTorch has no gradient of a source larger than the index: what counts of it is cut out."""
    def scatter(x, index, source, dim):
        return function(x, dim, index, source[tuple(slice(n) for n in index.shape)])
    return by_label(scatter, {"columns, repeated": 1, "rows": 0, "smaller index": -1, "none": 0})


def of_rows(function):
    return by_label(lambda x, index, source, dim: function(x, dim, index, source),
                    {"rows, repeated": 0, "middle": 1, "none": -1})


INDEXING = {
    "index_select": by_label(lambda x, i, dim: x.index_select(dim, i), {"repeated": 0, "last": -1, "none": 0}),
    "index_sum": by_label(composed.index_sum, {"repeated": (0, 5), "columns": (-1, 2)}),
    "gather": by_label(lambda x, i, dim: x.gather(dim, i), {"columns": 1, "rows": 0, "smaller index": 1, "none": 0}),
    "take_along_dim": by_label(torch.take_along_dim, {"one index for all rows": 1, "one row for all indices": -1,
                                                      "as one row": ()}),
    "take": torch.take,
    "embedding": {**at(F.embedding, "matrix of indices", "one index", "none"), "padding": padded_embedding},
    "one_hot": by_label(F.one_hot, {"classes told": 4, "classes counted": ()}),
    "scatter": {**scattering(torch.scatter), "columns, repeated": composed.scatter_repeated,
                "number": lambda x, i: x.scatter(1, i, -2)},
    "scatter_add": scattering(torch.scatter_add),
    "index_add": of_rows(lambda *inputs: torch.index_add(*inputs, alpha=-1.5)),
    "index_copy": {**of_rows(torch.index_copy), "rows, repeated": composed.index_copy_repeated},
    "index_fill": lambda x, i: x.index_fill(1, i, 3),
    "index": {"integers": lambda x: x[1, -1],
              "slices": lambda x: x[1::2, :-1],
              "backwards": lambda x: x.flip(0),
              "ellipsis and new dimensions": lambda x: x[None, 0, ..., 0:2, None],
              "nothing": lambda x: x[...],
              "scalar": lambda x: x[None],
              "rows": lambda x, i: x[i],
              "pairs": lambda x, i: x[i, i[0]],
              "apart": lambda x, i: x[i, 0:2, i],
              "after a slice": lambda x, i: x[1:2, i],
              "mask": lambda x, mask: x[mask],
              "mask of columns": lambda x, mask: x[..., mask],
              "none": lambda x, i: x[i]},
}

EQUATIONS = ("ij,jk->ik", "ij,jk", "ba", "bij,bkj->bik", "ij,ij->ij", "i,j->ji", "ii->i", "ii", "iij,jk->ki", "ijk->j",
             "ij,kl->k", "...ij,...jk->...ik", "i...->...", "...i->i", "ij,jk,kl->il", "i,i,i->i", ",i->i",
             "ij,jk -> ik", "->")

PRODUCTS = {
    **named("bmm dot outer"),
    "matmul": {**at(torch.matmul, "matrices", "batches", "batch by matrix", "matrix by batch", "broadcast batches",
                    "vectors", "vector by matrix", "batch by vector", "no inner dimension", "no rows"),
               "transposed": lambda x, y: x.T @ y.T},
    "addmm": {label: lambda c, a, b, beta=beta, alpha=alpha: torch.addmm(c, a, b, beta=beta, alpha=alpha)
              for label, beta, alpha in (("row", 1, 1), ("column, scaled", 0.5, -2), ("matrix", -1, 0.5),
                                         ("scalar", 2, 1), ("beta = 0", 0, 1), ("no inner dimension", 2, 1))},
    "linear": F.linear,
    "einsum": {equation: lambda *x, equation=equation: torch.einsum(equation, *x) for equation in EQUATIONS},
    "softmax_attention": ATTENTION,
    "softmax_attention_composed": ATTENTION_COMPOSED,
}

SOFTMAX = {"last": -1, "first": 0, "middle": 1, "scalar": 0}

NORMALISATIONS = {
    **{name: by_label(f, SOFTMAX) for name, f in named("softmax log_softmax").items()},
    "layer_norm": {"affine": lambda x, w, b: F.layer_norm(x, (5,), w, b), "plain": lambda x: F.layer_norm(x, (4,)),
                   "two dimensions, no bias": lambda x, w: F.layer_norm(x, (2, 3), w),
                   "no rows": lambda x, w, b: F.layer_norm(x, (4,), w, b)},
    "add_layer_norm": {"both": lambda x, r, w, b: (x + r) * 0.5 + F.layer_norm(x + r, (5,), w, b),
                       "norm alone": lambda x, r: F.layer_norm(x + r, (5,)), "sum alone": lambda x, r: x + r,
                       "no rows": lambda x, r, w, b: (x + r) * 0.5 + F.layer_norm(x + r, (5,), w, b)},
    "rms_norm": by_label(composed.rms_norm, {
        "weighted": {"eps": 1e-5}, "plain": {"eps": 0.1}, "two dimensions": {"dims": (-2, -1)},
        "one entry": {"eps": 0.5}, "no rows": {}}),
    "group_norm": {"affine": lambda x, w, b: F.group_norm(x, 2, w, b),
                   "plain, one group": lambda x: F.group_norm(x, 1, eps=0.1),
                   "no images": lambda x: F.group_norm(x, 2)},
    "instance_norm": lambda x, w=None, b=None: F.instance_norm(x, weight=w, bias=b),
    "batch_norm": {"training, affine": lambda x, w, b: F.batch_norm(x, None, None, w, b, True),
                   "training, no running statistics": lambda x: F.batch_norm(x, None, None, training=True, eps=0.01),
                   "evaluation": lambda x, w, b: batch_norm(x, 0.3, 1.7, w, b),
                   "evaluation, plain, no images": lambda x: batch_norm(x, 0.3, 1.7)},
    "normalize": by_label(F.normalize, {"euclidean": (2, 1), "sum": (1, 0), "cubic": (3, -1), "largest": (math.inf, -1),
                                        "scalar": (2, 0), "empty": (2, 1)}),
    "local_response_norm": by_label(F.local_response_norm, {"odd": (3, 0.3, 0.6, 2), "even, larger": (4, 1, 0.75, 1)}),
    "rotary_embedding": by_label(composed.rotary, {"halves": {}, "interleaved": {"interleaved": True},
                                          "offset, base": {"base": 50.0, "offset": 7}, "no positions": {}}),
}

IM2COL = {"dilation": (2, 1), "padding": (1, 0), "stride": (1, 2)}

IMAGES = {
    "conv1d": by_label(F.conv1d, {"biased": {}, "every option": {"stride": 2, "padding": 2, "dilation": 2, "groups": 2},
                                  "no batch": {"padding": 1}}),
    "conv2d": by_label(F.conv2d, {
        "patches": {"stride": 2}, "padded": {"padding": 1},
        "strided, dilated, no bias": {"stride": (2, 1), "dilation": (2, 3)},
        "groups": {"padding": (1, 0), "groups": 2},
        "depthwise": {"stride": (1, 2), "padding": 1, "groups": 3},
        "pointwise": {}, "pointwise groups": {"groups": 2}, "no batch": {}}),
    "conv_transpose1d": by_label(F.conv_transpose1d, {
        "biased": {}, "no batch": {"stride": 2},
        "every option": {"stride": 3, "padding": 1, "output_padding": 2, "groups": 2, "dilation": 2}}),
    "conv_transpose2d": by_label(F.conv_transpose2d, {
        "biased": {}, "strided, padded": {"stride": (2, 3), "padding": (1, 0), "output_padding": (1, 2)},
        "output padding beyond a stride": {"padding": 1, "output_padding": (2, 1), "dilation": (3, 2)},
        "groups": {"stride": (2, 1), "groups": 2}, "no batch": {}}),
    "im2col": {"plain": lambda x: F.unfold(x, 2), "every option": lambda x: F.unfold(x, (2, 3), **IM2COL)},
    "col2im": {"plain": lambda x: F.fold(x, (3, 3), (2, 2)),
               "every option": lambda x: F.fold(x, (3, 4), (2, 3), **IM2COL)},
    "max_pool1d": by_label(F.max_pool1d, {"plain": 2, "every option": {
        "kernel_size": 3, "stride": 2, "padding": 1, "dilation": 2, "ceil_mode": True}}),
    "max_pool2d": by_label(F.max_pool2d, {
        "plain": 2, "overlapping, padded": ((3, 2), (1, 2), (1, 0)), "no batch": ((2, 1),),
        "dilated, ceil mode": {"kernel_size": 2, "stride": (2, 3), "dilation": (2, 1), "ceil_mode": True}}),
    "avg_pool1d": by_label(F.avg_pool1d, {"plain": 2, "padding counted": (3, 2, 1, True),
                                          "padding not counted": (3, 3, 1, True, False)}),
    "avg_pool2d": by_label(F.avg_pool2d, {
        "plain": 2, "padded, ceil mode": ((3, 2), 2, 1, True), "padding not counted": ((2, 3), (1, 2), 1, False, False),
        "divisor override": (2, 1, 0, False, True, 3), "no batch": ((2, 1),)}),
    "adaptive_avg_pool1d": lambda x: F.adaptive_avg_pool1d(x, 3),
    "adaptive_avg_pool2d": by_label(F.adaptive_avg_pool2d, {"one": 1, "overlapping, larger": ((2, 3),)}),
    "adaptive_max_pool1d": lambda x: F.adaptive_max_pool1d(x, 3),
    "adaptive_max_pool2d": lambda x: F.adaptive_max_pool2d(x, (2, 3)),
    "interpolate": by_label(F.interpolate, {
        "nearest": {"size": 5}, "nearest, scaled": {"scale_factor": (2, 1.5)},
        "nearest exact": {"size": (3, 4), "mode": "nearest-exact"},
        "linear": {"size": 7, "mode": "linear"},
        "bilinear": {"size": (5, 4), "mode": "bilinear"},
        "bilinear, smaller": {"scale_factor": (0.5, 0.7), "mode": "bilinear"},
        "bilinear, corners": {"size": (5, 1), "mode": "bilinear", "align_corners": True},
        "recomputed scale": {"scale_factor": 1.3, "mode": "linear", "recompute_scale_factor": True},
        "bicubic": {"size": (4, 5), "mode": "bicubic"},
        "bicubic, corners": {"size": 4, "mode": "bicubic", "align_corners": True},
        "trilinear": {"size": 3, "mode": "trilinear"},
        "area": {"size": (2, 4), "mode": "area"},
        "one entry": {"size": 3, "mode": "linear"}}),
}

LOSSES = {
    "mse_loss": of_differences(F.mse_loss),
    "l1_loss": of_differences(F.l1_loss),
    "smooth_l1_loss": of_differences(F.smooth_l1_loss, beta=3.0),
    "huber_loss": of_differences(F.huber_loss, delta=3.0),
    "binary_cross_entropy": {
        **by_label(F.binary_cross_entropy, {"mean": {}}),
        "weighted": lambda x, t, w: F.binary_cross_entropy(x, t, reduction="none") * w},
    "binary_cross_entropy_with_logits": {
        **by_label(composed.bce_with_logits, {"mean": {}, "weighted": {"reduction": "sum"},
                                              "both weights": {"reduction": "none"}}),
        "pos_weight": lambda x, t, p: composed.bce_with_logits(x, t, pos_weight=p)},
    "kl_div": {"mean": lambda x, t: F.kl_div(x, t, reduction="none").mean(),
               **by_label(F.kl_div, {"batchmean": {"reduction": "batchmean"}, "scalar": {"reduction": "sum"},
                                     "log_target, none": {"reduction": "none", "log_target": True}})},
    "cosine_similarity": by_label(F.cosine_similarity, {"rows": 1, "broadcast": -1, "first": 0, "no rows": 1}),
    "hinge_embedding_loss": by_label(F.hinge_embedding_loss, {
        "mean": {}, "margin, broadcast": {"margin": 0.1, "reduction": "none"}}),
    "cosine_embedding_loss": by_label(F.cosine_embedding_loss, {
        "mean": {}, "margin, each": {"margin": 0.1, "reduction": "none"}, "below the margin": {"reduction": "sum"},
        "one": {"reduction": "sum"}}),
    "cross_entropy": {
        **by_label(F.cross_entropy, {
            "mean": {}, "smoothed, ignoring": {"label_smoothing": 0.1}, "each": {"reduction": "none"}, "one row": {},
            "classes second": {"reduction": "sum"}, "soft": {}, "soft, one row": {"reduction": "sum"},
            "soft, smoothed, each": {"label_smoothing": 0.1, "reduction": "none"}}),
        **by_label(composed.cross_entropy, {
            "weighted": {}, "weighted, smoothed, ignoring": {"label_smoothing": 0.1},
            "weighted, each": {"label_smoothing": 0.2, "reduction": "none"}, "weighted, one row": {},
            "weighted, classes second": {"reduction": "sum"}, "soft, weighted": {},
            "soft, classes second": {"label_smoothing": 0.1}})},
    "linear_cross_entropy": {
        **by_label(composed.linear_cross_entropy, {
            "mean": {}, "smoothed, ignoring": {"label_smoothing": 0.1}, "sum, scaled": {"reduction": "sum", "scale": 0.3},
            "no rows": {"reduction": "sum"}}),
        "no bias, batch": lambda x, w, t: composed.linear_cross_entropy(x, w, None, t, scale=-2),
        "one class": lambda x, w, t: composed.linear_cross_entropy(x, w, None, t)},
    "nll_loss": {
        **by_label(F.nll_loss, {"mean": {}, "ignoring": {}, "one row": {}, "classes second": {"reduction": "sum"},
                                "no rows": {"reduction": "sum"}}),
        **by_label(composed.nll_loss, {"weighted, ignoring": {}, "weighted, each": {"reduction": "none"}})},
}

PYTORCH = {**ELEMENTWISE, **ARITHMETIC, **ACTIVATIONS, **COMPARISONS, **IN_PLACE, **REDUCTIONS_AND_SCANS, **SEARCH,
           **SHAPES, **INDEXING, **PRODUCTS, **NORMALISATIONS, **IMAGES, **LOSSES}
