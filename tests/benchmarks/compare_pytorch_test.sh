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

finish
