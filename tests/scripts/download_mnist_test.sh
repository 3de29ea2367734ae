#!/usr/bin/env bash
# Tests scripts/download_mnist against file:// mirrors.   usage: download_mnist_test.sh REPOSITORY
set -euo pipefail

root=$(cd "$1" && pwd)
script=$root/scripts/download_mnist
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
unset HOURGLASS_MNIST_MIRROR
names=(train-images-idx3-ubyte.gz train-labels-idx1-ubyte.gz t10k-images-idx3-ubyte.gz t10k-labels-idx1-ubyte.gz)
output=$work/output.txt
failures=0

check() { # what command...
  local what=$1
  shift
  if "$@"; then
    echo "ok: $what"
  else
    echo "FAILED: $what"
    sed 's/^/    /' "$output"
    failures=$((failures + 1))
  fi
}

status=0
run() { # what the script prints goes to $output, its exit status to $status
  status=0
  "$script" "$@" >"$output" 2>&1 || status=$?
}
succeeds() { ((status == 0)); }
refuses() { ((status == 1)); }
says() { grep -qF -- "$1" "$output"; }
never_says() { ! says "$1"; }
is_empty() { [[ -z $(ls -A "$1") ]]; }
is_complete() { [[ $(find "$1" -mindepth 1 -printf '%f\n' | sort) == "$(printf '%s\n' "${names[@]}" | sort)" ]]; }
is_absent() { [[ ! -e $1 ]]; }
same_content() { # folder folder
  local name
  for name in "${names[@]}"; do cmp -s "$1/$name" "$2/$name" || return 1; done
}

corrupt=$work/corrupt
mkdir "$corrupt"
for name in "${names[@]}"; do echo "not a digit" | gzip -n >"$corrupt/$name"; done
found=$(sha256sum <"$corrupt/${names[0]}" | cut -d ' ' -f 1)

run --help
check '--help exits with 0' succeeds
check '--help names the option' says '--mirror'

run --colour
check 'an unknown option is an error' refuses
check 'an unknown option is named' says '--colour'

run --mirror "file://$work/nowhere" "$work/a"
check 'a missing mirror is an error' refuses
check 'a missing mirror is named' says "file://$work/nowhere/${names[0]}: not available"
check 'the remedy is named' says '--mirror'
check 'a missing mirror leaves nothing' is_empty "$work/a"

run --mirror "file://$corrupt" "$work/b"
check 'a corrupt file is refused' refuses
check 'the expected checksum is named' says 'expected 440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609'
check 'the found checksum is named' says "found $found"
check 'a corrupt file is not left behind' is_empty "$work/b"

run --mirror "file://$work/nowhere file://$corrupt" "$work/c"
check 'every mirror is tried: the missing one' says "file://$work/nowhere/${names[0]}: not available"
check 'every mirror is tried: the corrupt one' says "file://$corrupt/${names[0]}: wrong SHA-256"

run --fashion --mirror "file://$corrupt" "$work/d"
check 'Fashion-MNIST is checked too' says 'expected 3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84'
check 'Fashion-MNIST: a corrupt file is refused' refuses

HOURGLASS_MNIST_MIRROR=file://$corrupt run "$work/e"
check 'HOURGLASS_MNIST_MIRROR names the mirror' says "file://$corrupt/${names[0]}: wrong SHA-256"

printf 'mine' >"$work/file"
run --mirror "file://$corrupt" "$work/file/f"
check 'a folder that cannot be made is an error' refuses

real=
for candidate in "${HOURGLASS_MNIST_DIR:-}" "$root/data/mnist" "$root/../shared/data/mnist"; do
  complete=yes
  for name in "${names[@]}"; do [[ -n $candidate && -f $candidate/$name ]] || complete=; done
  if [[ -n $complete ]]; then
    real=$(cd "$candidate" && pwd)
    break
  fi
done

if [[ -z $real ]]; then
  echo 'SKIPPED: downloads that succeed need the real MNIST files; set HOURGLASS_MNIST_DIR'
else
  mirror="$work/a mirror"
  mkdir "$mirror"
  cp -- "${names[@]/#/$real/}" "$mirror/"
  url="file://${mirror// /%20}"
  target="$work/some folder/mnist"

  run --mirror "$url" "$target"
  check 'a good mirror succeeds, with spaces in both paths' succeeds
  check 'the four files are there and no other' is_complete "$target"
  check 'they are the mirror'\''s' same_content "$mirror" "$target"

  run --mirror "file://$work/nowhere" "$target"
  check 'a second run needs no mirror' succeeds
  check 'a second run keeps the files' says "${names[0]}: already there"
  check 'a second run fetches nothing' never_says fetched

  cp -- "$corrupt/${names[3]}" "$target/"
  run --mirror "$url" "$target"
  check 'a damaged file is fetched again' says "${names[3]}: fetched from $url"
  check 'only the damaged file is fetched' says "${names[0]}: already there"
  check 'the damaged file is replaced' same_content "$mirror" "$target"

  run --mirror "file://$work/nowhere file://$corrupt $url" "$work/fallback"
  check 'a later mirror helps out' succeeds
  check 'the bad mirror is reported' says "file://$corrupt/${names[0]}: wrong SHA-256"
  check 'the files come from the good mirror' same_content "$mirror" "$work/fallback"

  mkdir "$work/recompressed"
  cp -- "$mirror"/*.gz "$work/recompressed/"
  gzip -dc "$mirror/${names[3]}" | gzip -1n >"$work/recompressed/${names[3]}"
  run --mirror "file://$work/recompressed" "$work/g"
  check 'the same content, compressed again, is accepted' succeeds

  for bytes in 2000 4; do
    head -c -$bytes "$mirror/${names[3]}" >"$work/recompressed/${names[3]}"
    run --mirror "file://$work/recompressed" "$work/short by $bytes"
    check "a file that lacks its last $bytes bytes is refused" refuses
    check 'and not left behind' is_absent "$work/short by $bytes/${names[3]}"
  done
fi

if ((failures)); then
  echo "$failures checks failed"
  exit 1
fi
