"""What makes a `Broker` ask for TLS, a user and rights, and what its clients bring.

    python tools/kafka_secured.py

prints the settings of a client for a broker that runs until Ctrl-C, with a user `ann` who
may do all. A test writes `from tools.kafka_secured import Secured`.
"""

from __future__ import annotations

import secrets
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MODULES = "org.apache.kafka.common.security"
AUTHORIZER = "org.apache.kafka.metadata.authorizer.StandardAuthorizer"
MECHANISMS = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")
ADMIN = "ann"
STORE = "not-a-secret"
"""The password of the key stores, which lie beside what they guard."""


class KeytoolMissing(Exception):
    """There is no keytool on the path; it comes with Java."""


def keytool(store: Path, *words: str) -> None:
    """Run the JDK's tool for keys on a store of our own. Raises `KeytoolMissing`."""
    program = shutil.which("keytool")
    if program is None:
        raise KeytoolMissing("no keytool on the path; it comes with Java")
    # It would start longer than it works.
    brief = ("-J-XX:TieredStopAtLevel=1", "-J-XX:+UseSerialGC")
    access = ("-keystore", str(store), "-storepass", STORE, "-alias", "broker")
    subprocess.run([program, *brief, *words, *access], check=True, capture_output=True)


def certificate(store: Path, *more: str) -> Path:
    """Make a key for 127.0.0.1 in a new store, and return the file of its certificate.

    `more` are words for keytool, as `-startdate` and `-validity`.
    """
    pair = ("-genkeypair", "-keyalg", "EC", "-dname", "CN=broker", "-ext", "SAN=ip:127.0.0.1")
    keytool(store, *pair, *more)
    file = store.with_suffix(".pem")
    keytool(store, "-exportcert", "-rfc", "-file", str(file))
    return file


class Secured:
    """The settings of a broker whose clients come by SASL_SSL, and of those clients.

    All `users` know the same `password`, by PLAIN; `ADMIN` by SCRAM as well. With
    `authorized` a user may do what the ACLs let it and no more, and `ADMIN` everything.
    A port `behind` another (see `Broker`) speaks TLS by a certificate that has ended.
    """

    def __init__(
        self, folder: Path, users: Iterable[str] = (), *, authorized: bool = False
    ) -> None:
        self.password = secrets.token_hex(16)
        self.certificate = certificate(folder / "ours")
        self.ended = certificate(folder / "ended", "-startdate", "-9d", "-validity", "2")
        self.scram = {ADMIN: self.password}
        """What `Broker` takes as `users`."""
        self.properties = self._listeners(folder, users) | (
            self._authorizer() if authorized else {}
        )

    def _listeners(self, folder: Path, users: Iterable[str]) -> dict[str, str]:
        known = " ".join(f'user_{name}="{self.password}"' for name in (ADMIN, *users))
        scram = f"{MODULES}.scram.ScramLoginModule required;"
        client = {
            "sasl.enabled.mechanisms": ",".join(MECHANISMS),
            "plain.sasl.jaas.config": f"{MODULES}.plain.PlainLoginModule required {known};",
            "scram-sha-256.sasl.jaas.config": scram,
            "scram-sha-512.sasl.jaas.config": scram,
            "ssl.keystore.location": str(folder / "ours"),
            "ssl.keystore.password": STORE,
        }
        behind = {
            "ssl.keystore.location": str(folder / "ended"),
            "ssl.keystore.password": STORE,
        }
        protocols = "CLIENT:SASL_SSL,BEHIND:SSL,INTERNAL:PLAINTEXT,CONTROLLER:PLAINTEXT"
        return {
            "listener.security.protocol.map": protocols,
            **{f"listener.name.client.{name}": value for name, value in client.items()},
            **{f"listener.name.behind.{name}": value for name, value in behind.items()},
        }

    def _authorizer(self) -> dict[str, str]:
        # The node talks to itself, and to its controller, as nobody in particular.
        return {
            "authorizer.class.name": AUTHORIZER,
            "super.users": f"User:{ADMIN};User:ANONYMOUS",
        }

    def client(self, user: str = ADMIN, mechanism: str = "PLAIN") -> dict[str, str]:
        """Return the settings of a client, by kafka-python's names."""
        return {
            "security_protocol": "SASL_SSL",
            "sasl_mechanism": mechanism,
            "sasl_plain_username": user,
            "sasl_plain_password": self.password,
            "ssl_cafile": str(self.certificate),
        }


def main() -> None:
    """Run a broker with one user until Ctrl-C."""
    sys.path[0] = str(ROOT)
    from tools.kafka import Broker

    folder = Path(tempfile.mkdtemp(prefix="secured-"))
    secured = Secured(folder, authorized=True)
    try:
        with Broker(properties=secured.properties, users=secured.scram) as broker:
            print(f"Kafka at {broker.address}")
            for name, value in secured.client().items():
                print(f"export DRIFTLINE_KAFKA_{name.upper()}={value}")
            sys.stdout.flush()
            broker.wait()
    except KeyboardInterrupt:
        pass
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
