#!/usr/bin/env bash
# Runs pytorch_test.py with the first Python here that has PyTorch.
set -euo pipefail
for python in python3 /usr/bin/python3; do
  if "$python" -c 'import torch' 2>/dev/null; then
    exec "$python" "$(dirname "${BASH_SOURCE[0]}")/pytorch_test.py" "$@"
  fi
done
echo "SKIPPED: PyTorch is not installed (python3-torch)"
