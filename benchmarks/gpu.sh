#!/usr/bin/env bash
# Checks and measurements on a CUDA device: model tests in bf16, a speed table, a short real training, and the same
# by one Ray Train worker at ZeRO stages 1 and 3.
# Written, never run: no GPU was lent yet (docs/log.md says when that changes).
set -euo pipefail
cd "$(dirname "$0")/.."
PYTHON=${PYTHON:-.venv/bin/python}
"$PYTHON" -c 'import torch; assert torch.cuda.is_available(), "no CUDA device"; print(torch.__version__, torch.cuda.get_device_name())'
"$PYTHON" -m pytest tests/model/test_cuda.py
"$PYTHON" benchmarks/train_step.py --size tiny --size small --size base
"$PYTHON" -m hrm_ray collect experiments/demo.yaml
"$PYTHON" -m hrm_ray prepare experiments/demo.yaml
"$PYTHON" -m hrm_ray train experiments/demo.yaml --set train.device=cuda --set train.workers=0
for stage in 1 3; do
  "$PYTHON" -m hrm_ray train experiments/demo.yaml --set train.device=cuda --set train.workers=1 --set train.zero_stage=$stage --set name=demo-zero$stage
done
"$PYTHON" -m hrm_ray evaluate runs/demo
