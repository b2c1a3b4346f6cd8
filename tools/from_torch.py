#!/usr/bin/env python3
"""Converts a checkpoint of PyTorch (.pth, .pt, .bin) to safetensors, for `train --init-from` and load_safetensors().

The state is looked for as timm and DeiT lay it out: in the file itself, or in it under "model", "state_dict" or
"model_ema" (--key names another). Floating tensors become f32, names stay; --strip PREFIX takes a prefix off them, as
"module." of a model that was trained in parallel. Of tensors that share memory each name gets a copy.

Needs PyTorch. A checkpoint is a pickle, which may run code as it is read; only tensors are let through unless --trust
says that you trust the file.
"""

import argparse
import os
import sys
from pathlib import Path

import torch

import safetensors_file

KEYS = ("model", "state_dict", "model_ema")


def state_of(checkpoint, key):
    if key:
        if not isinstance(checkpoint, dict) or key not in checkpoint:
            raise ValueError(f'there is no "{key}" in it')
        return checkpoint[key]
    for name in KEYS:
        if isinstance(checkpoint, dict) and isinstance(checkpoint.get(name), dict):
            return checkpoint[name]
    return checkpoint


def array_of(name, tensor):
    if not isinstance(tensor, torch.Tensor):
        raise ValueError(f"{name} is no tensor but a {type(tensor).__name__}; --key tells where the tensors are")
    if tensor.is_floating_point():
        tensor = tensor.to(torch.float32) if tensor.dtype != torch.float64 else tensor
    elif tensor.is_complex():
        raise ValueError(f"{name} is complex")
    elif tensor.dtype in (torch.int8, torch.int16):
        tensor = tensor.to(torch.int32)
    return tensor.detach().cpu().contiguous().numpy()


def convert(source, target, key, strip, trust):
    checkpoint = torch.load(source, map_location="cpu", **({} if trust else {"weights_only": True}))
    state = state_of(checkpoint, key)
    if not isinstance(state, dict) or not state:
        raise ValueError("there is no state of a model in it")
    arrays = {}
    for name, tensor in state.items():
        short = name[len(strip):] if strip and name.startswith(strip) else name
        if short in arrays:
            raise ValueError(f"two tensors would be named {short}")
        arrays[short] = array_of(name, tensor)
    part = target.with_name(target.name + ".part")
    try:
        safetensors_file.write(part, arrays)
        os.replace(part, target)
    finally:
        part.unlink(missing_ok=True)
    return arrays


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=Path, help="checkpoint to read")
    parser.add_argument("target", type=Path, nargs="?", help="file to write (default: SOURCE with .safetensors)")
    parser.add_argument("--key", default="", help="where in the checkpoint the state is")
    parser.add_argument("--strip", default="", metavar="PREFIX", help="prefix to take off the names")
    parser.add_argument("--trust", action="store_true", help="read the file even if that runs code in it")
    options = parser.parse_args()
    target = options.target or options.source.with_suffix(".safetensors")
    try:
        arrays = convert(options.source, target, options.key, options.strip, options.trust)
    except Exception as error:  # pylint: disable=broad-except  # torch.load raises whatever the pickle does
        sys.exit(f"from_torch.py: {options.source}: {str(error) or type(error).__name__}")
    elements = sum(array.size for array in arrays.values())
    print(f"{target}: {elements:,} numbers in {len(arrays)} tensor{'s' * (len(arrays) != 1)}")


if __name__ == "__main__":
    main()
