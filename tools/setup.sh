#!/usr/bin/env bash
# Installs the Debian packages that building, testing and the demo need. Does nothing where all are there.
# Usage: tools/setup.sh [demo], which leaves out what the tests alone need.
set -euo pipefail

packages=(
  g++ cmake ninja-build pkg-config ccache                                           # to build
  libopenblas-dev libtbb-dev libhwy-dev libfmt-dev nlohmann-json3-dev zlib1g-dev    # the libraries
  libjpeg62-turbo-dev libpng-dev libutf8proc-dev
  libcli11-dev libbenchmark-dev                                                     # the program and benchmarks
  dataset-fashion-mnist jargon-text                                                 # data to train on
)
tests=(
  doctest-dev python3                                                               # to run them
  libonnx-dev libprotobuf-dev libonnx-testdata                                      # ONNX's test cases
  chromium                                                                          # to open pages in
  groff-base zsh                                                                    # to read the manual page, and complete
)
[[ ${1:-} == demo ]] || packages+=("${tests[@]}")

if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
  echo "setup: this is no Debian-like system. Install the equivalents of: ${packages[*]}" >&2
  exit 1
fi

missing=()
for package in "${packages[@]}"; do
  status=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) || true
  [[ $status == installed ]] || missing+=("$package")
done
# Slim container images drop /usr/share/doc, where jargon-text has its text.
[[ " ${missing[*]} " == *" jargon-text "* || -e /usr/share/doc/jargon-text/jargon.txt.gz ]] || missing+=(jargon-text)
if ((${#missing[@]} == 0)); then
  echo "setup: all packages are installed"
  exit 0
fi

root=()
if ((EUID != 0)); then
  if ! command -v sudo >/dev/null; then
    echo "setup: these packages are missing: ${missing[*]}" >&2
    echo "setup: installing them takes root; run this script as root, or install sudo" >&2
    exit 1
  fi
  root=(sudo)
fi

echo "setup: installing ${missing[*]}"
"${root[@]}" apt-get update -q
"${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends --reinstall \
  -o 'DPkg::Options::=--path-include=/usr/share/doc/jargon-text/*' "${missing[@]}"
echo "setup: done"
