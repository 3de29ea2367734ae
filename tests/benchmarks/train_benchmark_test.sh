#!/usr/bin/env bash
# The benchmark trains a little, leaves reports that others can read and whose parts sum to the whole, and refuses bad
# options.   usage: train_benchmark_test.sh PROGRAM CHECK_REPORT WORK
# shellcheck source=common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

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
writes --rounds 1 --filter 'ae-784-256-64 batch 128$' --inference-json inference.json
holds "$counts" train report.json
holds $((6 * counts)) inference inference.json
says '^\| ae-784-256-64 \| 128 \|' report.md
says 'drawn strokes' out.txt
writes --rounds 1 --threads 1 --no-inference --filter '^vae.* batch 32$' --isa portable
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

finish
