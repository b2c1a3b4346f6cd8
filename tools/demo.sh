#!/usr/bin/env bash
# From a fresh clone to a trained model: sets up, builds the program, and trains a FourierFormer on Fashion-MNIST.
# Arguments are passed on to the training: tools/demo.sh --set model.attention=softmax
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

echo "== Packages"
tools/setup.sh demo
echo "== Build"
cmake --preset release -D FF_BUILD_TESTS=OFF
cmake --build --preset release --target fourierformer
echo "== Training (results go to runs/demo)"
build/bin/fourierformer train models/configs/fashion_mnist.json --out runs/demo --overwrite "$@"
