# What the tests of the example programs share.   usage of each: NAME_test.sh FOLDER_OF_PROGRAMS DIGITS WORK
# shellcheck shell=bash disable=SC2034
set -euo pipefail
programs=$1
digits=$2
work=$3
failures=0
unset HOURGLASS_MNIST_DIR
if ! compgen -G "$digits/train-images*" >/dev/null; then
  echo "SKIPPED: there are no digits in $digits"
  exit 0
fi
rm -rf "$work"
mkdir -p "$work"
cd "$work"

require_programs() {
  local name
  for name in "$@"; do [[ -x $programs/$name ]] || { echo "FAILED: $programs/$name does not exist" && exit 1; }; done
}
fail() {
  echo "FAILED: $*"
  failures=$((failures + 1))
}
finish() {
  ((failures == 0)) || exit 1
  echo "ok"
}
