"""Runs a server so that nothing of it outlives the script that wanted it.

supervise.py PARENT DIRECTORY SIGNAL COMMAND...

On Linux this process is the subreaper of the server: whatever the server forks, in whatever process group or session,
stays below it and is found again. It stops the server when told to, when the server ends, and when PARENT dies, even
by SIGKILL, and removes DIRECTORY last. Elsewhere the server's process group has to do.
"""

import ctypes
import os
import shutil
import signal
import subprocess
import sys
import time

from processes import descendants

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
GRACE_SECONDS = 5.0
POLL_SECONDS = 0.02
STOPPING = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class Stopped(Exception):
    pass


def stop(_signal, _frame):
    for number in STOPPING:
        signal.signal(number, signal.SIG_IGN)
    raise Stopped


def adopt():
    if not sys.platform.startswith("linux"):
        return
    libc = ctypes.CDLL(None, use_errno=True)
    for option, value in ((PR_SET_CHILD_SUBREAPER, 1), (PR_SET_PDEATHSIG, signal.SIGTERM)):
        if libc.prctl(option, int(value), 0, 0, 0) != 0:
            raise OSError(ctypes.get_errno(), "prctl failed")


def send(number):
    if sys.platform.startswith("linux"):
        targets = descendants(os.getpid())
    else:
        # Its own group, this process with it, which ignores what it sends by now.
        targets = [0]
    for target in targets:
        try:
            os.kill(target, number)
        except (ProcessLookupError, PermissionError):
            pass


def all_reaped():
    """Collects those that have ended; true when none is left."""
    try:
        while True:
            pid, _ = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return False
    except ChildProcessError:
        return True


def put_down(number):
    if all_reaped():
        return
    send(number)
    deadline = time.monotonic() + GRACE_SECONDS
    while not all_reaped():
        if time.monotonic() > deadline:
            if not sys.platform.startswith("linux"):
                return
            send(signal.SIGKILL)
        time.sleep(POLL_SECONDS)


def run(parent, directory, command):
    if os.getppid() != parent:
        return 1
    server = subprocess.Popen(command, cwd=directory)
    while True:
        pid, status = os.waitpid(-1, 0)
        if pid == server.pid:
            return os.waitstatus_to_exitcode(status) or 1


def main():
    parent, directory, number = int(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    status = 1
    try:
        for stopping in STOPPING:
            signal.signal(stopping, stop)
        adopt()
        status = run(parent, directory, sys.argv[4:])
    except Stopped:
        status = 0
    except OSError as error:
        print(error, file=sys.stderr)
    finally:
        for stopping in STOPPING:
            signal.signal(stopping, signal.SIG_IGN)
        put_down(signal.Signals(number))
        shutil.rmtree(directory, ignore_errors=True)
    sys.exit(status % 256)


main()
