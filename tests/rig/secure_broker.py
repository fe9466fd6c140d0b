"""A Kafka with TLS, passwords and ACLs. Its plain listener is for the tests only and allows everything.
Three other listeners allow only what ACLs grant: SASL_SSL (PLAIN and SCRAM), SSL, which requires a
client certificate, and OAUTH (OAUTHBEARER over TLS), with an authorization server of its own."""

import subprocess

from confluent_kafka.admin import (
    AclBinding,
    AclOperation,
    AclPermissionType,
    ResourcePatternType,
    ResourceType,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialUpsertion,
)

from .broker import Broker, free_ports
from .token_server import AUDIENCE, TokenServer

USER, PASSWORD = "esports-stream", 'p4ss "word" $HOME \\ #1'  # every character is literal

PROPERTIES = """
listeners=PLAINTEXT://127.0.0.1:{plain},SASL_SSL://127.0.0.1:{sasl},SSL://127.0.0.1:{tls},\
OAUTH://127.0.0.1:{oauth},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{plain},SASL_SSL://127.0.0.1:{sasl},SSL://127.0.0.1:{tls},\
OAUTH://127.0.0.1:{oauth}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SASL_SSL:SASL_SSL,SSL:SSL,OAUTH:SASL_SSL
inter.broker.listener.name=PLAINTEXT
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:ANONYMOUS
ssl.keystore.type=PEM
ssl.keystore.location={directory}/server.pem
ssl.truststore.type=PEM
ssl.truststore.location={directory}/ca.pem
ssl.principal.mapping.rules=RULE:^CN=([^,]+).*$/$1/
listener.name.ssl.ssl.client.auth=required
listener.name.sasl_ssl.sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512
listener.name.sasl_ssl.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule \
required user_{user}="{password}";
listener.name.sasl_ssl.scram-sha-256.sasl.jaas.config=\
org.apache.kafka.common.security.scram.ScramLoginModule required;
listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config=\
org.apache.kafka.common.security.scram.ScramLoginModule required;
listener.name.oauth.sasl.enabled.mechanisms=OAUTHBEARER
listener.name.oauth.connections.max.reauth.ms=3600000
listener.name.oauth.oauthbearer.sasl.jaas.config=\
org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required;
listener.name.oauth.oauthbearer.sasl.server.callback.handler.class=\
org.apache.kafka.common.security.oauthbearer.OAuthBearerValidatorCallbackHandler
listener.name.oauth.oauthbearer.sasl.oauthbearer.jwks.endpoint.url={keys_url}
listener.name.oauth.oauthbearer.sasl.oauthbearer.expected.issuer={issuer}
listener.name.oauth.oauthbearer.sasl.oauthbearer.expected.audience={audience}
"""


class Certificates:
    """A certificate authority and the certificates that it signed, as PEM files."""

    def __init__(self, directory, name):
        self._directory = directory
        self.authority = directory / f"{name}.pem"
        self._key = directory / f"{name}.key"
        self._openssl("req", "-x509", "-days", 2, "-subj", f"/CN={name}", *self._new(self._key, self.authority))

    def _openssl(self, *words):
        done = subprocess.run(["openssl", *map(str, words)], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr

    @staticmethod
    def _new(key, out):
        return "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key, "-out", out

    def sign(self, name, subject, *extensions):
        """(certificate, key) for a common name."""
        certificate, key = self._directory / f"{name}.crt", self._directory / f"{name}.key"
        options = ["-CA", self.authority, "-CAkey", self._key, "-x509", "-days", 2]
        for extension in extensions:
            options += ["-addext", extension]
        self._openssl("req", "-subj", f"/CN={subject}", *options, *self._new(key, certificate))
        return certificate, key


class SecureBroker(Broker):
    def further_properties(self, controller_port):
        certificates = Certificates(self.directory, "ca")
        server = certificates.sign("server", "kafka", "subjectAltName=IP:127.0.0.1")
        (self.directory / "server.pem").write_text("".join(file.read_text() for file in reversed(server)))
        self.client_certificate, self.client_key = certificates.sign("client", USER)
        self.authority = certificates.authority
        self.other_authority = Certificates(self.directory, "other").authority
        self.tokens = TokenServer(self.directory / "tokens", server, {USER: PASSWORD})
        self.java_options = [f"-Dorg.apache.kafka.sasl.oauthbearer.allowed.urls={self.tokens.keys_url}"]
        sasl, tls, oauth = free_ports(3)
        self.sasl, self.tls, self.oauth = (f"127.0.0.1:{port}" for port in (sasl, tls, oauth))
        escaped = PASSWORD.replace("\\", "\\\\").replace('"', '\\"')  # for JAAS,
        return PROPERTIES.format(
            plain=self.port,
            sasl=sasl,
            tls=tls,
            oauth=oauth,
            keys_url=self.tokens.keys_url,
            issuer=self.tokens.issuer,
            audience=AUDIENCE,
            controller=controller_port,
            directory=self.directory,
            user=USER,
            password=escaped.replace("\\", "\\\\"),  # and for Java's properties
        )

    def start(self):
        self.tokens.__enter__()
        super().start()
        for mechanism in (ScramMechanism.SCRAM_SHA_256, ScramMechanism.SCRAM_SHA_512):
            scram = ScramCredentialInfo(mechanism, 4096)
            wanted = UserScramCredentialUpsertion(USER, scram, PASSWORD.encode())
            for future in self.admin.alter_user_scram_credentials([wanted]).values():
                future.result(30)
        return self

    def stop(self):
        super().stop()
        self.tokens.__exit__()

    def grant(self, name, *operations, kind=ResourceType.TOPIC):
        """Lets USER do this with a topic, or another kind of resource: "READ", "DESCRIBE", …"""
        bindings = [
            AclBinding(
                kind,
                name,
                ResourcePatternType.LITERAL,
                f"User:{USER}",
                "*",
                AclOperation[operation],
                AclPermissionType.ALLOW,
            )
            for operation in operations
        ]
        for future in self.admin.create_acls(bindings).values():
            future.result(30)
