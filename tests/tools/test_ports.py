"""Ports that are drawn for brokers, and for what stands in front of them."""

import asyncio
import socket

import pytest

from tools import kafka


def test_a_port_that_is_held_is_drawn_by_nobody_else(monkeypatch):
    """It refuses connections until its owner listens there."""
    port, draw = kafka.free_port(), kafka.secrets.randbelow
    # Whatever is drawn after that may be anybody's: then it is drawn once more.
    first = iter([port - 20_000])
    with kafka.held(port):
        monkeypatch.setattr(kafka.secrets, "randbelow", lambda n: next(first, None) or draw(n))
        assert kafka.free_port() != port
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((kafka.HOST, port), timeout=5).close()
        asyncio.run(served(port))


async def served(port):
    """Listen on a port, and reach it."""
    async with await asyncio.start_server(lambda _, writer: writer.close(), kafka.HOST, port):
        _, writer = await asyncio.open_connection(kafka.HOST, port)
        writer.close()
        await writer.wait_closed()
