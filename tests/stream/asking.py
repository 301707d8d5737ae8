"""One request to a server of ours."""

import http.client
from urllib.parse import urlsplit


def ask(server, path, *, method="GET", **headers):
    """Return status and text of one request."""
    address = urlsplit(server.url)
    connection = http.client.HTTPConnection(address.hostname, address.port, timeout=10)
    try:
        connection.request(method, path, headers=headers)
        response = connection.getresponse()
        return response.status, response.read().decode()
    finally:
        connection.close()
