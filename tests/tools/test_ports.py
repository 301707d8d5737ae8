"""Ports that are drawn for brokers, and for what stands in front of them."""

import asyncio
import socket

import pytest

from tools import kafka


def test_a_port_that_is_held_is_drawn_by_nobody_else(monkeypatch):
    """It refuses connections until its owner listens there."""
    port = kafka.free_port()
    draws = iter([port - 20_000, (port + 1) % 12_000])
    with kafka.held(port):
        monkeypatch.setattr(kafka.secrets, "randbelow", lambda _: next(draws))
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
