"""Measure a learner that is asked over HTTP while it learns at full speed.

    python benchmarks/serving.py
    python benchmarks/serving.py --samples 50000 --rounds 1 --clients 10

Clients in a process of their own ask over connections that stay open: as fast as they can,
or so many times a second in all, when a latency counts from the moment at which the request
was due. Each round learns the same samples without a port, with a port that nobody asks, and
asked in both ways; what a way costs is the ratio of neighbours in time. The outcomes of all
must be the same to the last byte.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from itertools import count, islice
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.pairs import Stopwatch, calm  # noqa: E402
from benchmarks.samples import fill, records  # noqa: E402
from benchmarks.throughput import CONFIGS, TURN, _Timed  # noqa: E402
from learner.loop import learn  # noqa: E402
from learner.run import Run  # noqa: E402
from stream.records import decode  # noqa: E402
from stream.sqlite import SqliteLog  # noqa: E402
from stream.topic import topic_of  # noqa: E402

WAYS = ("no port", "nobody asks", "flat out", "at a rate")
MODEL = "logistic"
_names = count()


def main() -> None:
    """Measure, or be the clients."""
    asked = _arguments()
    if asked.port:
        print(json.dumps(asyncio.run(_ask_all(asked.port, asked.clients, asked.rate))))
        return
    folder = ROOT / ".cache" / "bench"  # not the system's, where a disk may be memory
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as place:
        _measure(asked, Path(place))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--samples", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--clients", type=int, default=50)
    parser.add_argument("--rate", type=float, default=500.0, help="requests a second in all")
    parser.add_argument("--port", type=int, default=0, help=argparse.SUPPRESS)
    return parser.parse_args()


def _measure(asked: argparse.Namespace, folder: Path) -> None:
    log = SqliteLog(folder / "bench.db")
    fill(log, list(islice(records(), asked.samples)))
    rates: dict[str, list[float]] = {way: [] for way in WAYS}
    answers: dict[str, list[dict[str, Any]]] = {way: [] for way in WAYS}
    outcomes = set()
    for number in range(asked.rounds):
        for way in WAYS if number % 2 else reversed(WAYS):
            seconds, told, digest = _one(log, folder, way, asked)
            rates[way].append(asked.samples / seconds)
            outcomes.add(digest)
            if told:
                answers[way].append(told)
            print(f"round {number + 1}, {way}: {asked.samples / seconds:,.0f}/s", flush=True)
    log.close()
    _print(rates, answers)
    print(f"\noutcomes of {asked.rounds * len(WAYS)} runs: {len(outcomes)} kind(s) of bytes")
    if len(outcomes) > 1:
        raise SystemExit("to be asked has changed the outcomes")


def _one(
    log: SqliteLog, folder: Path, way: str, asked: argparse.Namespace
) -> tuple[float, dict[str, Any], str]:
    """Learn all samples under a new name; return seconds, what clients tell, the outcomes."""
    name, port, clients = f"l{next(_names)}", None, None
    if way != "no port":
        port = _free_port()
    if way in ("flat out", "at a rate"):
        rate = asked.rate if way == "at a rate" else 0
        command = [sys.executable, __file__, "--port", str(port), "--rate", str(rate)]
        command += ["--clients", str(asked.clients)]
        clients = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        time.sleep(1.0)  # until it has imported what it needs
    how = Run(name=name, state=folder / "state", turn=TURN, until_end=True, port=port)
    watch = Stopwatch()
    with calm():
        learn(_Timed(log, watch), CONFIGS[MODEL], how, moved=lambda _: watch.stop())
    told = json.loads(clients.communicate(timeout=60)[0]) if clients else {}
    digest = hashlib.sha256()
    for entry in log.topic(topic_of(log.stream, name, "outcomes")).scan(0, 0, 10**9):
        digest.update(entry.value)
    return watch.wall, told, digest.hexdigest()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
    return port


async def _ask_all(port: int, clients: int, rate: float) -> dict[str, Any]:
    """Ask with all clients until the learner has ended; return what came of it."""
    requests = [_request(value) for value in islice(records(), 200)]
    latencies: list[float] = []
    refusals: list[int] = []
    began = await _opened(port)
    pause = clients / rate if rate else 0.0
    work = [
        _client(port, requests[n:], began + n * pause / clients, pause, latencies, refusals)
        for n in range(clients)
    ]
    await asyncio.gather(*work)
    ended = time.perf_counter()
    latencies.sort()
    return {
        "answered": len(latencies),
        "refused": len(refusals),
        "per_second": len(latencies) / (ended - began),
        **{f"p{q}": 1000 * latencies[len(latencies) * q // 100] for q in (50, 95, 99)},
        "worst": 1000 * latencies[-1],
    }


def _request(value: bytes) -> bytes:
    body = json.dumps({"x": decode(value).x}).encode()
    head = "POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    return head.encode() + b"Content-Length: %d\r\n\r\n" % len(body) + body


async def _opened(port: int) -> float:
    """Wait until the learner is ready; return when it was."""
    while True:
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(
                b"GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
            )
            answer = await reader.read()
            writer.close()
        except ConnectionError:
            answer = b""
        if b" 200 " in answer:
            return time.perf_counter()
        await asyncio.sleep(0.005)


async def _client(
    port: int,
    requests: list[bytes],
    due: float,
    pause: float,
    latencies: list[float],
    refusals: list[int],
) -> None:
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for number in count():
            if pause:
                await asyncio.sleep(due - time.perf_counter())
            else:
                due = time.perf_counter()
            writer.write(requests[number % len(requests)])
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r")[0])
            body = await reader.readexactly(length)
            if head.startswith(b"HTTP/1.1 200 "):
                latencies.append(time.perf_counter() - due)
            elif b"ending" in body:
                break
            else:
                refusals.append(number)
            due += pause
        writer.close()
    except (ConnectionError, asyncio.IncompleteReadError):
        return  # the learner has ended


def _print(rates: dict[str, list[float]], answers: dict[str, list[dict[str, Any]]]) -> None:
    print(f"\n{'':<12} {'samples/s':>10} {'of no port: min':>16} {'median':>7} {'max':>5}")
    for way in WAYS:
        ratios = [mine / bare for mine, bare in zip(rates[way], rates[WAYS[0]], strict=True)]
        print(
            f"{way:<12} {statistics.median(rates[way]):10,.0f} {min(ratios):16.2f} "
            f"{statistics.median(ratios):7.2f} {max(ratios):5.2f}"
        )
    figures = ("per_second", "p50", "p95", "p99", "worst", "answered", "refused")
    print(f"\n{'':<12}" + "".join(f"{name:>11}" for name in figures) + "   (p in ms, medians)")
    for way, found in answers.items():
        if found:
            medians = [statistics.median(each[name] for each in found) for name in figures]
            print(f"{way:<12}" + "".join(f"{value:11,.1f}" for value in medians))


if __name__ == "__main__":
    main()
