"""A connection to the database that the environment variable names."""

import os
import socket

host, port = os.environ["DATABASE"].split(":")


def connect():
    """Open a connection."""
    return socket.create_connection((host, int(port)), timeout=1)


def ask(connection, text):
    """Send one line and read one; an empty answer means that the other side has hung up."""
    connection.sendall(f"{text}\n".encode())
    answer = connection.recv(64)
    if not answer:
        raise ConnectionError("the database has closed this connection")
    return answer.decode().strip()
