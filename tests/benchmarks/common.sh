# What the tests of the benchmarks share.   usage of each: NAME_test.sh PROGRAM CHECK_REPORT WORK ...
# shellcheck shell=bash disable=SC2034
set -euo pipefail
program=$1
check_report=$2
work=$3
failures=0
always=(--quick) # options of every call that is to be refused
rm -rf "$work"
mkdir -p "$work"
cd "$work"
unset HOURGLASS_MNIST_DIR HOURGLASS_PEERS HOURGLASS_ISA
export OMP_WAIT_POLICY=passive # other tests may run beside this one

fail() {
  echo "FAILED: $*"
  failures=$((failures + 1))
}
says() { grep -qE -- "$1" "$2" || fail "'$1' is not in: $(cat "$2")"; }
writes() { # option...: reports that others can read, and nothing on stderr
  "$program" --quick --json report.json --markdown report.md "$@" >out.txt 2>err.txt ||
    fail "exit status $?: $*: $(cat err.txt)"
  [[ ! -s err.txt ]] || fail "prints on stderr: $*: $(cat err.txt)"
}
holds() { # results kind file
  [[ $("$check_report" "$2" "$3") == "$1 results" ]] || fail "$3 has not $1 results of $2"
}
refused() { # pattern option...
  local pattern=$1 status=0
  shift
  "$program" "${always[@]}" "$@" >out.txt 2>err.txt || status=$?
  ((status == 1)) || fail "exit status $status, not 1: $*"
  [[ $(wc -l <err.txt) == 1 ]] || fail "$(wc -l <err.txt) lines on stderr, not 1: $*: $(cat err.txt)"
  says "$pattern" err.txt
}
finish() {
  ((failures == 0)) || exit 1
  echo "ok"
}
