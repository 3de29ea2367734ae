#!/usr/bin/env bash
# The examples that use labels beat guessing on the committed digits and leave what they promise.
# shellcheck source=common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
require_programs stacked_autoencoder transfer_learning mnist_autoencoder

column() { # file name: that column of the last line
  awk -F , -v name="$2" 'NR == 1 { for (i = 1; i <= NF; ++i) if ($i == name) c = i } END { print $c }' "$1"
}
between() { # value low high what
  awk -v value="$1" -v low="$2" -v high="$3" 'BEGIN { exit !(value != "" && value > low && value < high) }' ||
    fail "$4 is '$1', not in ($2, $3)"
}

"$programs/stacked_autoencoder" --data "$digits" --epochs 2 --batch-size 64 --widths 128 32 --fine-tuning 10 --learning-rate 0.004 --seed 3 \
  --output stacked --quiet >quiet.txt
[[ ! -s quiet.txt ]] || fail "stacked_autoencoder --quiet prints: $(head -n 1 quiet.txt)"
between "$(column stacked/layer1.csv train_loss)" 0 0.3 "loss of the first layer"
between "$(column stacked/layer2.csv train_loss)" 0.5 1.1 "loss of the second layer"
between "$(column stacked/metrics.csv test_accuracy)" 0.5 1.01 "accuracy"
[[ -s stacked/denoised.png ]] || fail "there is no picture of denoised digits"
[[ -s stacked/classifier.safetensors ]] || fail "the classifier is not saved"

"$programs/transfer_learning" --data "$digits" --epochs 5 --labelled 500 --seed 3 --output transfer >transfer.txt
between "$(column transfer/linear_probe.csv test_accuracy)" 0.4 1.01 "accuracy of the linear probe"
between "$(column transfer/fine_tuning.csv test_accuracy)" "$(column transfer/linear_probe.csv test_accuracy)" 1.01 \
  "accuracy after fine-tuning"
grep -q '^linear_probe: [0-9.]* % correct$' transfer.txt || fail "the accuracy is not printed"

# Weights saved by another example are as good as those of its own first stage; another width is refused.
"$programs/mnist_autoencoder" --data "$digits" --epochs 1 --output ae --quiet
"$programs/transfer_learning" --data "$digits" --epochs 1 --labelled 500 --pretrained ae/model.safetensors --output from --quiet
[[ -s from/classifier.safetensors && ! -e from/model.safetensors ]] || fail "--pretrained is not used"
if "$programs/transfer_learning" --data "$digits" --epochs 1 --latent 8 --pretrained ae/model.safetensors --output no 2>err.txt >/dev/null; then
  fail "an encoder of another width is taken"
fi
grep -q '0.2.weight\|2.weight is (8, 256)' err.txt || fail "the error does not name the tensor: $(cat err.txt)"
finish
