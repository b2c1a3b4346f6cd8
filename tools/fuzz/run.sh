#!/usr/bin/env bash
# Builds the fuzzers, with sanitizers, and runs each of them for so long, as many at a time as there are cores. Needs
# Clang. Usage: tools/fuzz/run.sh [SECONDS] [NAME ...], 600 seconds each and all fuzzers unless told otherwise.
# What they find out goes to build-fuzz/corpus, for the next time. After a crash no more are begun, and the status is 1.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
export seconds=${1:-600}
shift || true

cmake --preset fuzz -D FF_WERROR=ON
cmake --build --preset fuzz
names=("$@")
if ((${#names[@]} == 0)); then
  for source in tools/fuzz/*.cpp; do names+=("$(basename "$source" .cpp)"); done
fi

export crashes=build-fuzz/crashes
mkdir -p "$crashes"

fuzz() {
  local name=$1 seeds=tools/fuzz/corpus/$1 grown=build-fuzz/corpus/$1 log=build-fuzz/$1.log
  mkdir -p "$grown"
  local corpora=("$grown")
  [[ ! -d $seeds ]] || corpora+=("$seeds")
  if ! "build-fuzz/bin/fuzz_$name" "${corpora[@]}" -max_total_time="$seconds" -timeout=20 -rss_limit_mb=2048 \
    -artifact_prefix="$crashes/$name-" -print_final_stats=1 >"$log" 2>&1; then
    tail -n 60 "$log" >&2
    echo "fuzz: $name failed. To see it again: build-fuzz/bin/fuzz_$name $crashes/$name-..., one of" >&2
    ls -t "$crashes" | grep "^$name-" >&2 || true
    echo "fuzz: a file that is mended goes to $seeds, so that the tests read it from then on" >&2
    exit 255  # xargs ends
  fi
  echo "== $name, $seconds seconds: clean" \
    "$(grep -E "^stat::(number_of_executed_units|new_units_added|peak_rss_mb)" "$log" | tr -s ' \n' ' ')"
}
export -f fuzz

printf '%s\n' "${names[@]}" | xargs -P "$(nproc)" -I NAME bash -euo pipefail -c 'fuzz NAME' || exit 1
