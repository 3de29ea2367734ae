#!/usr/bin/env bash
# The benchmark trains a little, leaves reports that others can read and whose parts sum to the whole, and refuses bad
# options.   usage: train_benchmark_test.sh PROGRAM CHECK_REPORT WORK
set -euo pipefail
program=$1
check_report=$2
work=$3
failures=0
rm -rf "$work"
mkdir -p "$work"
cd "$work"
unset HOURGLASS_MNIST_DIR HOURGLASS_ISA
export OMP_WAIT_POLICY=passive  # other tests may run beside this one

fail() {
  echo "FAILED: $*"
  failures=$((failures + 1))
}
says() { grep -qE -- "$1" "$2" || fail "'$1' is not in: $(cat "$2")"; }
measures() { # option...
  "$program" --quick --rounds 1 --json report.json --markdown report.md "$@" >out.txt 2>err.txt ||
    fail "exit status $?: $*: $(cat err.txt)"
  [[ ! -s err.txt ]] || fail "prints on stderr: $*: $(cat err.txt)"
}
holds() { # results kind file
  [[ $("$check_report" "$2" "$3") == "$1 results" ]] || fail "$3 has not $1 results of $2"
}
refused() { # pattern option...
  local pattern=$1 status=0
  shift
  "$program" --quick "$@" >out.txt 2>err.txt || status=$?
  ((status == 1)) || fail "exit status $status, not 1: $*"
  [[ $(wc -l <err.txt) == 1 ]] || fail "$(wc -l <err.txt) lines on stderr, not 1: $*: $(cat err.txt)"
  says "$pattern" err.txt
}

"$program" --help >help.txt
for option in json inference-json markdown filter threads isa rounds no-inference quick list; do
  says "--$option" help.txt
done
"$program" --list >list.txt
for name in 'ae-784-256-64 batch 128: 132.2 GFLOP' 'vae-784-512-256-20 batch 32: 340.7 GFLOP' \
  'ae-784-1000-500-250-30 batch 1024: 925.8 GFLOP'; do
  says "^$name" list.txt
done
[[ $(wc -l <list.txt) == 9 ]] || fail "$(wc -l <list.txt) cases, not 9"

# One case in every number of threads there is, with inference; then one that --quick would leave out.
counts=1
if (($(nproc) > 1)); then counts=2; fi
measures --filter 'ae-784-256-64 batch 128$' --inference-json inference.json
holds "$counts" train report.json
holds $((6 * counts)) inference inference.json
says '^\| ae-784-256-64 \| 128 \|' report.md
says 'drawn strokes' out.txt
measures --threads 1 --no-inference --filter '^vae.* batch 32$' --isa portable
holds 1 train report.json
says '"isa": "portable".*"percent_of_limit": null' report.json

refused '--threads: 0' --threads 0
refused 'threads' --threads many
refused 'isa' --isa sse2
refused "no case matches 'cube'" --filter cube
refused 'nowhere/report.json: cannot be written' --json nowhere/report.json
refused 'inference-json' --no-inference --inference-json inference.json
refused 'wrong' --wrong
HOURGLASS_MNIST_DIR=nowhere refused 'nowhere: no such folder' --filter 'batch 32'

((failures == 0)) || exit 1
echo "ok"
