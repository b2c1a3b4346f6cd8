"""Functions for ops_table.py that PyTorch does not have, or not with derivatives by all inputs in double precision, put
together of those that it has.
"""

import itertools
import math

import torch
import torch.nn.functional as F


def agreeing(composed, of_pytorch):
    """What has the derivatives in double precision, its value that of PyTorch's function, which has not."""
    torch.testing.assert_close(composed, of_pytorch, rtol=1e-14, atol=1e-14)
    return composed


class Digamma(torch.autograd.Function):
    """PyTorch's derivative of digamma is right to 9 digits, its zeta function of Hurwitz to 15."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x.digamma()

    @staticmethod
    def backward(ctx, grad):
        return grad * torch.special.zeta(torch.full_like(grad, 2), *ctx.saved_tensors)


def celu(x, alpha):
    """Its derivative takes alpha in single precision."""
    return agreeing(torch.where(x > 0, x, alpha * (x / alpha).expm1()), F.celu(x, alpha))


def hardsigmoid(x):
    """Its derivative is 1/6 in single precision."""
    return agreeing(F.relu6(x + 3) / 6, F.hardsigmoid(x))


def prod(x, dims, keepdim):
    for dim in sorted(dims if isinstance(dims, tuple) else (dims,), reverse=True):
        x = x.prod(dim, keepdim=keepdim)
    return x


def index_sum(x, index, dim, size):
    shape = list(x.shape)
    shape[dim] = size
    return x.new_zeros(shape).index_add(dim, index, x)


# Of places written to twice, the documentation says, PyTorch's gradients of the source are wrong: one after the other.
def scatter_repeated(x, index, source):
    x = x.clone()
    for i, j in itertools.product(*map(range, index.shape)):
        x[i, index[i, j]] = source[i, j]
    return x


def index_copy_repeated(x, index, source):
    x = x.clone()
    for i, row in zip(index, source):
        x[i] = row
    return x


def rms_norm(x, weight=1.0, dims=-1, eps=torch.finfo(torch.float64).eps):
    return x / (x.square().mean(dims, keepdim=True) + eps).sqrt() * weight


def rotary(x, base=10000.0, offset=0, interleaved=False):
    count, half = x.shape[-2], x.shape[-1] // 2
    angles = torch.outer(torch.arange(count, dtype=x.dtype) + offset,
                         base ** (-torch.arange(half, dtype=x.dtype) / half))
    a, b = (x[..., 0::2], x[..., 1::2]) if interleaved else (x[..., :half], x[..., half:])
    turned = a * angles.cos() - b * angles.sin(), a * angles.sin() + b * angles.cos()
    return torch.stack(turned, -1).flatten(-2) if interleaved else torch.cat(turned, -1)


def attention_weights(q, k, v, mask=None, causal=False, scale=None):
    """The weights, and a head of v for each of q's."""
    shared = q.shape[1] // k.shape[1]
    k, v = (x.repeat_interleave(shared, 1) for x in (k, v))
    scores = q @ k.transpose(-1, -2) * (scale or 1 / math.sqrt(q.shape[-1]))
    if causal:
        mask = torch.ones(scores.shape[-2:], dtype=torch.bool).tril(scores.shape[-1] - scores.shape[-2])
    return (scores if mask is None else scores.masked_fill(~mask, -math.inf)).softmax(-1), v


def attention(q, k, v, mask=None, causal=False):
    weights, v = attention_weights(q, k, v, mask, causal)
    return weights @ v


def attention_dropped(result, q, k, v):
    """Of all sets of keys that may be left over, each query's is the one that comes nearest to our result."""
    weights, v = attention_weights(q, k, v, scale=0.7)
    sets = torch.tensor(list(itertools.product([0.0, 1 / 0.7], repeat=k.shape[2])), dtype=q.dtype)
    possible = (weights.unsqueeze(-2) * sets) @ v.unsqueeze(-3)
    best = (possible - result.unsqueeze(-2)).abs().amax(-1).argmin(-1)
    return weights * sets[best] @ v


def reduced(loss, reduction, divisor=None):
    if reduction == "none":
        return loss
    return loss.sum() / ((loss.numel() if divisor is None else divisor) if reduction == "mean" else 1)


def bce_with_logits(x, target, weight=1.0, pos_weight=1.0, reduction="mean"):
    loss = -(pos_weight * target * F.logsigmoid(x) + (1 - target) * F.logsigmoid(-x)) * weight
    weights = {name: w.detach() for name, w in (("weight", weight), ("pos_weight", pos_weight))
               if isinstance(w, torch.Tensor)}
    return agreeing(reduced(loss, reduction),
                    F.binary_cross_entropy_with_logits(x, target, reduction=reduction, **weights))


def class_losses(logp, target, weight, label_smoothing, reduction):
    dim = min(logp.dim() - 1, 1)
    weight = weight.reshape([-1 if d == dim else 1 for d in range(logp.dim())])
    share = label_smoothing / logp.shape[dim]
    if target.is_floating_point():
        target = (1 - label_smoothing) * target + share
        loss = -(logp * target * weight).sum(dim)
        return reduced(loss, reduction)
    kept = target != -100
    hit = F.one_hot(target * kept, logp.shape[dim]).movedim(-1, dim).to(logp.dtype)
    weights = (hit * weight).sum(dim) * kept
    loss = -(logp * weight * ((1 - label_smoothing) * hit + share)).sum(dim) * kept
    return reduced(loss, reduction, weights.sum())


def cross_entropy(x, target, weight, label_smoothing=0.0, reduction="mean"):
    logp = x.log_softmax(min(x.dim() - 1, 1))
    return agreeing(class_losses(logp, target, weight, label_smoothing, reduction),
                    F.cross_entropy(x, target, weight.detach(), label_smoothing=label_smoothing, reduction=reduction))


def nll_loss(logp, target, weight, reduction="mean"):
    return agreeing(class_losses(logp, target, weight, 0.0, reduction),
                    F.nll_loss(logp, target, weight.detach(), reduction=reduction))


def linear_cross_entropy(x, weight, bias, target, scale=1.0, **options):
    return scale * F.cross_entropy(F.linear(x, weight, bias).flatten(0, -2), target.flatten(), **options)
