"""Writes events.parquet: the requests of a rollout whose candidate is as good as the champion on the whole, and bad for one platform.

    python generate.py        # needs numpy and pyarrow

Visitors keep their arm while the share goes from 10 % over 25 % to 50 %; some come back. The champion fails 4 % of requests on
every platform. The candidate fails 2 % where the platform is not `ios`, and 12 % where it is (a fifth of the visitors), which is
4 % on the whole. Its latency is 3 % lower.
"""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

ROWS = 9000
START = 1_767_225_600  # 2026-01-01T00:00:00Z

random = np.random.default_rng(2026)
draw = {}  # per visitor: where it falls when it is assigned
home = {}  # per visitor: its platform
columns = {name: [] for name in ["time", "unit", "arm", "share", "error", "latency_ms", "platform"]}
newest = 0
for row in range(ROWS):
    share = [0.1, 0.25, 0.5][min(2, row // 1500)]
    if newest == 0 or random.random() < 0.9:
        newest += 1
        unit = newest
        draw[unit] = random.random()
        home[unit] = random.choice(["web", "android", "ios"], p=[0.5, 0.3, 0.2])
    else:
        unit = int(random.integers(max(1, newest - 500), newest + 1))
    candidate = draw[unit] < share
    platform = home[unit]
    rate = (0.12 if platform == "ios" else 0.02) if candidate else 0.04
    latency = random.lognormal(np.log(80.0), 0.35) * (0.97 if candidate else 1.0)
    columns["time"].append(START + row // 4)
    columns["unit"].append(unit)
    columns["arm"].append("candidate" if candidate else "champion")
    columns["share"].append(share)
    columns["error"].append(int(random.random() < rate))
    columns["latency_ms"].append(int(round(latency)))
    columns["platform"].append(platform)

schema = pa.schema(
    [
        ("time", pa.timestamp("ms", tz="UTC")),
        ("unit", pa.int32()),
        ("arm", pa.string()),
        ("share", pa.float64()),
        ("error", pa.int8()),
        ("latency_ms", pa.int16()),
        ("platform", pa.string()),
    ]
)
columns["time"] = [1000 * second for second in columns["time"]]
table = pa.table(columns, schema=schema)
pq.write_table(
    table,
    "events.parquet",
    compression="zstd",
    compression_level=19,
    use_dictionary=["arm", "share", "error", "platform", "latency_ms"],
    column_encoding={"time": "DELTA_BINARY_PACKED", "unit": "DELTA_BINARY_PACKED"},
)
