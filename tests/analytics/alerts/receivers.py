"""Receivers that really listen: what was posted to them, what was mailed to them."""

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import orjson


@dataclass
class Posts:
    """A web server that takes posts: `answers` are the statuses of the next ones, then 204."""

    url: str = ""
    answers: list[int] = field(default_factory=list)
    taken: list[dict[str, Any]] = field(default_factory=list)

    @property
    def bodies(self) -> list[Any]:
        return [orjson.loads(one["body"]) for one in self.taken]


@contextmanager
def web_server() -> Iterator[Posts]:
    posts = Posts()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            posts.taken.append({"path": self.path, "headers": headers, "body": body})
            status = posts.answers.pop(0) if posts.answers else 204
            self.send_response(status)
            if status == 302:
                self.send_header("Location", f"{posts.url}/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with running(ThreadingHTTPServer(("127.0.0.1", 0), Handler)) as port:
        posts.url = f"http://127.0.0.1:{port}"
        yield posts


@dataclass
class Mailbox:
    """A mail server: what it took, and the mail that it does not take while `refuses`."""

    url: str = ""
    host: str = "127.0.0.1"
    port: int = 0
    refuses: bool = False
    taken: list[EmailMessage] = field(default_factory=list)


@contextmanager
def mail_server() -> Iterator[Mailbox]:
    mailbox = Mailbox()

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self._say("220 ready")
            for line in self.rfile:
                verb = line.split()[0].upper() if line.split() else b""
                if verb == b"DATA":
                    self._say("354 go on")
                    text = b"".join(iter(self.rfile.readline, b".\r\n"))
                    mailbox.taken.append(message_from_bytes(text, policy=policy.default))
                    self._say("250 taken")
                elif verb == b"QUIT":
                    self._say("221 bye")
                    return
                else:
                    self._say("550 not here" if mailbox.refuses and verb == b"RCPT" else "250 yes")

        def _say(self, text: str) -> None:
            self.wfile.write(f"{text}\r\n".encode())

    with running(socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)) as port:
        mailbox.port = port
        mailbox.url = f"smtp://127.0.0.1:{port}"
        yield mailbox


@contextmanager
def running(server: Any) -> Iterator[int]:
    """Run a server in a thread; yield its port."""
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
