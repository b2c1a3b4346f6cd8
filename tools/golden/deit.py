#!/usr/bin/env python3
"""Writes tests/golden/deit_*.safetensors: small vision transformers with seeded random weights, and what PyTorch makes
of them in float64: logits of two images, and the gradients of their cross-entropy. `--full DIR` writes DeiT-tiny at
its own size, softmax and Fourier, to another folder; FF_GOLDEN_DIR=DIR has build/tests/test_models look there, too.

A file holds weights by their names, "images", "labels", "logits" (of each head, one after the other), gradients as
"grad.NAME", and the model's settings as the metadata "config". Needs PyTorch and numpy.
"""

import argparse
import json
import sys
from pathlib import Path

import torch
from torch.nn import functional as F
from torch.utils.checkpoint import checkpoint

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import safetensors_file  # noqa: E402  pylint: disable=wrong-import-position

SMALL = dict(image_size=16, patch_size=4, channels=3, classes=5, width=16, depth=2, heads=2, mlp_ratio=2)
TINY = dict(image_size=224, patch_size=16, channels=3, classes=1000, width=192, depth=12, heads=3, mlp_ratio=4)
EPSILON = 1e-6  # of Fourier attention, as in the published models


def softmax_weights(q, k):
    return torch.softmax(q @ k.transpose(-1, -2) / q.shape[-1] ** 0.5, -1)


def fourier_weights(q, k, r):
    x = r * (q[..., :, None, :] - k[..., None, :, :])                  # (B, H, N, M, D)
    kernel = (torch.sinc(x / torch.pi) ** 4).prod(-1)
    return kernel / (kernel.sum(-1, keepdim=True) + EPSILON)


class Transformer:
    """A DeiT as functions of its weights, by timm's names."""

    def __init__(self, config, weights):
        self.config, self.w = config, weights

    def linear(self, name, x):
        return F.linear(x, self.w[f"{name}.weight"], self.w[f"{name}.bias"])

    def norm(self, name, x):
        return F.layer_norm(x, x.shape[-1:], self.w[f"{name}.weight"], self.w[f"{name}.bias"], 1e-6)

    def attention(self, name, x):
        b, n, width = x.shape
        heads = self.config["heads"]
        q, k, v = self.linear(f"{name}.qkv", x).reshape(b, n, 3, heads, width // heads).permute(2, 0, 3, 1, 4)
        weights = (fourier_weights(q, k, self.w[f"{name}.R"]) if self.config["attention"] == "fourier"
                   else softmax_weights(q, k))
        return self.linear(f"{name}.proj", (weights @ v).transpose(1, 2).reshape(b, n, width))

    def block(self, name, x):
        x = x + self.attention(f"{name}.attn", self.norm(f"{name}.norm1", x))
        return x + self.linear(f"{name}.mlp.fc2", F.gelu(self.linear(f"{name}.mlp.fc1", self.norm(f"{name}.norm2", x))))

    def logits(self, images):
        """Of each head."""
        patches = F.conv2d(images, self.w["patch_embed.proj.weight"], self.w["patch_embed.proj.bias"],
                           stride=self.config["patch_size"]).flatten(2).transpose(1, 2)
        heads = {"cls_token": "head"} | ({"dist_token": "head_dist"} if self.config["distilled"] else {})
        prefix = [self.w[token].expand(images.shape[0], -1, -1) for token in heads]
        x = torch.cat([*prefix, patches], 1) + self.w["pos_embed"]
        for i in range(self.config["depth"]):
            x = checkpoint(self.block, f"blocks.{i}", x)
        x = self.norm("norm", x)
        return [self.linear(head, x[:, i]) for i, head in enumerate(heads.values())]


def random_weights(config, generator, scale):
    """Normal, of standard deviation scale / sqrt(inputs) for matrices, and 0.1 for what is added."""
    width, hidden = config["width"], config["width"] * config["mlp_ratio"]
    patches = (config["image_size"] // config["patch_size"]) ** 2
    weights = {}

    def put(name, *shape, std=0.1, mean=0.0):
        drawn = torch.randn(shape, generator=generator, dtype=torch.float64) * std + mean
        weights[name] = drawn.to(torch.float32).to(torch.float64).requires_grad_()  # as the file holds it

    def linear(name, inputs, outputs):
        put(f"{name}.weight", outputs, inputs, std=scale * inputs ** -0.5)
        put(f"{name}.bias", outputs)

    def norm(name):
        put(f"{name}.weight", width, mean=1.0)
        put(f"{name}.bias", width)

    tokens = ["cls_token"] + ["dist_token"] * config["distilled"]
    for token in tokens:
        put(token, 1, 1, width, std=1.0)
    put("pos_embed", 1, len(tokens) + patches, width, std=0.3)
    size = config["patch_size"]
    put("patch_embed.proj.weight", width, config["channels"], size, size, std=(config["channels"] * size * size) ** -0.5)
    put("patch_embed.proj.bias", width)
    for i in range(config["depth"]):
        norm(f"blocks.{i}.norm1")
        linear(f"blocks.{i}.attn.qkv", width, 3 * width)
        linear(f"blocks.{i}.attn.proj", width, width)
        if config["attention"] == "fourier":
            put(f"blocks.{i}.attn.R", mean=1.0)
        norm(f"blocks.{i}.norm2")
        linear(f"blocks.{i}.mlp.fc1", width, hidden)
        linear(f"blocks.{i}.mlp.fc2", hidden, width)
    norm("norm")
    for head in ("head",) + ("head_dist",) * config["distilled"]:
        linear(head, width, config["classes"])
    return weights


def write_case(path, size, attention, distilled, seed, scale):
    config = {**size, "attention": attention, "epsilon": EPSILON, "distilled": distilled}
    generator = torch.Generator().manual_seed(seed)
    weights = random_weights(config, generator, scale)
    side = config["image_size"]
    images = torch.randn(2, config["channels"], side, side, generator=generator).to(torch.float64)
    labels = torch.randint(0, config["classes"], (2,), generator=generator)
    heads = Transformer(config, weights).logits(images.requires_grad_())
    sum(F.cross_entropy(logits, labels) for logits in heads).backward()
    arrays = {name: w.detach().to(torch.float32).numpy() for name, w in weights.items()}
    arrays |= {f"grad.{name}": w.grad.to(torch.float32).numpy() for name, w in weights.items()}
    arrays |= {"images": images.detach().to(torch.float32).numpy(), "labels": labels.numpy(),
               "logits": torch.stack(heads).detach().numpy()}
    safetensors_file.write(path, arrays, {"config": json.dumps(config)})
    print(f"{path}: {sum(w.numel() for w in weights.values()):,} parameters")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--full", type=Path, metavar="DIR", help="write DeiT-tiny to DIR")
    full = parser.parse_args().full
    folder = full or Path(__file__).resolve().parents[2] / "tests" / "golden"
    if full:
        write_case(folder / "deit_tiny_softmax.safetensors", TINY, "softmax", False, 1, 1.0)
        write_case(folder / "deit_tiny_fourier.safetensors", TINY, "fourier", False, 2, 0.5)
    else:
        write_case(folder / "deit_softmax.safetensors", SMALL, "softmax", False, 3, 1.0)
        write_case(folder / "deit_fourier.safetensors", SMALL, "fourier", False, 4, 1.0)
        write_case(folder / "deit_distilled.safetensors", SMALL, "softmax", True, 5, 1.0)


if __name__ == "__main__":
    main()
