"""A Kafka of three brokers, each of which is also a controller: any one of them can be lost."""

import concurrent.futures
import contextlib
import time

from confluent_kafka import KafkaException

from .broker import Broker, free_ports, new_cluster
from .proxied_broker import ProxiedBroker

PROPERTIES = """
node.id={number}
controller.quorum.voters={voters}
auto.leader.rebalance.enable=false
replica.lag.time.max.ms=2000
"""


class Node(ProxiedBroker):
    def __init__(self, directory, number, controllers, cluster):
        self._number, self._controllers = number, controllers
        super().__init__(directory, cluster)

    def further_properties(self, _):
        voters = [f"{number}@127.0.0.1:{port}" for number, port in self._controllers.items()]
        own = PROPERTIES.format(number=self._number, voters=",".join(voters))
        return super().further_properties(self._controllers[self._number]) + own


class ThreeBrokers(Broker):
    """What a Broker can do with topics and records, and `nodes`, {number: Node}, for the rest."""

    def __init__(self, directory):
        controllers = dict(zip((1, 2, 3), free_ports(3)))
        cluster = new_cluster()
        with concurrent.futures.ThreadPoolExecutor() as pool:
            made = pool.map(lambda one: Node(directory / f"node-{one}", one, controllers, cluster), controllers)
            self.nodes = dict(zip(controllers, made))
        self.bootstrap = ",".join(node.bootstrap for node in self.nodes.values())
        self.proxied = ",".join(node.proxied for node in self.nodes.values())
        self._admin = None

    def start(self):
        return self.ensure_started()

    def ensure_started(self):
        for node in self.nodes.values():
            node.heal()
        stopped = [node for node in self.nodes.values() if node.process is None]
        for node in stopped:
            node.launch()
        for node in stopped:
            node.wait_started()
        return self

    def stop(self):
        """At once: a node that gets SIGTERM waits for a quorum of controllers that is going away."""
        for node in self.nodes.values():
            node.kill()

    def create_topic(self, name, partitions=1, replicas=3, **config):
        return super().create_topic(name, partitions, replicas, **config)

    def partition(self, topic, partition=0):
        """Its leader, replicas and isrs, as the cluster has them."""
        return self.admin.list_topics(topic, timeout=10).topics[topic].partitions[partition]

    def wait_partition(self, condition, topic, partition=0, timeout=90):
        deadline, found = time.monotonic() + timeout, None
        while found is None or not condition(found):
            assert time.monotonic() < deadline, (topic, found and (found.leader, found.replicas, found.isrs))
            time.sleep(0.1)
            with contextlib.suppress(KafkaException):  # the broker that is asked may be frozen
                found = self.partition(topic, partition)
        return found

    def wait_in_sync(self, topic, partitions=1):
        for number in range(partitions):
            self.wait_partition(lambda one: sorted(one.isrs) == sorted(one.replicas), topic, number)
