#!/usr/bin/env bash
# The benchmark compares what both sides compute, prints a table with both passes, and says what is wrong with a request.
#     usage: conv_benchmark_test.sh PROGRAM CHECK_REPORT WORK
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

few=(--quick --rounds 2 --threads 1 --batch 17)
# Alone: time and share of the peak.
"$program" "${few[@]}" --filter '16 -> 8' --python nowhere >out.txt || fail "exit status $? without PyTorch"
says '^Batch 17, beside nothing: PyTorch is not installed\.$' out.txt
says 'stride 1: 14x14 -> 14x14 \| forward \| [0-9.]+ \([0-9.]+ to [0-9.]+\) \| [0-9]+ % \| [0-9.]+ \|$' out.txt
says ' \| forward and backward \| ' out.txt

# All layers beside PyTorch, which must compute the same.
"$program" "${few[@]}" --seconds 0.05 >out.txt || fail "exit status $?"
if grep -q 'beside nothing' out.txt; then
  echo "the comparison itself was left out: there is no PyTorch"
else
  lines=$(grep -cE '^\| Conv.* \| [0-9.]+ \| [0-9.]+ \([0-9.]+ to [0-9.]+\) \| [0-9.]+ \| [0-9.]+ \(' out.txt)
  ((lines == 24)) || fail "$lines rows with two ratios, not 24"
fi

finish
