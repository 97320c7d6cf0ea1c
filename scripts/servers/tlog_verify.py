"""tlog_verify.py DIRECTORY VERIFIER_KEY_FILE: a log in the C2SP tlog-tiles layout, checked whole by aics-tlog.

The signature of DIRECTORY/checkpoint under the verifier key, then every tile and every entry against the root that was
signed. Prints `verified N entries`, or the reason why not and exits with status 1.
"""

import sys
from pathlib import Path

from aics_tlog import (
    FileSystemTileReader,
    TileMissingError,
    TileVerificationError,
    audit_tiles,
    parse_note,
    read_vkey_file,
    verify_checkpoint,
)


def verify(directory, key_file):
    key = read_vkey_file(key_file.read_text(encoding="utf-8"))
    note = parse_note((directory / "checkpoint").read_bytes())
    # A log signs under its own name: the key's is the origin.
    head = verify_checkpoint(note, key, expected_origin=key.name)
    if not head.ok:
        raise ValueError(f"checkpoint: {head.error}")
    audit_tiles(FileSystemTileReader(directory), head.size, head.root)
    return head.size


def main():
    directory, key_file = Path(sys.argv[1]), Path(sys.argv[2])
    try:
        size = verify(directory, key_file)
    except (OSError, ValueError, TileMissingError, TileVerificationError) as problem:
        sys.exit(f"tlog-verify: {problem}")
    print(f"verified {size} entries")


main()
