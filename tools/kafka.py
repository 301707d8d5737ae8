"""Run a real Apache Kafka, one node in KRaft mode, from the jars of Maven Central.

    python tools/kafka.py jars
    python tools/kafka.py run --port 9092 --dir /tmp/kafka
    python tools/kafka.py tool consumer-groups --bootstrap-server 127.0.0.1:9092 --list

Needs Java 17 and, to fetch the jars once, Maven. A test writes `from tools.kafka import
Broker` with the root of the checkout on its path; with `tools/` itself on the path, this file
would stand in front of the client library of the same name.
"""

from __future__ import annotations

import argparse
import base64
import fcntl
import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import uuid
import weakref
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO, Self

HOST = "127.0.0.1"
POMS = Path(__file__).resolve().parent / "kafka"
CACHE = POMS.parent.parent / ".cache" / "kafka"
PARTS = {"server": POMS / "pom.xml", "tools": POMS / "tools-pom.xml"}
TOOLS = {
    "configs": "kafka.admin.ConfigCommand",
    "console-consumer": "org.apache.kafka.tools.consumer.ConsoleConsumer",
    "console-producer": "org.apache.kafka.tools.ConsoleProducer",
    "consumer-groups": "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand",
    "dump-log": "org.apache.kafka.tools.DumpLogSegments",
    "get-offsets": "org.apache.kafka.tools.GetOffsetShell",
    "topics": "org.apache.kafka.tools.TopicCommand",
    "transactions": "org.apache.kafka.tools.TransactionsCommand",
}
LOGGER = "-Dorg.slf4j.simpleLogger."
JVM = ("-Xmx512m", f"{LOGGER}showDateTime=true", f"{LOGGER}dateTimeFormat=HH:mm:ss.SSS")
BRIEF = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")
"""For a broker of a few minutes: it starts with two thirds of the work, and is slower later."""
PROPERTIES = {
    "process.roles": "broker,controller",
    "node.id": "1",
    "listener.security.protocol.map": "CLIENT:PLAINTEXT,BEHIND:PLAINTEXT,"
    "INTERNAL:PLAINTEXT,CONTROLLER:PLAINTEXT",
    "inter.broker.listener.name": "INTERNAL",
    "controller.listener.names": "CONTROLLER",
    "auto.create.topics.enable": "false",
    "group.initial.rebalance.delay.ms": "0",
    # A killed broker is let in again only when its session has run out: 9 s unless we say so.
    "broker.session.timeout.ms": "3000",
    "broker.heartbeat.interval.ms": "250",
    # Nor wait tests for ten seconds, or for six, until somebody dead is found so.
    "transaction.abort.timed.out.transaction.cleanup.interval.ms": "500",
    "group.min.session.timeout.ms": "1000",
    # One node holds one copy, and few partitions are soon made.
    "offsets.topic.replication.factor": "1",
    "offsets.topic.num.partitions": "1",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "transaction.state.log.num.partitions": "1",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    "share.coordinator.state.topic.num.partitions": "1",
}


class BrokerError(Exception):
    """Kafka cannot be fetched, started or used; the message says why or what to do."""


def jars(part: str) -> Path:
    """Give the folder with the jars of `part`, a name of `PARTS`, fetched if not there."""
    folder, pom = CACHE / part, PARTS[part]
    if not _fetched(folder, pom):
        CACHE.mkdir(parents=True, exist_ok=True)
        with (CACHE / f"{part}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not _fetched(folder, pom):  # by another process, while we waited
                _fetch(folder, pom)
    return folder


def _fetched(folder: Path, pom: Path) -> bool:
    copy = folder / "pom.xml"
    return copy.exists() and copy.read_bytes() == pom.read_bytes()


def _fetch(folder: Path, pom: Path) -> None:
    if shutil.which("mvn") is None:
        raise BrokerError("no mvn on the path; install Maven (Debian: maven)")
    fresh = folder.with_suffix(".fresh")
    shutil.rmtree(fresh, ignore_errors=True)
    command = ["mvn", "-q", "-B", "-f", str(pom), "dependency:copy-dependencies"]
    command += ["-DincludeScope=runtime", f"-DoutputDirectory={fresh}"]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        raise BrokerError(f"Maven cannot fetch the jars of {pom}:\n{done.stdout.strip()}")
    # The copied POM marks a whole folder, so it comes last.
    shutil.copyfile(pom, fresh / "pom.xml")
    shutil.rmtree(folder, ignore_errors=True)
    fresh.rename(folder)


def java(part: str, main: str, *arguments: str, options: tuple[str, ...] = JVM) -> list[str]:
    """Give the command line that runs the Java class `main` from the jars of `part`."""
    home = os.environ.get("JAVA_HOME")
    program = shutil.which("java", path=f"{home}/bin" if home else None)
    if program is None:
        where = f"in JAVA_HOME, {home!r}" if home else "on the path"
        raise BrokerError(f"no java {where}; install Java 17 (Debian: openjdk-17-jre-headless)")
    return [program, *options, "-cp", f"{jars(part)}/*", main, *arguments]


def tool(name: str, *arguments: str) -> list[str]:
    """Give the command line of one of Kafka's own tools, a name of `TOOLS`."""
    main = TOOLS[name]
    part = "server" if main.startswith("kafka.") else "tools"
    return java(part, main, *arguments, options=(*BRIEF, f"{LOGGER}defaultLogLevel=warn"))


def free_port() -> int:
    """Give a loopback port that nobody has now.

    Not one of those the system lends to outgoing connections: a client that tries again and
    again to reach a dead broker there would in the end connect to itself and keep the port.
    And drawn from no seed: tests that run side by side would draw the same ones.
    """
    while True:
        port = 20_000 + secrets.randbelow(12_000)
        with socket.socket() as probe:
            try:
                probe.bind((HOST, port))
            except OSError:
                continue
            return port


def held(port: int) -> socket.socket:
    """Take a port without listening there, so that no other is given it by `free_port`.

    Who sets SO_REUSEADDR, as servers do, can listen there all the same.
    """
    holder = socket.socket()
    holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    holder.bind((HOST, port))
    return holder


class Broker:
    """A Kafka broker on this machine, for as long as a `with` block lasts.

    It listens on 127.0.0.1 only. A `port` of 0 means a free one, kept from start to start, so
    that clients find a killed broker again. Without `dir` everything lies in a temporary
    folder that goes with the block; with `dir` it stays for the next broker there.

    `properties` go over the settings above. Clients come in by the listener CLIENT; the node
    talks to itself by two others. To ask clients for TLS or a password, give CLIENT another
    protocol in `listener.security.protocol.map` and the rest as `listener.name.client.…`.
    `users`, names and passwords, are known by SCRAM from the start. A `brief` one starts
    faster, and is not for measuring.

    With a `front` there is a second port, `behind`, for a proxy on the port `front` of this
    machine: who comes in by it is told to go on speaking to the proxy.
    """

    def __init__(
        self,
        dir: str | os.PathLike[str] | None = None,
        port: int = 0,
        properties: Mapping[str, str] | None = None,
        users: Mapping[str, str] | None = None,
        front: int = 0,
        *,
        brief: bool = False,
    ) -> None:
        self.dir = Path(dir or tempfile.mkdtemp(prefix="kafka-")).resolve()
        self.port = port or free_port()
        self.address = f"{HOST}:{self.port}"
        self.front, self.behind = front, free_port() if front else 0
        # While it is down, or nothing stands in front of it, others draw ports as well.
        for mine in ([] if port else [self.port]) + ([front] if front else []):
            weakref.finalize(self, held(mine).close)
        self.properties = dict(properties or {})
        self.users = dict(users or {})
        self._options = (*JVM, *BRIEF) if brief else JVM
        self.log = self.dir / "broker.log"
        self.process: subprocess.Popen[bytes] | None = None
        self._log_start = 0
        self._remove = None if dir else weakref.finalize(self, shutil.rmtree, self.dir, True)

    def start(self, within: float = 60) -> None:
        """Start the broker and return when it answers, at most `within` seconds later.

        Raises BrokerError if it ends or is late; no process is left then.
        """
        self.dir.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            try:
                # Kafka inherits this lock with its log, so it holds as long as Kafka lives.
                # Kafka's own comes too late: after the controller has opened its log.
                fcntl.flock(log, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise BrokerError(f"another broker runs in {self.dir}; stop it first") from None
            self._log_start = log.tell()
            settings = str(self._write_settings())
            if not (self.dir / "data" / "meta.properties").exists():
                self._format(settings, log)
            command = java("server", "kafka.Kafka", settings, options=self._options)
            self.process = subprocess.Popen(command, stdout=log, stderr=log, cwd=self.dir)
        # A broker that was forgotten ends with this Python process, unless that is killed.
        weakref.finalize(self, end, self.process)
        try:
            self._wait_until_started(self.process, time.monotonic() + within)
        except BaseException:
            self.kill()
            raise

    def stop(self, within: float = 30) -> None:
        """End the broker in good order (SIGTERM), or kill it after `within` seconds."""
        if self.process is not None:
            self.process.terminate()
            try:
                self.process.wait(within)
            except subprocess.TimeoutExpired:
                self.kill()

    def kill(self) -> None:
        """End the broker at once (SIGKILL), as a crash would; its data stays."""
        if self.process is not None:
            end(self.process)

    def wait(self) -> None:
        """Wait for the broker to end by itself, which it should not: raise BrokerError then."""
        if self.process is not None:
            self.process.wait()
        raise BrokerError(f"Kafka has ended; {self._last_lines()}")

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.stop()
        if self._remove is not None:
            self._remove()

    def _write_settings(self) -> Path:
        # With `controller.quorum.voters` the controller's address is a setting, not data
        # (as it is after `format --standalone`), so each start may take a free port for it.
        controller = f"{HOST}:{free_port()}"
        inner = f"CLIENT://{self.address},INTERNAL://{HOST}:{free_port()}"
        ours = {
            "listeners": f"{inner},CONTROLLER://{controller}",
            "controller.quorum.voters": f"1@{controller}",
            "log.dirs": str(self.dir / "data"),
        }
        if self.front:
            ours["listeners"] += f",BEHIND://{HOST}:{self.behind}"
            ours["advertised.listeners"] = f"{inner},BEHIND://{HOST}:{self.front}"
        settings = PROPERTIES | ours | self.properties
        path = self.dir / "server.properties"
        path.write_text("".join(f"{key}={value}\n" for key, value in settings.items()))
        return path

    def _format(self, settings: str, log: BinaryIO) -> None:
        """Make the data folder one of a new cluster, as Kafka's own tool has once made one."""
        cluster = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        data, pattern = self.dir / "data", jars("server") / "formatted"
        if pattern.exists() and not self.users:
            shutil.copytree(pattern, data, dirs_exist_ok=True)
            meta = data / "meta.properties"
            meta.write_text(
                re.sub("(?m)^cluster.id=.*", f"cluster.id={cluster}", meta.read_text())
            )
            return
        command = java("server", "kafka.tools.StorageTool", "format")
        command += [f"--cluster-id={cluster}", f"--config={settings}"]
        for kind in ("SCRAM-SHA-256", "SCRAM-SHA-512"):
            for name, password in self.users.items():
                command += ["--add-scram", f"{kind}=[name={name},password={password}]"]
        if subprocess.run(command, stdout=log, stderr=log).returncode:
            raise BrokerError(f"Kafka cannot format {self.dir}; {self._last_lines()}")
        if self.users:
            return  # they stand in the data
        fresh = pattern.with_name(f"formatted.{os.getpid()}")
        shutil.copytree(data, fresh)
        try:
            fresh.rename(pattern)
        except OSError:  # another process was first
            shutil.rmtree(fresh)

    def _wait_until_started(self, process: subprocess.Popen[bytes], deadline: float) -> None:
        # Kafka says so once it serves requests; asking it ourselves would need TLS and SASL.
        while not ("Kafka Server started" in self._said() and self._takes_connections()):
            if process.poll() is not None:
                raise BrokerError(f"Kafka ended while it started; {self._last_lines()}")
            if time.monotonic() > deadline:
                raise BrokerError(f"Kafka did not start in time; {self._last_lines()}")
            time.sleep(0.05)

    def _said(self) -> str:
        with self.log.open("rb") as log:
            log.seek(self._log_start)
            return log.read().decode(errors="replace")

    def _takes_connections(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex((HOST, self.port)) == 0

    def _last_lines(self) -> str:
        # Chatter, settings and stack frames left out: what remains says what went wrong.
        lines = [line for line in self._said().splitlines() if line.strip()]
        telling = [line for line in lines if " INFO " not in line and line[0] != "\t"]
        return "\n".join([f"the last lines of {self.log} that tell:", *telling[-10:]])


def end(process: subprocess.Popen[bytes]) -> None:
    """End a process at once and collect it."""
    process.kill()
    process.wait()


def run(port: int, dir: str | None) -> None:
    """Run a broker in the foreground until Ctrl-C or SIGTERM."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    try:
        with Broker(dir, port) as broker:
            print(f"Kafka at {broker.address}", flush=True)
            broker.wait()
    except KeyboardInterrupt:
        pass


def main() -> None:
    """Do what the command line asks for."""
    parser = argparse.ArgumentParser(description="A real Kafka broker for tests and people.")
    deeds = parser.add_subparsers(dest="deed", required=True)
    deeds.add_parser("jars", help="fetch Kafka's jars")
    runs = deeds.add_parser("run", help="run a broker until Ctrl-C")
    runs.add_argument("--port", type=int, default=9092)
    runs.add_argument("--dir", help="keep the data here; in a temporary folder otherwise")
    tools = deeds.add_parser("tool", help="run one of Kafka's own tools")
    tools.add_argument("name", choices=TOOLS)
    tools.add_argument("arguments", nargs=argparse.REMAINDER)
    asked = parser.parse_args()
    try:
        if asked.deed == "jars":
            for part in PARTS:
                print(jars(part))
        elif asked.deed == "run":
            run(asked.port, asked.dir)
        else:
            command = tool(asked.name, *asked.arguments)
            os.execv(command[0], command)
    except BrokerError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
