# What the scripts beside this folder share. Sourced, never run.
# shellcheck shell=bash

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
readonly here
# Where installed servers are kept between runs.
readonly installed=${NOOPS_SERVERS:-${XDG_CACHE_HOME:-${HOME:-~}/.cache}/noops-servers}

die() {
    printf '%s: %s\n' "${0##*/}" "$*" >&2
    exit 1
}

apt_install() {
    command -v apt-get >/dev/null || return 1
    local as_root=()
    if ((EUID != 0)); then
        command -v sudo >/dev/null || return 1
        as_root=(sudo)
    fi
    {
        "${as_root[@]}" apt-get update -qq &&
            "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@"
    } >&2
}

# A Python that every pinned package has wheels for and that can make virtual environments.
find_python() {
    local candidate
    for candidate in ${NOOPS_PYTHON:-python3 /usr/bin/python3 python3.12 python3.13 python3.11}; do
        if "$candidate" -c 'import ensurepip, sys, venv; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null; then
            command -v "$candidate"
            return
        fi
    done
    return 1
}

python=$(find_python) || {
    apt_install python3 python3-venv || true
    python=$(find_python)
} || die 'Python 3.11, 3.12 or 3.13 with venv is needed; install python3 and python3-venv, or name one in NOOPS_PYTHON'
readonly python

# venv NAME PACKAGE==PIN [PIP OPTION]...: prints a virtual environment with just what requirements/NAME.txt pins. The mark
# of a complete one is written last, so that an interrupted installation is done again.
venv() {
    local name=$1 package=$2
    shift 2
    local wanted=$here/requirements/$name.txt home=$installed/$name-${package##*==}
    mkdir -p "$installed"
    (
        flock 9
        if ! cmp -s "$wanted" "$home.complete" || ! "$home/bin/python" -c '' 2>/dev/null; then
            printf '%s: installing %s (once, into %s)\n' "${0##*/}" "$package" "$home"
            install_into_home "$wanted" "$home" "$@"
        fi
    ) 9>"$installed/$name.lock" >&2 || die "$package could not be installed into $home"
    printf '%s\n' "$home"
}

# Joined by `&&`: where the caller asks for the status, `set -e` is not in force.
install_into_home() {
    local wanted=$1 home=$2
    shift 2
    rm -rf "$home" "$home.complete" &&
        "$python" -m venv "$home" &&
        "$home/bin/python" -m pip install -q --disable-pip-version-check "$@" -r "$wanted" &&
        cp "$wanted" "$home.complete.partial" &&
        mv "$home.complete.partial" "$home.complete"
}

# serve OPTION... -- SERVER... -- COMMAND...: see serve.py.
serve() {
    exec "$python" -B "$here/serve.py" --name "${0##*/}" "$@"
}
