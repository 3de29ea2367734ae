#!/usr/bin/env bash
# The comparison trains a little on both sides, leaves a report that others can read, and says what is missing.
#     usage: compare_pytorch_test.sh PROGRAM CHECK_REPORT WORK
set -euo pipefail
program=$1
check_report=$2
work=$3
failures=0
rm -rf "$work"
mkdir -p "$work"
cd "$work"
unset HOURGLASS_MNIST_DIR HOURGLASS_ISA HOURGLASS_PEERS
export OMP_WAIT_POLICY=passive  # other tests may run beside this one

if ! command -v python3 >/dev/null; then
  echo "SKIPPED: there is no python3"
  exit 0
fi

fail() {
  echo "FAILED: $*"
  failures=$((failures + 1))
}
says() { grep -qE -- "$1" "$2" || fail "'$1' is not in: $(cat "$2")"; }
refused() { # pattern option...
  local pattern=$1 status=0
  shift
  "$program" --quick "$@" >out.txt 2>err.txt || status=$?
  ((status == 1)) || fail "exit status $status, not 1: $*"
  [[ $(wc -l <err.txt) == 1 ]] || fail "$(wc -l <err.txt) lines on stderr, not 1: $*: $(cat err.txt)"
  says "$pattern" err.txt
}

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
[[ $("$check_report" pytorch report.json) == "6 results" ]] || fail "the report has not 6 results"
says 'ratio [0-9.]+ \([0-9.]+ to [0-9.]+\); test loss' out.txt
says 'each at its best' out.txt

((failures == 0)) || exit 1
echo "ok"
