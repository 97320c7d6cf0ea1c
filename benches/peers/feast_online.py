"""Online reads of a hundred features from Feast: feast_online.py [--calls N] [--entities N]

Run it with a Python that has feast, such as the one that `scripts/with-feast` installs. Makes a feature repository with
a hundred numbers per entity in SQLite, in a folder of its own, and reads them in this process and through
`feast serve`, which it starts on a free port and stops again. Prints one line of JSON for each way of reading.
"""

import argparse
import datetime
import os
import pathlib
import random
import signal
import socket
import subprocess
import sys
import tempfile
import time

from latency import Server, measure


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=1000)
    parser.add_argument("--entities", type=int, default=1000)
    arguments = parser.parse_args()
    os.environ["FEAST_USAGE"] = "False"
    with tempfile.TemporaryDirectory(prefix="noops-bench-feast-") as folder:
        repository = pathlib.Path(folder)
        store, version = prepare(repository, arguments.entities)
        generator = random.Random(10)
        features = [f"wide:{name}" for name in NAMES]

        def read_here() -> None:
            key = generator.randrange(arguments.entities)
            found = store.get_online_features(features=features, entity_rows=[{"key": key}]).to_dict()
            check(key, {name: found[name][0] for name in NAMES})

        measure(f"feast {version}", OPERATION, "sqlite in process", arguments.calls, read_here)
        serve(repository, arguments, features, version, generator)


def serve(repository: pathlib.Path, arguments, features: list[str], version: str, generator: random.Random) -> None:
    port = free_port()
    program = pathlib.Path(sys.executable).parent / "feast"
    command = [str(program), "serve", "--host", "127.0.0.1", "--port", str(port), "--workers", "1", "--no-access-log"]
    with open(repository / "serve.log", "wb") as log:
        # In a session of its own, so that its workers end with it.
        process = subprocess.Popen(command, cwd=repository, stdout=log, stderr=log, start_new_session=True)
    try:
        server = Server(f"http://127.0.0.1:{port}")
        wait_until_healthy(server, process, repository / "serve.log")

        def read_there() -> None:
            key = generator.randrange(arguments.entities)
            body = {"features": features, "entities": {"key": [key]}}
            status, reply = server.call("POST", "/get-online-features", body)
            if status != 200:
                sys.exit(f"get-online-features answered {status}: {reply}")
            names = reply["metadata"]["feature_names"]
            check(key, {name: column["values"][0] for name, column in zip(names, reply["results"])})

        measure(f"feast {version}", OPERATION, "sqlite behind REST", arguments.calls, read_there)
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(timeout=15)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def prepare(repository: pathlib.Path, entities: int):
    import feast
    import pandas
    from feast import Entity, FeatureStore, FeatureView, Field, FileSource, ValueType
    from feast.types import Float64

    (repository / "feature_store.yaml").write_text(CONFIGURATION)
    now = datetime.datetime.now(datetime.timezone.utc)
    rows = pandas.DataFrame({"key": range(entities), "event_timestamp": now})
    for feature, name in enumerate(NAMES):
        rows[name] = [value(key, feature) for key in range(entities)]
    # The columns one by one make pandas slow.
    rows = rows.copy()
    rows.to_parquet(repository / "wide.parquet")

    source = FileSource(name="wide", path=str(repository / "wide.parquet"), timestamp_field="event_timestamp")
    entity = Entity(name="key", join_keys=["key"], value_type=ValueType.INT64)
    view = FeatureView(
        name="wide",
        entities=[entity],
        ttl=datetime.timedelta(days=1),
        schema=[Field(name=name, dtype=Float64) for name in NAMES],
        source=source,
    )
    store = FeatureStore(repo_path=str(repository))
    store.apply([source, entity, view])
    store.write_to_online_store("wide", rows)
    return store, feast.__version__


def wait_until_healthy(server: Server, process: subprocess.Popen, log: pathlib.Path) -> None:
    for _ in range(240):
        if process.poll() is not None:
            sys.exit(f"feast serve ended: {log.read_text()[-2000:]}")
        try:
            status, _ = server.call("GET", "/health")
            if status == 200:
                return
        except (OSError, ValueError):
            server.close()
        time.sleep(0.5)
    sys.exit("feast serve did not become healthy within two minutes")


def check(key: int, found: dict) -> None:
    for feature, name in enumerate(NAMES):
        if found[name] != value(key, feature):
            sys.exit(f"feast answered {found[name]} for {name} of {key} instead of {value(key, feature)}")


def value(key: int, feature: int) -> float:
    return key + feature / 128


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


NAMES = [f"f{feature:02}" for feature in range(100)]
OPERATION = "online of 100 features"
CONFIGURATION = """\
project: bench
registry: registry.db
provider: local
online_store:
  type: sqlite
  path: online.db
offline_store:
  type: file
entity_key_serialization_version: 3
"""


if __name__ == "__main__":
    main()
