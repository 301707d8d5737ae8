"""A seeded TCP proxy to stand between Kafka's clients and a broker, and to trouble them.

It parses no more of the protocol than frames and which request each of them is of, so that
trouble can be aimed: at commits only, or at the answers to fetches. What passes untroubled
passes unchanged.
"""

import asyncio
import contextlib
import random
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass

HOST = "127.0.0.1"
PRODUCE, READ = frozenset({0}), frozenset({1, 2})
"""Kinds of request by their API keys: Produce; Fetch and ListOffsets."""
COMMIT = frozenset({22, 24, 25, 26, 28})
"""What a transaction is made of: InitProducerId, AddPartitionsToTxn, AddOffsetsToTxn, EndTxn,
TxnOffsetCommit."""
ANY = frozenset(range(100))
REQUEST, ANSWER = "request", "answer"
_TICK = 0.01
_PIECE = 1024
"""Bytes that go at once where bandwidth is short."""


@dataclass(eq=False)
class Fault:
    """Trouble for frames of some kinds, on their way to the broker, from it, or both.

    `latency` holds each for up to `seconds`. `reset` breaks the connection off instead of
    passing a frame, `cut` in its midst. `timeout` lets nothing of the connection through
    until the fault is over, and breaks it off then. `bandwidth` passes `rate` bytes a second.
    `alter` passes what `change` makes of a frame; `lost` passes nothing of it, and goes on.
    """

    what: str
    kinds: frozenset[int] = ANY
    ways: tuple[str, ...] = (REQUEST, ANSWER)
    seconds: float = 0.0
    rate: float = 100_000.0
    times: float = float("inf")
    """Frames that it strikes, at most."""
    change: Callable[[bytes], bytes] | None = None
    struck: int = 0

    def takes(self, kind: int, way: str) -> bool:
        """Return whether a frame is one to strike, and count it."""
        hit = kind in self.kinds and way in self.ways and self.struck < self.times
        self.struck += hit
        return hit


class _BrokenOff(Exception):
    pass


class Proxy:
    """Passes what comes to `port` on to the port `behind`, between `with` and its end."""

    def __init__(self, port: int, behind: int, *, seed: int = 0) -> None:
        self.address = f"{HOST}:{port}"
        self._port, self._behind = port, behind
        self._faults: tuple[Fault, ...] = ()
        self._random = random.Random(seed)
        self._open: set[asyncio.StreamWriter] = set()
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name="proxy", daemon=True)

    def __enter__(self) -> "Proxy":
        self._thread.start()
        assert self._ready.wait(10), f"nothing listens on {self.address}"
        return self

    def __exit__(self, *_: object) -> None:
        self._faults = ()
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)

    @contextlib.contextmanager
    def trouble(self, fault: Fault) -> Iterator[Fault]:
        """Let a fault be, while inside."""
        self._faults = (*self._faults, fault)
        try:
            yield fault
        finally:
            self._faults = tuple(each for each in self._faults if each is not fault)

    def _run(self) -> None:
        with contextlib.closing(self._loop):
            self._loop.run_until_complete(self._serve())

    async def _serve(self) -> None:
        self._stop = asyncio.Event()
        server = await asyncio.start_server(self._pass_on, HOST, self._port)
        self._ready.set()
        await self._stop.wait()
        server.close()
        for writer in self._open:
            _reset(writer)
        here = asyncio.current_task()
        if left := asyncio.all_tasks() - {here}:
            # What was reset ends by itself; cancelled, asyncio would complain of it.
            await asyncio.wait(left, timeout=5)

    async def _pass_on(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Be one connection: a pump to the broker, one from it, and the end of both."""
        try:
            theirs, there = await asyncio.open_connection(HOST, self._behind)
        except OSError:
            _reset(writer)
            return
        asked: dict[int, int] = {}
        self._open |= {writer, there}
        pumps = [
            asyncio.ensure_future(self._pump(reader, there, asked, REQUEST)),
            asyncio.ensure_future(self._pump(theirs, writer, asked, ANSWER)),
        ]
        try:
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for pump in pumps:
                pump.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)
            self._open -= {writer, there}
            _reset(writer)
            _reset(there)

    async def _pump(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        asked: dict[int, int],
        way: str,
    ) -> None:
        # `asked` tells of which kind the request was that an answer answers.
        while True:
            head = await reader.readexactly(4)
            frame = head + await reader.readexactly(struct.unpack(">i", head)[0])
            if way == REQUEST:
                kind, _, number = struct.unpack_from(">hhi", frame, 4)
                asked[number] = kind
            else:
                kind = asked.pop(struct.unpack_from(">i", frame, 4)[0], -1)
            for fault in self._faults:
                if fault.takes(kind, way):
                    frame = await self._strike(fault, frame, writer)
            writer.write(frame)
            await writer.drain()

    async def _strike(self, fault: Fault, frame: bytes, writer: asyncio.StreamWriter) -> bytes:
        """Do to a frame what a fault does; return what is left to be passed on."""
        if fault.what == "latency":
            await asyncio.sleep(self._random.uniform(0.5, 1) * fault.seconds)
        elif fault.what == "timeout":
            while fault in self._faults:
                await asyncio.sleep(_TICK)
            raise _BrokenOff
        elif fault.what == "cut":
            writer.write(frame[: self._random.randrange(1, len(frame))])
            await writer.drain()
            raise _BrokenOff
        elif fault.what == "reset":
            raise _BrokenOff
        elif fault.what == "bandwidth":
            while frame and fault in self._faults:
                writer.write(frame[:_PIECE])
                await writer.drain()
                frame = frame[_PIECE:]
                await asyncio.sleep(_PIECE / fault.rate)
        elif fault.what == "lost":
            return b""
        elif fault.change is not None:
            return fault.change(frame)
        return frame


def _reset(writer: asyncio.StreamWriter) -> None:
    """Close a connection by a reset, as a machine does that has forgotten it."""
    if (it := writer.get_extra_info("socket")) is not None:
        # It may be closed already.
        with contextlib.suppress(OSError):
            it.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
