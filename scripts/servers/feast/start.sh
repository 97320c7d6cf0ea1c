#!/usr/bin/env bash
# start.sh HOME DIRECTORY ONLINE_PORT FLIGHT_PORT: a feature repository with its data, served online and offline.
set -euo pipefail

programs=$1/bin
directory=$2
online=$3
flight=$4
repository=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

export PATH=$programs:$PATH FEAST_USAGE=False PYTHONDONTWRITEBYTECODE=1
cp "$repository"/{feature_store.yaml,definitions.py} "$directory"
cd "$directory"
"$programs/python" "$repository/data.py"
"$programs/feast" apply
"$programs/feast" materialize 2025-06-01T00:00:00 2025-06-03T00:00:00

"$programs/feast" serve --host 127.0.0.1 --port "$online" --workers 1 --no-access-log &
"$programs/feast" serve_offline --host 127.0.0.1 --port "$flight" &
# Either one's end is the end of both.
wait -n
