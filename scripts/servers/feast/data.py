"""Writes driver_stats.parquet, the rows of README.md, into the working directory."""

from datetime import datetime, timezone

import pyarrow as pa
import pyarrow.parquet as pq


def at(day, hour, minute=0):
    return datetime(2025, 6, day, hour, minute, tzinfo=timezone.utc)


# driver_id, event_timestamp, created, conv_rate, trips
ROWS = [
    (1, at(2, 10), at(2, 10, 1), 1.0, 10),
    (1, at(2, 10), at(3, 12), 99.0, 990),
    (2, at(2, 10), at(2, 10, 1), 2.0, 20),
    (3, at(1, 10), at(1, 10, 1), 3.0, 30),
    (4, at(2, 9, 30), at(2, 9, 31), 4.0, 40),
    (5, at(2, 10), at(2, 10, 1), None, 50),
    (6, at(2, 11), at(2, 11, 1), 6.0, 60),
    (7, at(2, 10), at(2, 10, 1), 7.0, 70),
]

SCHEMA = pa.schema(
    [
        ("driver_id", pa.int64()),
        ("event_timestamp", pa.timestamp("us", tz="UTC")),
        ("created", pa.timestamp("us", tz="UTC")),
        ("conv_rate", pa.float64()),
        ("trips", pa.int64()),
    ]
)

columns = [list(column) for column in zip(*ROWS, strict=True)]
pq.write_table(pa.table(columns, schema=SCHEMA), "driver_stats.parquet")
