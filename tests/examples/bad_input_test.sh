#!/usr/bin/env bash
# Bad input ends in one line on stderr and exit status 1; --help in a text on stdout and 0.
# shellcheck source=common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
require_programs mnist_autoencoder mnist_vae runtime_widths sparse_autoencoder contractive_autoencoder transfer_learning \
  stacked_autoencoder beta_vae k_sparse_autoencoder

refused() { # pattern command...
  local pattern=$1 status=0
  shift
  "$@" >out.txt 2>err.txt || status=$?
  ((status == 1)) || fail "exit status $status, not 1: $*"
  [[ $(wc -l <err.txt) == 1 ]] || fail "$(wc -l <err.txt) lines on stderr, not 1: $*: $(cat err.txt)"
  grep -qE "$pattern" err.txt || fail "'$pattern' is not in: $(cat err.txt)"
}

# Copies of the digits, each damaged in one way.
copy() {
  rm -rf "$1"
  cp -r "$digits" "$1"
}
copy garbage
echo garbage >garbage/train-images-idx3-ubyte.gz
copy truncated
head -c 100000 "$digits/train-images-idx3-ubyte.gz" >truncated/train-images-idx3-ubyte.gz
copy empty_file
: >empty_file/t10k-labels-idx1-ubyte.gz
copy missing
rm missing/t10k-images-idx3-ubyte.gz
copy labels
cp labels/t10k-labels-idx1-ubyte.gz labels/train-labels-idx1-ubyte.gz
mkdir nothing
echo text >file

for name in mnist_autoencoder mnist_vae runtime_widths sparse_autoencoder contractive_autoencoder transfer_learning; do
  program=$programs/$name
  quick=(--epochs 1 --output out --data)
  "$program" --help >help.txt 2>err.txt || fail "$name --help: exit status $?"
  [[ ! -s err.txt ]] || fail "$name --help prints on stderr"
  for flag in data epochs batch-size latent learning-rate seed threads output quiet; do
    grep -q -e "--$flag" help.txt || fail "$name --help does not name --$flag"
  done

  refused 'absent' "$program" "${quick[@]}" absent
  refused 'nothing' "$program" "${quick[@]}" nothing
  refused 'garbage/train-images' "$program" "${quick[@]}" garbage
  refused 'truncated/train-images' "$program" "${quick[@]}" truncated
  refused 'empty_file/t10k-labels' "$program" "${quick[@]}" empty_file
  refused 'missing.*t10k-images' "$program" "${quick[@]}" missing
  refused 'labels.*(6000|1000).*(6000|1000)' "$program" "${quick[@]}" labels
  refused 'batch' "$program" "${quick[@]}" "$digits" --batch-size 0
  refused 'epochs' "$program" "${quick[@]}" "$digits" --epochs -1
  refused '[0-9]' "$program" "${quick[@]}" "$digits" --latent 0
  refused 'learning.rate|lr' "$program" "${quick[@]}" "$digits" --learning-rate nan
  refused 'threads' "$program" "${quick[@]}" "$digits" --threads -2
  refused 'seed' "$program" "${quick[@]}" "$digits" --seed soon
  refused 'wrong' "$program" "${quick[@]}" "$digits" --wrong
  refused 'file' "$program" --epochs 1 --data "$digits" --output file/folder
  refused 'epochs' "$program" "${quick[@]}" "$digits" --epochs 0
done

# An option that would change nothing does not exist.
refused 'latent' "$programs/stacked_autoencoder" --epochs 1 --output out --data "$digits" --latent 8
refused 'between|4' "$programs/stacked_autoencoder" --epochs 1 --output out --data "$digits" --widths 9 9 9 9
refused 'rho' "$programs/sparse_autoencoder" --epochs 1 --output out --data "$digits" --rho 0.1 --lambda 1
refused 'rho' "$programs/sparse_autoencoder" --epochs 1 --output out --data "$digits" --rho 1.5
refused 'adadelta' "$programs/sparse_autoencoder" --epochs 1 --output out --data "$digits" --adadelta --learning-rate 0.1
refused 'adadelta' "$programs/sparse_autoencoder" --epochs 1 --output out --data "$digits" --adadelta --rho 0.1
refused '64.*8' "$programs/k_sparse_autoencoder" --epochs 1 --output out --data "$digits" --k 64 --latent 8
refused 'width' "$programs/stacked_autoencoder" --epochs 1 --output out --data "$digits" --widths 0
refused 'data' "$programs/beta_vae" --epochs 1 --output out --data "$digits"
finish
