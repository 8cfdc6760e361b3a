import contextlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from components.pusher.availability import AVAILABLE, UNREACHABLE, NotServedError, wait_until_available


def status(version: int, state: str, message: str = "") -> dict:
    one = {"version": str(version), "state": state, "status": {"error_code": "OK", "error_message": message}}
    return {"model_version_status": [one]}


@contextlib.contextmanager
def server(*answers: dict | int):
    """A status path that gives these answers (a number is an error status), the last one for ever."""
    left = list(answers)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            answer = left.pop(0) if len(left) > 1 else left[0]
            known = self.path == "/v1/models/everlearn" and isinstance(answer, dict)
            self.send_response(200 if known else 404)
            self.end_headers()
            self.wfile.write(json.dumps(answer).encode())

        def log_message(self, *arguments):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()


def test_waits_until_the_version_is_available():
    with server(404, status(1, "AVAILABLE"), status(2, "LOADING"), status(2, "AVAILABLE")) as url:
        assert wait_until_available(url, 2, wait_seconds=10) == AVAILABLE


def test_without_a_server_there_is_nothing_to_wait_for():
    assert wait_until_available(None, 1, wait_seconds=10) == UNREACHABLE
    with server(404) as url:
        pass
    assert wait_until_available(url, 1, wait_seconds=10) == UNREACHABLE


def test_a_version_that_the_server_gave_up_is_an_error():
    with server(status(2, "END", "no such op")) as url, pytest.raises(NotServedError, match="no such op"):
        wait_until_available(url, 2, wait_seconds=10)


def test_waiting_is_bounded():
    with server(status(1, "AVAILABLE")) as url, pytest.raises(NotServedError, match=r"after 0\.3 s"):
        wait_until_available(url, 2, wait_seconds=0.3)
