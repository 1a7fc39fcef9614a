"""A directory that speaks lines over TCP: sign in with a password, ask for digits, get customers and a full stop."""

import socketserver
import threading
from typing import ClassVar

CUSTOMERS = (
    ("0901 234 567", "lan@congty.example"),
    ("09012345670", "minh@congty.example"),
    ("+66 90 123 4567", "huong@congty.example"),
)


class _Session(socketserver.StreamRequestHandler):
    def handle(self):
        while line := self.rfile.readline().decode().strip():
            word, _, rest = line.partition(" ")
            self.wfile.write("".join(f"{answer}\n" for answer in getattr(self, word.lower())(rest)).encode())

    def login(self, password):
        return ["OK" if password == self.server.password else "NO"]

    def find(self, digits):
        found = [row for row in self.server.customers if digits in "".join(filter(str.isdigit, row[0]))]
        return [*(";".join(row) for row in found), "."]


class Directory(socketserver.ThreadingTCPServer):
    """Runs in threads of this process from `start` to `stop`."""

    running: ClassVar[dict] = {}
    request_queue_size = 64

    def __init__(self, password):
        super().__init__(("127.0.0.1", 0), _Session)
        self.password = password
        self.customers = CUSTOMERS
        self.port = self.server_address[1]

    @classmethod
    def start(cls, place, password):
        directory = cls.running[place] = cls(password)
        threading.Thread(target=directory.serve_forever, args=(0.01,), daemon=True).start()
        return directory.port

    @classmethod
    def stop(cls, place):
        if directory := cls.running.pop(place, None):
            directory.shutdown()
            directory.server_close()
