"""Data is paged in by the system: what the feed and the look at the data hold does not grow with its bytes."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from hrm_ray import settings
from hrm_ray.prepare.shards import TOKENISED, part_name
from tests.train.conftest import VOCABULARY, run_config, write_dataset

WINDOW = 4096
DOCUMENTS, PARTS = 1250, 8
"""Of nearly a window each, in each of the parts: 8 x 20 MB of tokens."""

READS_ALL = textwrap.dedent("""
    import json, sys
    from pathlib import Path
    from hrm_ray import settings
    from hrm_ray.train.examine import examine
    from hrm_ray.train.feed import open_feed

    def anonymous():
        lines = Path("/proc/self/smaps_rollup").read_text("ascii").splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("Anonymous:"))

    config = settings.load(Path(sys.argv[1]))
    feed = open_feed(config)
    feed.micro_batches(0)
    before = anonymous()
    examine(config)
    examined = anonymous()
    seen = sum(len(batch.ids) for position in range(feed.horizon) for batch in feed.micro_batches(position))
    print(json.dumps({"tokens": seen, "examined": examined - before, "read": anonymous() - before}))
""")


def write_part(path: Path, seed: int) -> None:
    """Write a part of random tokens, quickly."""
    random = np.random.default_rng(seed)
    each = {"problem_ids": 400, "context_ids": 1600, "plan_ids": 400, "code_ids": 1600}
    columns: dict[str, pa.Array[Any]] = {
        name: pa.nulls(DOCUMENTS, TOKENISED.field(name).type) for name in TOKENISED.names
    }
    for name, length in each.items():
        values = random.integers(0, VOCABULARY, DOCUMENTS * length, np.int32)
        offsets = np.arange(0, len(values) + 1, length, dtype=np.int32)
        columns[name] = pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), pa.array(values))
    columns["id"] = pa.array([f"{seed}-{index}" for index in range(DOCUMENTS)])
    columns["weight"] = pa.array(np.ones(DOCUMENTS, np.float32))
    columns |= {name: pa.array(np.ones(DOCUMENTS, np.int32)) for name in ("plan_bytes", "code_bytes")}
    with pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, TOKENISED) as writer:
        writer.write_batch(pa.RecordBatch.from_arrays(list(columns.values()), schema=TOKENISED))


def test_reading_data_holds_none_of_it(tmp_path: Path) -> None:
    data = write_dataset(tmp_path / "data")
    for part in range(PARTS):
        write_part(data / "train" / part_name(part), part)
    card = json.loads((data / "dataset.json").read_text())
    card["settings"]["prepare"]["window"] = WINDOW
    (data / "dataset.json").write_text(json.dumps(card))
    config = run_config(data, tmp_path, epochs=1, no_plan=0.0, judge_rows=0, losses={"refinement": 0})
    file = tmp_path / "run.yaml"
    tree = config.model_copy(update={"prepare": config.prepare.model_copy(update={"window": WINDOW})})
    file.write_text(settings.dump(tree))
    done = subprocess.run([sys.executable, "-c", READS_ALL, str(file)], check=True, capture_output=True, timeout=120)
    grown = json.loads(done.stdout)
    held = DOCUMENTS * PARTS * 4000 * 4
    assert grown["tokens"] * 4 >= held == 160_000_000
    assert grown["examined"] < held / 40
    assert grown["read"] < held / 20
