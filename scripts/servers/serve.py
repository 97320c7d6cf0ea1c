"""Starts a server on free loopback ports, runs a command that wants it, stops the server.

serve.py --name NAME --label LABEL [--port PORT]... --ready CONDITION... --set VARIABLE=VALUE... -- SERVER... -- COMMAND...

`{PORT}` stands for the number of a port and `{directory}` for the server's own, fresh directory. A CONDITION is a URL
that answers 200, `tcp:PORT` that accepts, or `file:PATH` that exists. The command's exit status is this one's.
"""

import argparse
import http.client
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from processes import descendants_in_session

SUPERVISE = Path(__file__).resolve().parent / "supervise.py"
ATTEMPTS = 4
POLL_SECONDS = 0.1
STOP_SECONDS = 60.0
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
# A unix socket's path may have no more than some 100 bytes, and servers put theirs deep below the directory.
LONGEST_BASE = 24


class Stopped(Exception):
    """A signal asked for the end."""

    def __init__(self, number):
        super().__init__(number)
        self.number = number


class EndedEarly(Exception):
    """The server ended before it was ready, as it does when another took its port."""


class NotReady(Exception):
    """The server was not ready in time."""


def on_signal(number, _frame):
    ignore_signals()
    raise Stopped(number)


def ignore_signals():
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--name", required=True)
    parser.add_argument("--label", required=True)
    parser.add_argument("--port", action="append", default=[])
    parser.add_argument("--ready", action="append", required=True)
    parser.add_argument("--set", action="append", default=[])
    parser.add_argument("--stop-signal", type=int, default=int(signal.SIGTERM))
    parser.add_argument("--deadline", type=float, default=180.0)
    rest = sys.argv[1:]
    first = rest.index("--")
    second = rest.index("--", first + 1)
    options = parser.parse_args(rest[:first])
    options.server, options.command = rest[first + 1 : second], rest[second + 1 :]
    if not options.command:
        sys.exit(f"usage: {options.name} COMMAND [ARGUMENT]...")
    return options


class Port:
    """A port that nobody listened on a moment ago, and that no other copy of this script is given meanwhile."""

    def __init__(self):
        for _ in range(100):
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", 0))
                self.number = probe.getsockname()[1]
                if self._reserve():
                    return
        raise OSError("no free port was found")

    def _reserve(self):
        self._held = None
        if not sys.platform.startswith("linux"):
            return True
        held = socket.socket(socket.AF_UNIX)
        try:
            # An abstract name is a lock that the kernel lets go of with the process.
            held.bind(f"\0noops-port-{self.number}")
        except OSError:
            held.close()
            return False
        self._held = held
        return True

    def release(self):
        if self._held is not None:
            self._held.close()


class Server:
    def __init__(self, options):
        self.ports = {name: Port() for name in options.port}
        base = tempfile.gettempdir()
        self.directory = tempfile.mkdtemp(prefix="noops-", dir=base if len(base) <= LONGEST_BASE else "/tmp")
        self.values = {name: port.number for name, port in self.ports.items()} | {"directory": self.directory}
        self.log = tempfile.TemporaryFile()
        command = [self.fill(part) for part in options.server]
        self.process = subprocess.Popen(
            [sys.executable, "-B", str(SUPERVISE), str(os.getpid()), self.directory, str(options.stop_signal), *command],
            stdin=subprocess.DEVNULL,
            stdout=self.log,
            stderr=self.log,
            start_new_session=True,
        )

    def fill(self, text):
        for name, value in self.values.items():
            text = text.replace(f"{{{name}}}", str(value))
        return text

    def wait_until_ready(self, conditions, deadline):
        for condition in conditions:
            while not holds(self.fill(condition)):
                if self.process.poll() is not None:
                    raise EndedEarly
                if time.monotonic() > deadline:
                    raise NotReady
                time.sleep(POLL_SECONDS)
        # What answered may have been another's server, while this one is about to find its port taken.
        if self.process.poll() is not None:
            raise EndedEarly

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
        self.process.wait()
        # Removed by now, unless the supervisor was killed.
        shutil.rmtree(self.directory, ignore_errors=True)
        for port in self.ports.values():
            port.release()

    def print_log(self):
        self.log.seek(0)
        sys.stderr.write(self.log.read().decode(errors="replace"))
        sys.stderr.flush()


def holds(condition):
    kind, _, rest = condition.partition(":")
    if kind == "file":
        return os.path.exists(rest)
    try:
        if kind == "tcp":
            socket.create_connection(("127.0.0.1", int(rest)), timeout=5).close()
            return True
        direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with direct.open(condition, timeout=5) as answer:
            return answer.status == 200
    except (OSError, ValueError, http.client.HTTPException):
        return False


def start(options):
    """A server that is ready; tried again on other ports when it ends before."""
    began = time.monotonic()
    for attempt in range(1, ATTEMPTS + 1):
        server = Server(options)
        try:
            server.wait_until_ready(options.ready, began + options.deadline)
            say(options, f"starting {options.label}, up after {time.monotonic() - began:.1f} s")
            return server
        except (EndedEarly, NotReady) as problem:
            server.stop()
            if isinstance(problem, NotReady) or attempt == ATTEMPTS:
                server.print_log()
                late = isinstance(problem, NotReady)
                reason = f"was not ready after {options.deadline:.0f} s" if late else "ended before it was ready"
                say(options, f"{options.label} {reason}")
                sys.exit(1)
        except BaseException:
            ignore_signals()
            server.stop()
            raise
    raise AssertionError("every attempt returns or ends")


def environment(options, server):
    variables = dict(os.environ)
    for assignment in options.set:
        name, _, value = assignment.partition("=")
        variables[name] = server.fill(value)
    for name in ("no_proxy", "NO_PROXY"):
        variables[name] = ",".join(filter(None, (variables.get(name), "127.0.0.1", "localhost")))
    return variables


def run(options, server):
    try:
        command = subprocess.Popen(options.command, env=environment(options, server))
    except OSError as error:
        say(options, f"{options.command[0]}: {error.strerror}")
        return 127 if isinstance(error, FileNotFoundError) else 126
    try:
        status = command.wait()
    except Stopped as stopped:
        end(command, stopped.number)
        raise
    if server.process.poll() is not None:
        server.print_log()
        say(options, f"{options.label} ended while the command ran")
    return status if status >= 0 else 128 - status


def end(command, number):
    """Passes the signal on to the command and all it started, and waits for it."""
    for number, seconds in ((number, STOP_SECONDS), (signal.SIGKILL, None)):
        for pid in descendants_in_session(command.pid):
            try:
                os.kill(pid, number)
            except (ProcessLookupError, PermissionError):
                pass
        try:
            command.wait(timeout=seconds)
            return
        except subprocess.TimeoutExpired:
            continue


def say(options, message):
    sys.stderr.write(f"{options.name}: {message}\n")
    sys.stderr.flush()


def main():
    options = arguments()
    for number in SIGNALS:
        signal.signal(number, on_signal)
    try:
        server = start(options)
        try:
            status = run(options, server)
        finally:
            ignore_signals()
            server.stop()
    except Stopped as stopped:
        # Whoever waits for this process learns what ended it.
        signal.signal(stopped.number, signal.SIG_DFL)
        os.kill(os.getpid(), stopped.number)
        status = 128 + stopped.number
    sys.exit(status)


main()
