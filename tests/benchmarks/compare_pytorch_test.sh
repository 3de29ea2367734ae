#!/usr/bin/env bash
# The comparison trains a little on both sides, leaves a report that others can read, and says what is missing.
#     usage: compare_pytorch_test.sh PROGRAM CHECK_REPORT WORK
# shellcheck source=common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

if ! command -v python3 >/dev/null; then
  echo "SKIPPED: there is no python3"
  exit 0
fi

refused '--threads: 0' --threads 0
refused '--threads: .many' --threads many
refused "'cube'" --filter cube
refused 'nowhere' --program nowhere
refused 'nowhere/report.json' --json nowhere/report.json
refused "'caffe'" --kinds flushing,caffe

"$program" --python nowhere >out.txt || fail "exit status $? without PyTorch"
says '^SKIPPED: PyTorch' out.txt

"$program" --quick --epochs 2 --images 640 --threads 1 --filter ae-784-256-64 --json report.json >out.txt ||
  fail "exit status $?"
if grep -q '^SKIPPED: ' out.txt && ((failures == 0)); then
  cat out.txt
  exit 0
fi
# Training and two kinds of inference, as shipped and with denormal numbers flushed.
holds 6 pytorch report.json
says 'ratio [0-9.]+ \([0-9.]+ to [0-9.]+\); test loss' out.txt
says 'each at its best' out.txt

# What cannot be compiled here is left out, in a line.
CXX=nowhere HOURGLASS_PEERS=$work "$program" --quick --epochs 1 --images 256 --threads 1 --filter ae-784-256-64 \
  --no-inference --kinds flushing,libtorch,minidnn --json report.json >out.txt || fail "exit status $?"
holds 1 pytorch report.json
says "^libtorch: left out, there is no compiler 'nowhere'$" out.txt
says "^MiniDNN: left out, it is not in $work/minidnn" out.txt
CXX=nowhere refused 'nothing left' --threads 1 --kinds libtorch

finish
