"""A receiver of webhooks: an HTTP server that does with each request what it was told to do."""

import http.server
import json
import ssl
import threading
import time

HANG = "hang"


class Receiver:
    """`script`: a status or HANG for each request; what comes after it gets 200. `certificate`: the files of
    certificate and key, for https."""

    def __init__(self, script=(), certificate=None):
        self.script = list(script)
        self.requests = []  # (status or HANG, path, headers, notification), as they came
        self._lock = threading.Lock()
        self._ended = threading.Event()
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):  # noqa: N802
                receiver._take(self)

            def log_message(self, *_):
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*certificate)
            # Shaken hands in the connection's own thread: one that fails must not end the server.
            self._server.socket = context.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )
        scheme = "https" if certificate else "http"
        self.token = "T0K3N"
        self.url = f"{scheme}://127.0.0.1:{self._server.server_port}/hooks/{self.token}"

    def __enter__(self):
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_):
        self._ended.set()
        self._server.shutdown()
        self._server.server_close()

    def _take(self, request):
        body = request.rfile.read(int(request.headers["Content-Length"]))
        with self._lock:
            status = self.script.pop(0) if self.script else 200
            self.requests.append((status, request.path, dict(request.headers), json.loads(body)))
        if status == HANG:
            self._ended.wait(60)
            return
        request.send_response(status)
        request.send_header("Content-Length", "0")
        request.end_headers()

    @property
    def notifications(self):
        """Those that were taken."""
        with self._lock:
            return [notification for status, _, _, notification in self.requests if status == 200]

    def events(self):
        return [notification["event"] for notification in self.notifications]

    def wait_events(self, events, timeout=60):
        deadline = time.monotonic() + timeout
        while self.events() != events:
            assert time.monotonic() < deadline, (self.events(), events)
            time.sleep(0.02)
        return self.notifications
