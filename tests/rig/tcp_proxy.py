"""A TCP proxy between a program and a server, which can simulate a bad network: cut, reset or forgotten
connections, refused or unanswered new ones, silence, latency, a trickle, changed bytes."""

import contextlib
import socket
import struct
import threading
import time

CHUNK = 65536
TICKS = 20  # per second, at which a trickle flows


class TcpProxy:
    """Listens on 127.0.0.1:`port`, and passes on to (host, port) `target`."""

    def __init__(self, target, port=0):
        self._target = target
        self._lock = threading.Lock()
        self._pairs = set()
        self._forgotten = set()  # pairs that carry nothing any more
        self._listener = None
        self._fillers = []  # connections that fill the queue of a listener that accepts none
        self._flowing = threading.Event()
        self._flowing.set()
        self._delay = 0
        self._rate = None
        self._alter = None
        self.connections = 0  # made so far
        self.received = 0  # bytes that came from clients
        self.sent = 0  # bytes that came from the server
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
            while data := source.recv(max(1, self._rate // TICKS) if self._rate else CHUNK):
                self._flowing.wait()
                time.sleep(self._delay + (len(data) / self._rate if self._rate else 0))
                if pair in self._forgotten:
                    continue
                if source is pair[1]:
                    data = self._from_server(data)
                cut = source is pair[0] and self._counts_to_a_cut(len(data))
                if not (cut and self._cut_loses):
                    drain.sendall(data)
                if cut:
                    break
        except OSError:
            pass
        if pair not in self._forgotten:
            self._end(pair)

    def _from_server(self, data):
        with self._lock:
            self.sent += len(data)
            return self._alter(data) if self._alter is not None else data

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
            self._forgotten.discard(pair)
        for end in pair:
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            end.close()

    def _taken_pairs(self):
        with self._lock:
            return list(self._pairs)

    def cut(self):
        """Ends every connection; new ones may be made."""
        pairs = self._taken_pairs()
        for pair in pairs:
            self._end(pair)
        return len(pairs)

    def reset(self):
        """Ends every connection by RST, as a firewall or a crashed machine does: what is on its way is lost."""
        pairs = self._taken_pairs()
        for client, server in pairs:
            with self._lock:
                self._forgotten.add((client, server))  # so that no thread ends it by FIN
            with contextlib.suppress(OSError):
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            for end in (client, server):  # wakes the threads; sends nothing
                with contextlib.suppress(OSError):
                    end.shutdown(socket.SHUT_RD)
                end.close()
            with self._lock:
                self._pairs.discard((client, server))
        return len(pairs)

    def forget(self):
        """Every connection stays open at the client and carries nothing any more, as after a router lost
        its table; new ones work."""
        with self._lock:
            pairs, self._pairs = self._pairs, set()
            self._forgotten |= pairs
        return len(pairs)

    def cut_after(self, size, loses=True):
        """Ends the connection on which the next `size` bytes from clients are complete. What came last is
        lost; or it arrives, and only the answer is lost."""
        with self._lock:
            self._cut_after, self._cut_loses = size, loses

    def refuse(self):
        """Ends every connection, and takes no new one until accept()."""
        for filler in self._fillers:
            filler.close()
        self._fillers = []
        if self._listener is not None:
            with contextlib.suppress(OSError):
                self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
            self._listener = None
        self.cut()

    def ignore(self):
        """Ends every connection, and answers no new one, as a firewall that drops packets: the queue of
        the listener is full, so that the kernel drops each SYN."""
        self.refuse()
        self._listener = socket.create_server(("127.0.0.1", self.port), backlog=0)
        for _ in range(4):
            filler = socket.socket()
            filler.setblocking(False)
            filler.connect_ex(("127.0.0.1", self.port))
            self._fillers.append(filler)

    def accept(self):
        self._listen()

    def freeze(self):
        """Connections stay, and new ones are taken, but no byte gets through until thaw()."""
        self._flowing.clear()

    def thaw(self):
        self._flowing.set()

    def slow(self, delay=0, rate=None):
        """Each piece of data is `delay` seconds late; at most `rate` bytes a second and direction get through."""
        self._delay, self._rate = delay, rate

    def alter(self, change):
        """What comes from the server is passed on as `change` returns it; None: as it came."""
        with self._lock:
            self._alter = change

    def heal(self):
        """As at the beginning."""
        self.slow()
        self.alter(None)
        self.thaw()
        if self._fillers:
            self.refuse()
        if self._listener is None:
            self.accept()
