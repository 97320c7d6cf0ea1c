"""What the programs that measure single calls share."""

import http.client
import json
import math
import time
import urllib.parse


class Server:
    """One connection that is kept open, so that a call costs one round trip."""

    def __init__(self, url: str) -> None:
        parts = urllib.parse.urlsplit(url)
        self._path = parts.path.rstrip("/")
        self._connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=30)

    def call(self, method: str, path: str, body: dict | None = None) -> tuple[int, dict]:
        data = None if body is None else json.dumps(body)
        headers = {} if body is None else {"Content-Type": "application/json"}
        self._connection.request(method, self._path + path, data, headers)
        reply = self._connection.getresponse()
        text = reply.read()
        return reply.status, as_json(text)

    def close(self) -> None:
        """The next call opens a connection again."""
        self._connection.close()


def as_json(text: bytes) -> dict:
    """Health checks answer with a word or with nothing."""
    try:
        return json.loads(text)
    except ValueError:
        return {}


def measure(implementation: str, operation: str, store: str, calls: int, call) -> None:
    """Makes calls, a tenth more of them before, and prints how long they took as one line of JSON."""
    for _ in range(calls // 10):
        call()
    spent = []
    for _ in range(calls):
        start = time.perf_counter()
        call()
        spent.append(time.perf_counter() - start)
    spent.sort()
    line = {
        "implementation": implementation,
        "operation": operation,
        "store": store,
        "calls": calls,
        "p50_microseconds": rank(spent, 0.5) * 1e6,
        "p99_microseconds": rank(spent, 0.99) * 1e6,
        "max_microseconds": spent[-1] * 1e6,
        "per_second": calls / sum(spent),
    }
    print(json.dumps(line), flush=True)


def rank(ordered: list[float], share: float) -> float:
    """The smallest time that a share of the calls did not exceed."""
    return ordered[max(math.ceil(share * len(ordered)) - 1, 0)]
