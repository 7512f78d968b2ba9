#!/usr/bin/env bash
# Checks and measurements on a CUDA device: model tests in bf16, speed tables beside transformers' class, a short real
# training, the same by one Ray Train worker at ZeRO stages 1 and 3, and compiled.
# Written, never run: no GPU was lent yet (docs/log.md says when that changes).
set -euo pipefail
cd "$(dirname "$0")/.."
PYTHON=${PYTHON:-.venv/bin/python}
"$PYTHON" -c 'import torch; assert torch.cuda.is_available(), "no CUDA device"; print(torch.__version__, torch.cuda.get_device_name())'
"$PYTHON" -m pytest tests/model/test_cuda.py
"$PYTHON" -m hrm_ray collect experiments/demo.yaml
"$PYTHON" -m hrm_ray prepare experiments/demo.yaml
"$PYTHON" benchmarks/train_step.py experiments/demo.yaml --size 5M --size small --size base --threads 1 --rows 16
"$PYTHON" benchmarks/generate.py --size small
"$PYTHON" -m hrm_ray train experiments/demo.yaml --set train.device=cuda --set train.workers=0
"$PYTHON" -m hrm_ray train experiments/demo.yaml --set train.device=cuda --set train.workers=0 --set train.compile=true --set name=demo-compiled
for stage in 1 3; do
  "$PYTHON" -m hrm_ray train experiments/demo.yaml --set train.device=cuda --set train.workers=1 --set train.zero_stage=$stage --set name=demo-zero$stage
done
"$PYTHON" -m hrm_ray evaluate runs/demo
