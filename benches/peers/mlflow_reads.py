"""Reads of a model registry behind MLflow's REST interface: mlflow_reads.py [--calls N] [--versions N]

The server's address is in NOOPS_MLFLOW_URL, as `scripts/with-mlflow` sets it. Makes a model with versions and moves an
alias from one to the next, as the benchmark of ours does, then reads. Prints one line of JSON for each kind of call.
"""

import argparse
import os
import secrets
import sys

from latency import Server, measure


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=1000)
    parser.add_argument("--versions", type=int, default=100)
    arguments = parser.parse_args()
    url = os.environ.get("NOOPS_MLFLOW_URL") or sys.exit("NOOPS_MLFLOW_URL is not set: run this under scripts/with-mlflow")
    server = Server(url)
    name = f"bench-{secrets.token_hex(4)}"

    def post(path: str, body: dict) -> dict:
        status, reply = server.call("POST", PREFIX + path, body)
        if status != 200:
            sys.exit(f"{path} answered {status}: {reply}")
        return reply

    def get(path: str) -> dict:
        status, reply = server.call("GET", PREFIX + path)
        if status != 200:
            sys.exit(f"{path} answered {status}: {reply}")
        return reply

    post("registered-models/create", {"name": name})
    for number in range(1, arguments.versions + 1):
        tags = [{"key": key, "value": value} for key, value in TAGS]
        post("model-versions/create", {"name": name, "source": f"s3://models/{number}", "tags": tags})
        post("registered-models/alias", {"name": name, "alias": "champion", "version": str(number)})

    def read_model() -> None:
        check(get(f"registered-models/get?name={name}")["registered_model"]["name"], name)

    def read_version() -> None:
        version = str(arguments.versions // 2 + 1)
        check(get(f"model-versions/get?name={name}&version={version}")["model_version"]["version"], version)

    def read_alias() -> None:
        found = get(f"registered-models/alias?name={name}&alias=champion")
        check(found["model_version"]["version"], str(arguments.versions))

    for operation, call in [
        ("registered-models/get", read_model),
        ("model-versions/get", read_version),
        ("registered-models/alias", read_alias),
    ]:
        measure("mlflow", operation, "sqlite behind REST", arguments.calls, call)
    server.call("DELETE", PREFIX + "registered-models/delete", {"name": name})


def check(found: str, expected: str) -> None:
    if found != expected:
        sys.exit(f"mlflow answered {found} instead of {expected}")


PREFIX = "/api/2.0/mlflow/"
# As much beside the version as ours keeps.
TAGS = [("auc", "0.74"), ("brier", "0.15"), ("log-loss", "0.46"), ("trees", "400"), ("depth", "6"), ("rate", "0.05")]


if __name__ == "__main__":
    main()
