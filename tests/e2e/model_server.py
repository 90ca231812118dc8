"""An OpenAI-compatible server that answers from `EXCHANGES`, so that a test knows every token that was billed."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, ClassVar

from tests.e2e.programs.exchanges import CHATS, EMBEDDING, Exchange

CHUNK_CHARS = 5


@contextmanager
def model_server() -> Iterator[str]:
    """Serve on a free port of the loopback interface and give the base URL for the `openai` client."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/v1"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    routes: ClassVar[dict[str, str]] = {"/v1/chat/completions": "_chat", "/v1/embeddings": "_embedding"}

    def do_POST(self) -> None:
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path not in self.routes:
            self._send(404, {"error": {"message": f"no route {self.path}", "type": "invalid_request_error"}})
        else:
            getattr(self, self.routes[self.path])(request)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name is the base class's
        """Say nothing: standard error belongs to pytest."""

    def _chat(self, request: dict[str, Any]) -> None:
        said = _exchange_of(request)
        if said is None:
            self._send(400, {"error": {"message": "unknown conversation", "type": "invalid_request_error"}})
        elif said.status != 200:
            self._send(said.status, {"error": {"message": said.error, "type": "error", "code": said.error_code}})
        elif request.get("stream"):
            self._stream(said, with_usage=(request.get("stream_options") or {}).get("include_usage", False))
        else:
            time.sleep(said.seconds)
            self._send(200, _completion(said))

    def _embedding(self, request: dict[str, Any]) -> None:
        if request["input"] != EMBEDDING.question:
            self._send(400, {"error": {"message": "unknown text", "type": "invalid_request_error"}})
            return
        vector = {"object": "embedding", "index": 0, "embedding": [0.25, -0.5, 0.125]}
        usage = {"prompt_tokens": EMBEDDING.prompt_tokens, "total_tokens": EMBEDDING.prompt_tokens}
        self._send(200, {"object": "list", "data": [vector], "model": EMBEDDING.answered_by, "usage": usage})

    def _stream(self, said: Exchange, *, with_usage: bool) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True
        chunks = list(_chunks(said, with_usage=with_usage))
        for chunk in chunks:
            time.sleep(said.seconds / len(chunks))
            self.wfile.write(f"data: {json.dumps(chunk)}\n\n".encode())
            self.wfile.flush()
        self.wfile.write(b"data: [DONE]\n\n")

    def _send(self, status: int, body: dict[str, Any]) -> None:
        payload = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(payload)))
        self.end_headers()
        self.wfile.write(payload)


def _exchange_of(request: dict[str, Any]) -> Exchange | None:
    messages = tuple((message["role"], message["content"]) for message in request["messages"])
    return next((said for said in CHATS if (said.model, said.messages) == (request["model"], messages)), None)


def _head(said: Exchange, kind: str) -> dict[str, Any]:
    return {"id": f"chatcmpl-{said.name}", "object": kind, "created": int(time.time()), "model": said.answered_by}


def _completion(said: Exchange) -> dict[str, Any]:
    choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": said.answer}}
    return {**_head(said, "chat.completion"), "choices": [choice], "usage": said.usage}


def _chunks(said: Exchange, *, with_usage: bool) -> Iterator[dict[str, Any]]:
    """Yield the chunks of a streamed reply; usage comes last, in a chunk without choices."""
    head = _head(said, "chat.completion.chunk")
    pieces = [said.answer[at : at + CHUNK_CHARS] for at in range(0, len(said.answer), CHUNK_CHARS)]
    deltas: list[tuple[dict[str, str], str | None]] = [({"role": "assistant", "content": ""}, None)]
    deltas += [({"content": piece}, None) for piece in pieces]
    deltas.append(({}, "stop"))
    for delta, finish_reason in deltas:
        choice = {"index": 0, "delta": delta, "finish_reason": finish_reason}
        yield {**head, "choices": [choice]} | ({"usage": None} if with_usage else {})
    if with_usage:
        yield {**head, "choices": [], "usage": said.usage}
