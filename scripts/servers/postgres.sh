#!/usr/bin/env bash
# postgres.sh PROGRAMS DIRECTORY PORT [USER]: a new cluster with a database `noops`, and its server.
set -euo pipefail

programs=$1
directory=$2
port=$3
as=()
if (($# > 3)); then
    chown "$4" "$directory"
    as=(runuser -u "$4" --)
fi

cd "$directory"
export LC_ALL=C
password=$directory/password
printf 'password\n' >"$password"
# Also where files are made for their owner alone.
if (($# > 3)); then
    chown "$4" "$password"
fi
"${as[@]}" "$programs/initdb" --pgdata="$directory/data" --username=user --pwfile="$password" \
    --auth=scram-sha-256 --encoding=UTF8 --no-locale --no-sync
echo 'CREATE DATABASE noops;' | "${as[@]}" "$programs/postgres" --single -D "$directory/data" postgres

announce() {
    until PGPASSWORD=password PGCONNECT_TIMEOUT=5 "$programs/psql" -qAtX -h 127.0.0.1 -p "$port" -U user -d noops -c 'SELECT 1'; do
        sleep 0.1
    done
    touch "$directory/ready"
}
announce &

exec "${as[@]}" "$programs/postgres" -D "$directory/data" -h 127.0.0.1 -p "$port" -k "$directory" \
    -c fsync=on -c max_connections=300
