"""What runs below a process, read from /proc."""

import os
from pathlib import Path


def descendants(root):
    """Every process below `root`, whatever its process group and session."""
    return [pid for pid, _ in _below(root)]


def descendants_in_session(root):
    """`root` and every process below it that has stayed in this session."""
    own = os.getsid(0)
    return [root] + [pid for pid, session in _below(root) if session == own]


def _below(root):
    children = {}
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            # The name in parentheses may itself hold spaces and parentheses.
            fields = (entry / "stat").read_text(errors="replace").rpartition(")")[2].split()
        except OSError:
            continue
        if len(fields) > 3:
            children.setdefault(int(fields[1]), []).append((int(entry.name), int(fields[3])))
    found, open_ends = [], [root]
    while open_ends:
        below = children.get(open_ends.pop(), [])
        found.extend(below)
        open_ends.extend(pid for pid, _ in below)
    return found
