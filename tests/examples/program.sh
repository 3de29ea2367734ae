#!/usr/bin/env bash
# program.sh PROGRAMS DIGITS WORK NAME ARGUMENTS PICTURES PLOTS FIGURES DATA: runs an example on the committed digits and
# looks at what it leaves. PICTURES are separated by spaces, and PLOTS, which need gnuplot; FIGURES "name:low:high" by "|".
# DATA is what it says it takes.
# shellcheck source=common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
name=$4
require_programs "$name" ../tests/examples/picture
read -ra arguments <<<"$5"
read -ra pictures <<<"$6"
read -ra plots <<<"$7"
IFS='|' read -ra figures <<<"$8"

data=(--data "$digits")
[[ $9 == "$digits" ]] || data=()  # the program draws its own
"$programs/$name" "${data[@]}" --seed 3 --output out "${arguments[@]}" >out.txt || fail "$name ends with status $?"
grep -qF "data: $9" out.txt || fail "$name does not say which data it takes"

if command -v gnuplot >/dev/null; then pictures+=("${plots[@]}"); fi
for plot in "${plots[@]}"; do [[ -s out/${plot%.*}.csv ]] || fail "the numbers of $plot are missing"; done
if ((${#pictures[@]})); then
  "$programs/../tests/examples/picture" "${pictures[@]/#/out/}" || fail "$name leaves pictures that show nothing"
fi
for figure in "${figures[@]}"; do
  IFS=: read -r what low high <<<"$figure"
  value=$(awk -F , -v name="$what" '$1 == name { print $2 }' out/results.csv)
  awk -v value="$value" -v low="$low" -v high="$high" 'BEGIN { exit !(value != "" && value > low && value < high) }' ||
    fail "$what is '$value', not in ($low, $high)"
  grep -qF "$what: $value" out.txt || fail "$name does not print $what"
done
finish
