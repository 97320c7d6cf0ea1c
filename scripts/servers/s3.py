"""S3 as moto plays it: s3.py PORT BUCKET READY

One request at a time: S3 decides a conditional put in one step, moto looks first and writes later, and threads between
the two could let both of two writers win.
"""

import io
import os
import sys
import threading
from pathlib import Path

os.environ |= {"AWS_ACCESS_KEY_ID": "noops-test", "AWS_SECRET_ACCESS_KEY": "noops-test-secret"}

import boto3  # noqa: E402
from moto.server import DomainDispatcherApplication, create_backend_app  # noqa: E402
from werkzeug.serving import make_server  # noqa: E402


class OneAtATime:
    def __init__(self, application):
        self.application = application
        self.turn = threading.Lock()

    def __call__(self, environ, start_response):
        # A slow sender holds up nobody: its body is read before it takes its turn.
        length = int(environ.get("CONTENT_LENGTH") or 0)
        if length > 0:
            environ["wsgi.input"] = io.BytesIO(environ["wsgi.input"].read(length))
        with self.turn:
            return list(self.application(environ, start_response))


def main():
    port, bucket, ready = int(sys.argv[1]), sys.argv[2], Path(sys.argv[3])
    server = make_server("127.0.0.1", port, OneAtATime(DomainDispatcherApplication(create_backend_app)), threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    client = boto3.client("s3", endpoint_url=f"http://127.0.0.1:{port}", region_name="us-east-1")
    client.create_bucket(Bucket=bucket)
    ready.touch()
    threading.Event().wait()


main()
