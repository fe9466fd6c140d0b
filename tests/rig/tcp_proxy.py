"""A TCP proxy between a program and a server, which can simulate a lost network: cut connections, refuse
new ones, or discard every byte silently."""

import socket
import threading


class TcpProxy:
    """Listens on 127.0.0.1:`port`, and passes on to (host, port) `target`."""

    def __init__(self, target, port=0):
        self._target = target
        self._lock = threading.Lock()
        self._pairs = set()
        self._listener = None
        self._flowing = threading.Event()
        self._flowing.set()
        self.connections = 0  # made so far
        self.received = 0  # bytes that came from clients
        self._cut_after = None
        self._cut_loses = True
        self.port = port
        self._listen()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.refuse()
        self._flowing.set()

    def _listen(self):
        self._listener = socket.create_server(("127.0.0.1", self.port), reuse_port=False)
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def _accept(self, listener):
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            try:
                server = socket.create_connection(self._target, timeout=5)
            except OSError:
                client.close()
                continue
            server.settimeout(None)
            pair = (client, server)
            with self._lock:
                self._pairs.add(pair)
                self.connections += 1
            for source, drain in (pair, pair[::-1]):
                threading.Thread(target=self._pass_on, args=(pair, source, drain), daemon=True).start()

    def _pass_on(self, pair, source, drain):
        try:
            while data := source.recv(65536):
                self._flowing.wait()
                cut = source is pair[0] and self._counts_to_a_cut(len(data))
                if not (cut and self._cut_loses):
                    drain.sendall(data)
                if cut:
                    break
        except OSError:
            pass
        self._end(pair)

    def _counts_to_a_cut(self, size):
        with self._lock:
            self.received += size
            if self._cut_after is None:
                return False
            self._cut_after -= size
            if self._cut_after > 0:
                return False
            self._cut_after = None
            return True

    def _end(self, pair):
        with self._lock:
            self._pairs.discard(pair)
        for end in pair:
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            end.close()

    def cut(self):
        """Ends every connection; new ones may be made."""
        with self._lock:
            pairs = list(self._pairs)
        for pair in pairs:
            self._end(pair)
        return len(pairs)

    def cut_after(self, size, loses=True):
        """Ends the connection on which the next `size` bytes from clients are complete. What came last is
        lost; or it arrives, and only the answer is lost."""
        with self._lock:
            self._cut_after, self._cut_loses = size, loses

    def refuse(self):
        """Ends every connection, and takes no new one until accept()."""
        if self._listener is not None:
            self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
            self._listener = None
        self.cut()

    def accept(self):
        self._listen()

    def freeze(self):
        """Connections stay, and new ones are taken, but no byte gets through until thaw()."""
        self._flowing.clear()

    def thaw(self):
        self._flowing.set()
