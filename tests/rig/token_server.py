"""An authorization server: who shows it a client's id and secret gets a signed token (OAuth 2.0, client
credentials). Tokens are got over TLS; brokers get the keys to check them with by plain HTTP."""

import base64
import http.server
import json
import ssl
import subprocess
import threading
import time
import urllib.parse

AUDIENCE = "kafka"


def _encoded(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class TokenServer:
    """`certificate`: the files of certificate and key; `clients`: {id: secret}; a client's id is the
    name that the broker knows it by; `lifetime`: seconds."""

    def __init__(self, directory, certificate, clients, lifetime=3600):
        directory.mkdir()
        self._key = directory / "signing.key"
        self._clients = clients
        self.lifetime, self.audience = lifetime, AUDIENCE  # of the tokens that are issued from now on
        self.answers = []  # (status, client), as they were given
        self._openssl("genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", self._key)
        modulus = self._openssl("rsa", "-in", self._key, "-noout", "-modulus").decode().strip().split("=")[1]
        self._keys = {"kty": "RSA", "use": "sig", "alg": "RS256", "kid": "1", "e": "AQAB"}
        self._keys["n"] = _encoded(bytes.fromhex(modulus))
        keys = self._server(self._give_keys)
        tokens = self._server(self._give_token)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*certificate)
        tokens.socket = context.wrap_socket(tokens.socket, server_side=True, do_handshake_on_connect=False)
        self._servers = [keys, tokens]
        self.issuer = f"https://127.0.0.1:{tokens.server_port}"
        self.token_url = f"{self.issuer}/token"
        self.keys_url = f"http://127.0.0.1:{keys.server_port}/keys"

    @staticmethod
    def _openssl(*words, **options):
        done = subprocess.run(["openssl", *map(str, words)], capture_output=True, **options)
        assert done.returncode == 0, done.stderr
        return done.stdout

    @staticmethod
    def _server(answer):
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):  # noqa: N802
                self._answer(b"")

            def do_POST(self):  # noqa: N802
                self._answer(self.rfile.read(int(self.headers["Content-Length"])))

            def _answer(self, body):
                status, answer_body = answer(self, urllib.parse.parse_qs(body.decode()))
                text = json.dumps(answer_body).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            def handle_error(self, *_):
                """A client that does not trust the certificate hangs up."""

        server = Server(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        return server

    def __enter__(self):
        for server in self._servers:
            threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_):
        for server in self._servers:
            server.shutdown()
            server.server_close()

    def _give_keys(self, request, _):
        return 200, {"keys": [self._keys]}

    def _give_token(self, request, form):
        kind, _, given = request.headers.get("Authorization", "").partition(" ")
        client, _, secret = base64.b64decode(given).decode().partition(":")
        known = kind == "Basic" and self._clients.get(client) == secret
        if not known or form.get("grant_type") != ["client_credentials"]:
            self.answers.append((401, client))
            return 401, {"error": "invalid_client", "error_description": "unknown client or wrong secret"}
        self.answers.append((200, client))
        token = self._sign(client, form.get("scope", ["default"])[0])
        return 200, {"access_token": token, "token_type": "Bearer", "expires_in": self.lifetime}

    def _sign(self, client, scope):
        now = int(time.time())
        claims = {"iss": self.issuer, "aud": self.audience, "sub": client, "scope": scope}
        claims |= {"iat": now, "exp": now + self.lifetime}
        header = {"alg": "RS256", "kid": self._keys["kid"], "typ": "JWT"}
        signed = ".".join(_encoded(json.dumps(part).encode()) for part in (header, claims))
        signature = self._openssl("dgst", "-sha256", "-sign", self._key, input=signed.encode())
        return f"{signed}.{_encoded(signature)}"
