"""What a running program answers over HTTP."""

import dataclasses
import http.client
import json
import re

STARTED = r"Successfully started service 'SparkUI' on port (\d+)"


@dataclasses.dataclass(frozen=True)
class Answer:
    status: int
    headers: dict
    body: bytes

    @property
    def text(self):
        return self.body.decode()

    @property
    def json(self):
        return json.loads(self.body)


class Web:
    """The pages of a process that has just been started: waits for its port, unless it is known."""

    def __init__(self, process, host="127.0.0.1", token=None, port=None):
        if port is None:
            line = process.wait_log(STARTED, 60)
            port = int(re.search(STARTED, line).group(1))
        self.port = port
        self.host = host
        self.headers = {"Authorization": f"Bearer {token}"} if token else {}

    def get(self, path, method="GET", timeout=30, **headers):
        connection = http.client.HTTPConnection(self.host, self.port, timeout=timeout)
        try:
            connection.request(method, path, headers={**self.headers, **headers})
            answer = connection.getresponse()
            return Answer(answer.status, dict(answer.getheaders()), answer.read())
        finally:
            connection.close()

    def json(self, path):
        answer = self.get(path)
        assert answer.status == 200, (path, answer)
        return answer.json

    def query(self, name="match_stream", view=""):
        return self.json(f"/api/v1/queries/{name}{view}")
