#!/usr/bin/env bash
# Every example trains for an epoch on the committed digits and leaves what it promises.
# shellcheck source=common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
require_programs mnist_autoencoder mnist_vae runtime_widths sparse_autoencoder k_sparse_autoencoder contractive_autoencoder

is_png() { [[ -f $1 && $(head -c 8 "$1" | od -An -tx1 | tr -d ' \n') == 89504e470d0a1a0a ]]; }

trained() { # folder metrics-header largest-loss picture...
  local folder=$1 header=$2 largest=$3 lines loss picture
  shift 3
  [[ -f $folder/metrics.csv ]] || { fail "$folder has no metrics.csv" && return; }
  mapfile -t lines <"$folder/metrics.csv"
  [[ ${lines[0]} == "$header" ]] || fail "$folder/metrics.csv starts with '${lines[0]}', not '$header'"
  ((${#lines[@]} == 2)) || fail "$folder/metrics.csv has ${#lines[@]} lines after one epoch, not 2"
  loss=$(cut -d , -f 3 <<<"${lines[1]}")
  awk -v loss="$loss" -v largest="$largest" 'BEGIN { exit !(loss > 0 && loss < largest) }' ||
    fail "$folder: the test loss is $loss, not in (0, $largest)"
  awk -F , '{ for (i = 1; i <= NF; ++i) if ($i !~ /^[0-9.e+-]+$/) exit 1 }' <<<"${lines[1]}" ||
    fail "$folder/metrics.csv: '${lines[1]}' is not all numbers"
  [[ $(head -c 9 "$folder/model.safetensors" | tail -c 1) == '{' ]] || fail "$folder/model.safetensors has no header"
  for picture in "$@"; do
    is_png "$folder/$picture" || fail "$folder/$picture is no PNG"
  done
}

small=(--data "$digits" --epochs 1 --batch-size 64 --seed 3)

"$programs/mnist_autoencoder" "${small[@]}" --latent 16 --learning-rate 0.002 --threads 1 --output new/folder/ae >ae.txt
trained new/folder/ae epoch,train_loss,test_loss,seconds 0.4 reconstruction.png filters.png
grep -qF "$digits" ae.txt || fail "mnist_autoencoder does not say which data it takes"

"$programs/mnist_autoencoder" "${small[@]}" --latent 16 --learning-rate 0.002 --threads 2 --output ae2 --quiet >quiet.txt
[[ ! -s quiet.txt ]] || fail "--quiet prints: $(head -n 1 quiet.txt)"
cmp -s new/folder/ae/model.safetensors ae2/model.safetensors || fail "one thread and two give different models"

"$programs/mnist_vae" "${small[@]}" --latent 4 --output vae --quiet
trained vae epoch,train_loss,test_loss,seconds,test_reconstruction,test_kl 300 \
  reconstruction.png samples.png interpolation.png

"$programs/mnist_vae" "${small[@]}" --latent 2 --output plane --quiet
[[ $(head -n 1 plane/latent_plane.csv) == x,y,label ]] || fail "the points of the latent plane are missing"
is_png plane/manifold.png || fail "plane/manifold.png is no PNG"
# Where gnuplot is installed the numbers become pictures.
if command -v gnuplot >/dev/null; then
  for picture in vae/loss.png plane/latent_plane.png; do is_png "$picture" || fail "$picture is no PNG"; done
fi
[[ $(head -n 1 vae/loss.csv) == '"epoch","train","test"' ]] || fail "vae/loss.csv starts with '$(head -n 1 vae/loss.csv)'"

"$programs/runtime_widths" "${small[@]}" --output widths --quiet
trained widths epoch,train_loss,test_loss,seconds 0.4 reconstruction.png
"$programs/runtime_widths" "${small[@]}" --widths 784 32 4 --variational --output variational --quiet
trained variational epoch,train_loss,test_loss,seconds,test_reconstruction,test_kl 300 reconstruction.png

"$programs/sparse_autoencoder" "${small[@]}" --latent 32 --output sparse --quiet
trained sparse epoch,train_loss,test_loss,seconds,test_reconstruction,test_penalty 0.4 reconstruction.png
"$programs/k_sparse_autoencoder" "${small[@]}" --latent 64 --k 8 --output k_sparse --quiet
trained k_sparse epoch,train_loss,test_loss,seconds 0.08 reconstruction.png
"$programs/contractive_autoencoder" "${small[@]}" --latent 64 --output contractive --quiet
trained contractive epoch,train_loss,test_loss,seconds,test_reconstruction,test_penalty 0.4 \
  reconstruction.png filters.png

# The folder comes from --data, else from the variable, else from data/mnist.
HOURGLASS_MNIST_DIR=$digits "$programs/mnist_autoencoder" --epochs 1 --output variable >variable.txt
grep -qF "$digits" variable.txt || fail "HOURGLASS_MNIST_DIR is not used"
mkdir data
ln -s "$digits" data/mnist
"$programs/mnist_autoencoder" --epochs 1 --output local >local.txt
grep -qF "data: data/mnist" local.txt || fail "data/mnist is not used: $(head -n 1 local.txt)"
finish
