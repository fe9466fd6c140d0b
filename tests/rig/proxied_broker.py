"""A broker with a second listener that is reached only through a TcpProxy: the program under test uses it,
and the test itself uses the first one, which always works."""

from .broker import Broker, free_ports
from .tcp_proxy import TcpProxy

PROPERTIES = """
listeners=PLAINTEXT://127.0.0.1:{port},PROXIED://127.0.0.1:{inner},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{port},PROXIED://127.0.0.1:{outer}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,PROXIED:PLAINTEXT,CONTROLLER:PLAINTEXT
inter.broker.listener.name=PLAINTEXT
log.retention.check.interval.ms=200
message.max.bytes=67108864
replica.fetch.max.bytes=67108864
"""


class ProxiedBroker(Broker):
    def further_properties(self, controller_port):
        (inner,) = free_ports(1)
        self.proxy = TcpProxy(("127.0.0.1", inner))
        self.proxied = f"127.0.0.1:{self.proxy.port}"
        return PROPERTIES.format(
            port=self.port, inner=inner, outer=self.proxy.port, controller=controller_port
        )

    def heal(self):
        """No matter what a test did to it, except that it may be stopped."""
        if self.process is not None:
            self.resume()
        self.proxy.heal()

    def ensure_started(self):
        self.heal()
        return super().ensure_started()

    def segment(self, topic, partition=0):
        """The partition's first log segment, on the disk."""
        return self.directory / "data" / f"{topic}-{partition}" / f"{0:020}.log"
