#!/usr/bin/env bash
# Builds everything, warnings being errors, and runs every test. Usage: tools/test.sh [PRESET], one of release (the
# default), debug, clang, asan, tsan. CTEST_PARALLEL_LEVEL sets how many tests run at a time.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
preset=${1:-release}

echo "== Packages"
tools/setup.sh
echo "== Build ($preset)"
cmake --preset "$preset" -D FF_WERROR=ON
cmake --build --preset "$preset"
echo "== Tests ($preset)"
jobs=$(nproc)
# A sanitizer takes several times the memory.
if [[ $preset == *san ]] && ((jobs > 4)); then jobs=4; fi
ctest --preset "$preset" --parallel "${CTEST_PARALLEL_LEVEL:-$jobs}"
