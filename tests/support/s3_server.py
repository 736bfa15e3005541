"""An S3 server in this process (moto's), on loopback, once for all tests that ask for it."""

from __future__ import annotations

import logging
import urllib.request
from functools import cache
from uuid import uuid4

import pytest
from moto.server import ThreadedMotoServer


@cache
def endpoint() -> str:
    """Where the server listens; its thread ends with the process."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    _, port = server.get_host_and_port()
    return f"http://127.0.0.1:{port}"


def new_bucket(environment: pytest.MonkeyPatch) -> str:
    """The URL of an artifact store in a bucket of its own, with credentials for it."""
    environment.setenv("AWS_ACCESS_KEY_ID", "test")
    environment.setenv("AWS_SECRET_ACCESS_KEY", "test")
    bucket = f"bucket-{uuid4().hex[:8]}"
    making = urllib.request.Request(f"{endpoint()}/{bucket}", method="PUT")
    with urllib.request.urlopen(making, timeout=60) as answer:
        assert answer.status == 200
    return f"s3://{bucket}/farm/one?endpoint={endpoint()}&region=us-east-1"
