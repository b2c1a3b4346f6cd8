#!/usr/bin/env python3
"""Checks that the headers of autograd/ops, the table of ops and what the library promises agree.

- Every public function has a doc comment, or shares one with those above it, and takes the caller's line.
- Every public function is in the table, or makes tensors, changes one in place, or is listed below with the reason.
- Every op of the table is a public function.
- Every op that is promised is in the table.

Usage: op_surface.py PROGRAM, the fourierformer program.
"""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent

PROMISED = """
add sub mul div pow remainder floor_divide eq ne lt le gt ge logical_and logical_or logical_xor logical_not where clamp
minimum maximum abs sign floor ceil round trunc sqrt rsqrt reciprocal exp exp2 expm1 log log2 log10 log1p sin cos tan
asin acos atan sinh cosh tanh asinh acosh atanh atan2 sinc erf erfc lgamma sigmoid logsigmoid softplus relu leaky_relu elu
selu celu gelu silu mish hardsigmoid hardswish isnan isinf isfinite cast neg square
sum mean prod min max argmin argmax any all var std norm logsumexp cumsum cumprod count_nonzero sort argsort topk
reshape view flatten transpose permute movedim squeeze unsqueeze expand broadcast_to repeat concatenate stack split chunk
narrow slice flip roll pad tril triu diagonal unfold
gather scatter scatter_add index_select index_add masked_fill masked_select take_along_dim nonzero one_hot bucketize
embedding index
matmul addmm dot outer einsum bmm
conv1d conv2d conv_transpose1d conv_transpose2d max_pool1d max_pool2d avg_pool1d avg_pool2d adaptive_avg_pool1d
adaptive_avg_pool2d adaptive_max_pool1d adaptive_max_pool2d linear interpolate softmax log_softmax layer_norm rms_norm
group_norm batch_norm instance_norm dropout rotary_embedding softmax_attention fourier_attention
cross_entropy nll_loss mse_loss l1_loss smooth_l1_loss huber_loss binary_cross_entropy binary_cross_entropy_with_logits
kl_div cosine_similarity
""".split()

# Make tensors of nothing, or of chance.
CREATION = """
empty zeros ones full zeros_like ones_like full_like empty_like arange linspace eye rand randn rand_like randn_like
logspace randint randperm bernoulli multinomial normal
""".split()

# What may wait, and does.
WAITING = "median triangular_solve cholesky_solve ctc_loss".split()

# Public functions without a record of their own: why.
OTHERS = {
    "amax": "max by PyTorch's other name",
    "amin": "min by PyTorch's other name",
    "clamp_max": "clamp without a lower bound",
    "clamp_min": "clamp without an upper bound",
    "dropout_mask": "of nothing but chance; dropout is in the table",
    "sum_to": "a sum and a reshape, which are",
}

# Headers of what ops share.
SHARED = ("attention_arguments.h", "kernels.h", "middle.h", "op_table.h", "spatial.h", "unary_op.h")

RESULT = r"(?:const Tensor&|Tensor|std::vector<Tensor>|[A-Z]\w+)"


def declarations(text):
    """(name, arguments, documented) of every function declared at the left margin. A comment is for the declaration
    below it and for those that follow without an empty line."""
    documented, end = False, 0
    for match in re.finditer(rf"^{RESULT} (\w+)\(((?:[^;{{}}]|\{{[^;{{}}]*\}})*)\);\n", text, re.MULTILINE):
        last_line = text[:match.start()].splitlines()[-1]
        documented = last_line.startswith("///") or (documented and match.start() == end)
        end = match.end()
        yield match[1], match[2], documented


def main():
    listed = subprocess.run([sys.argv[1], "gradcheck", "--list"], capture_output=True, text=True, check=True).stdout
    table = {line.split()[0] for line in listed.splitlines()}
    wrong, public = [], set()
    for header in sorted((ROOT / "autograd" / "ops").glob("*.h")):
        if header.name in SHARED:
            continue
        for name, arguments, documented in declarations(header.read_text(encoding="utf-8")):
            public.add(name)
            if not documented:
                wrong.append(f"{header.name}: {name} has no doc comment")
            if "Where site = {}" not in arguments:
                wrong.append(f"{header.name}: {name} does not take the caller's line")
    for name in sorted(public - table - set(CREATION) - set(OTHERS)):
        if not name.endswith("_"):
            wrong.append(f"{name} is public, but not in the table of ops")
    wrong += [f"{name} is in the table, but not public" for name in sorted(table - public)]
    wrong += [f"{name} is promised, but not in the table" for name in PROMISED if name not in table]
    wrong += [f"{name} is promised, but not public" for name in CREATION + PROMISED if name not in public]
    wrong += [f"{name} is there: it need not wait" for name in WAITING if name in public]
    wrong += [f"{name} is listed here for nothing" for name in OTHERS if name not in public or name in table]
    print("\n".join(wrong) or f"{len(public)} functions, {len(table)} ops in the table")
    return 1 if wrong or not public else 0


if __name__ == "__main__":
    sys.exit(main())
