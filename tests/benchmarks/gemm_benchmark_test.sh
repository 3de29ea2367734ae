#!/usr/bin/env bash
# The benchmark measures a few products, with and without a peer, leaves reports that others can read, and refuses bad
# options.   usage: gemm_benchmark_test.sh PROGRAM CHECK_REPORT WORK WRONG_PEER
# shellcheck source=common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
wrong_peer=$4
always=(--quick --no-peers)
measures() { # results option...
  local results=$1
  shift
  writes --rounds 2 "$@"
  holds "$results" gemm report.json
}

"$program" --help >help.txt
for option in json markdown filter threads isa quick all no-peers peers list; do says "--$option" help.txt; done
"$program" --list --all >list.txt
for name in 'fwd 128x784x256: m = 128, n = 256, k = 784' 'dX 128x784x256: m = 128, n = 784, k = 256' \
  'dW 128x784x256: m = 784, n = 256, k = 128' 'TN 127x783x255: m = 127, n = 255, k = 783' 'square 4096'; do
  says "^$name" list.txt
done
[[ $(wc -l <list.txt) == 212 ]] || fail "$(wc -l <list.txt) products, not 212"

# Three products, in every number of threads there is; then one with an activation and a peer that comes with us.
counts=1
if (($(nproc) > 1)); then counts=2; fi
measures $((3 * counts)) --no-peers --filter '128x256x64$'
says '^\| dX 128x256x64 \|' report.md
measures 1 --no-peers --threads 1 --isa portable --filter '128x784x256 + relu'
says 'cost [-+]' out.txt
measures 1 --peers eigen --threads 1 --filter 'square 64'
says 'square 64 .*Eigen' out.txt
says 'Eigen .* keeps (0|1)' out.txt

HOURGLASS_PEERS=$(dirname "$wrong_peer") measures 1 --peers openblas --threads 1 --filter 'square 64'
says 'left out: OpenBLAS 99.0: wrong result' out.txt
mkdir none
echo "no library" >none/libopenblas.so.7
HOURGLASS_PEERS=none measures 1 --peers openblas --threads 1 --filter 'square 64'
says 'left out: openblas \(none/libopenblas.so.7\)' out.txt

refused '--threads: 0' --threads 0
refused '--threads: 9999' --threads 1,9999
refused 'threads' --threads many
refused 'isa' --isa sse2
refused 'peers' --peers eigen
refused "no case matches 'cube'" --filter cube
refused 'nowhere/report.json: cannot be written' --json nowhere/report.json
refused 'all' --all
refused 'wrong' --wrong

finish
