#!/usr/bin/env python3
"""Writes tests/golden/adaptive_softmax.safetensors: loss, gradients, log-probabilities and predictions of
torch.nn.AdaptiveLogSoftmaxWithLoss in float64, of seeded random parameters; the same file each time. Needs PyTorch
(1.13 of Debian's python3-torch wrote the file that is there).

Usage: adaptive_softmax.py
"""

import torch

from ops import ROOT, write_safetensors

FEATURES, CLASSES, CUTOFFS, SAMPLES = 8, 20, [6, 10, 15], 12


def main():
    torch.manual_seed(1)
    torch.set_default_dtype(torch.float64)
    arrays = {}
    for bias in (False, True):
        model = torch.nn.AdaptiveLogSoftmaxWithLoss(FEATURES, CLASSES, CUTOFFS, div_value=2.0, head_bias=bias)
        x = torch.randn(SAMPLES, FEATURES, requires_grad=True)
        target = torch.randint(CLASSES, (SAMPLES,))
        loss = model(x, target).loss
        loss.backward()
        found = {"x": x, "x.grad": x.grad, "target": target, "loss": loss[None], "log_prob": model.log_prob(x),
                 "predict": model.predict(x)}
        for name, parameter in model.named_parameters():
            found |= {name: parameter, f"{name}.grad": parameter.grad}
        arrays |= {f"{'bias' if bias else 'plain'}.{name}": values.detach().double().flatten().tolist()
                   for name, values in found.items()}
    write_safetensors(ROOT / "tests" / "golden" / "adaptive_softmax.safetensors", arrays)


if __name__ == "__main__":
    main()
