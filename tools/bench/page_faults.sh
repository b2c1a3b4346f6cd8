#!/bin/sh
# Page faults of a steady training step, as the kernel counts them (perf): those of a run with 20 steps more than
# another, by 20.
# Usage: page_faults.sh [CONFIG [OPTION ...]], as `fourierformer bench` takes them; default deit_tiny --batch 8
set -eu
program=$(dirname "$0")/../../build/bin/fourierformer
[ $# -gt 0 ] || set -- deit_tiny --batch 8

faults() {
  perf stat -x, -e page-faults -o "$log" "$program" bench "$@" --json >/dev/null || exit
  sed -n 's/^\([0-9]*\),.*page-faults.*/\1/p' "$log"
}

log=$(mktemp)
trap 'rm -f "$log"' EXIT
few=$(faults "$@" --steps 5) || exit
many=$(faults "$@" --steps 25) || exit
echo "$few page faults with 5 steps, $many with 25: $(((many - few) / 20)) a step"
