"""polars `join_asof` over the data that the program `as_of` wrote: polars_asof.py DIR [--repeat N] [--threads N]

Without --threads the join runs once with one thread and once with all, each in a process of its own, because polars
reads POLARS_MAX_THREADS when it is imported. Prints one line of JSON for each. All rows are in memory before, the
tables are in order of time, and only the join is timed. Fails when the answers are not those of `expected.json`.
"""

import argparse
import json
import os
import pathlib
import subprocess
import sys
import time


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("directory", type=pathlib.Path)
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--threads", type=int)
    arguments = parser.parse_args()
    if arguments.threads is not None:
        print(json.dumps(join(arguments.directory, arguments.repeat, arguments.threads)))
        return
    for threads in dict.fromkeys([1, os.cpu_count() or 1]):
        command = [sys.executable, __file__, str(arguments.directory), "--repeat", str(arguments.repeat)]
        environment = os.environ | {"POLARS_MAX_THREADS": str(threads)}
        subprocess.run([*command, "--threads", str(threads)], check=True, env=environment)


def join(directory: pathlib.Path, repeat: int, threads: int) -> dict:
    os.environ["POLARS_MAX_THREADS"] = str(threads)
    import polars

    expected = json.loads((directory / "expected.json").read_text())
    if expected["late_seconds"] != 0:
        sys.exit("polars joins on one time: write the data without --late-seconds")
    # One chunk, the layout that polars likes best.
    features = polars.read_parquet(directory / "features.parquet").drop("known_at").rechunk()
    entities = polars.read_parquet(directory / "entities.parquet").rechunk()
    features = features.set_sorted("event_time")
    entities = entities.set_sorted("time")
    names = [name for name in features.columns if name not in ("key", "event_time")]

    fastest = float("inf")
    for _ in range(repeat):
        start = time.perf_counter()
        joined = entities.join_asof(
            features,
            left_on="time",
            right_on="event_time",
            by="key",
            strategy="backward",
            tolerance=f"{expected['ttl_microseconds']}us",
            check_sortedness=False,
        )
        fastest = min(fastest, time.perf_counter() - start)

    present = joined.height - joined[names[0]].null_count()
    total = sum(joined[name].sum() for name in names)
    agrees = present == expected["present"] and abs(total - expected["sum"]) <= 1e-9 * expected["sum"]
    if not agrees:
        sys.exit(f"polars found {present} rows and the sum {total}; {expected['present']} and {expected['sum']} were expected")
    return {
        "implementation": f"polars {polars.__version__}",
        "operation": "as-of join",
        "held": True,
        "threads": polars.thread_pool_size(),
        "feature_rows": features.height,
        "entity_rows": entities.height,
        "features": len(names),
        "join_seconds": fastest,
        "entity_rows_per_second": entities.height / fastest,
        "feature_rows_per_second": features.height / fastest,
        "peak_memory_mib": peak_memory(),
        "present": present,
    }


def peak_memory() -> int | None:
    status = pathlib.Path("/proc/self/status")
    if not status.exists():
        return None
    line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) >> 10


if __name__ == "__main__":
    main()
