"""The sync client."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx

from llm_observatory import flows
from llm_observatory.downloads import Download
from llm_observatory.errors import ObservatoryError, RefusedError
from llm_observatory.flows import Event
from llm_observatory.operations import Operations
from llm_observatory.settings import Settings, base_url, headers_of
from llm_observatory.values import Text, query_of


class Client(Operations):
    """A connection to the service at `url`, as the holder of `key` (an API key or a token).

        with Client("http://localhost:8080", key="llmo_…") as observatory:
            print(observatory.costs_summary(start_time="now-7d")["overview"])

    Times are `datetime` with an offset or text such as `now-7d`; lists may stand for comma lists; numbers that are not
    whole come as `Decimal`. Without arguments, `OBSERVATORY_URL` and `OBSERVATORY_KEY` are read.
    """

    def __init__(self, url: str | None = None, *, key: str | None = None, **settings: Any) -> None:
        self._settings = Settings(**settings)
        self._http = httpx.Client(
            base_url=base_url(url),
            headers=headers_of(key),
            timeout=self._settings.timeout,
            transport=self._settings.transport,
        )
        self._tags = flows.Tags(self._settings.kept_replies)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        self._http.close()

    def each(self, operation: Callable[..., Any], **given: Any) -> Iterator[Any]:
        """Yield the items of every page of a list: `client.each(client.traces_list, q="status:error")`."""
        listing = flows.pages(given)
        arguments = next(listing)
        while True:
            reply = operation(**arguments)
            yield from flows.items_of(reply)
            try:
                arguments = listing.send(reply)
            except StopIteration:
                return

    def events(self, *types: str, last_event_id: str = "", **filters: Text | float) -> Iterator[Event]:
        """Yield events as they happen, for ever; a stream that breaks off is resumed after its last event.

        Raises `ObservatoryError` when the service refuses the stream.
        """
        reader = flows.EventReader(last_event_id)
        query = query_of({"events": ",".join(types), **filters})
        url = self.me().get("sse_url") or "/api/v1/events"
        attempt = 0
        while True:
            reader.begin()
            headers = {"Last-Event-ID": reader.last_id} if reader.last_id else {}
            try:
                with self._http.stream("GET", url, params=query, headers=headers) as reply:
                    if reply.is_error:
                        reply.read()
                        raise flows.error_of(reply)
                    for line in reply.iter_lines():
                        attempt = 0
                        yield from reader.feed(line)
            except httpx.TransportError:
                pass
            except ObservatoryError as refused:
                if refused.status not in flows.RETRIED:
                    raise
            time.sleep(flows.backed_off(attempt))
            attempt += 1

    def download(self, job_id: str, path: str | Path) -> Path:
        """Write the file of a completed export to `path`, proved by its digest.

        A connection that breaks is resumed where it broke. Raises `ObservatoryError`, `ServiceAwayError` and
        `DigestError`.
        """
        file = Download(Path(path))
        for attempt in range(self._settings.tries):
            try:
                with self._http.stream("GET", flows.file_of(job_id), headers=file.headers()) as reply:
                    if reply.is_error:
                        reply.read()
                    file.begin(reply)
                    for octets in reply.iter_raw():
                        file.write(octets)
                return file.end()
            except (httpx.TransportError, RefusedError) as problem:
                wait = flows.wait_after(problem, attempt, tries=self._settings.tries)
                if wait is None:
                    file.give_up()
                    raise flows.failure_of(problem, job_id) from problem
            time.sleep(wait)
        raise AssertionError("tries is at least 1")

    def export(self, path: str | Path, *, every: float = 1.0, **given: Any) -> Path:
        """Make an export of spans, wait for it, and write its file to `path`.

        Takes what `export_traces` takes. Raises `ObservatoryError` too when the export fails.
        """
        job: Any = self.export_traces(**given)
        while (job := self.export_job(job_id=job["job_id"]))["status"] in flows.UNFINISHED:
            time.sleep(every)
        flows.check_completed(job)
        return self.download(job["job_id"], path)

    def send(self, body: bytes) -> dict[str, Any]:
        """Send OTLP in JSON as an exporter does; return the service's reply. Needs a key that may ingest."""
        headers = {"Content-Type": "application/json"}
        reply = self._run(flows.tried(flows.Send("POST", "/v1/traces", {}, headers, body), tries=self._settings.tries))
        if reply.is_error:
            raise flows.error_of(reply)
        return dict(flows.loads(reply.content))

    def _call(self, method: str, path: str, **given: Any) -> Any:
        return self._run(flows.call(method, path, tags=self._tags, tries=self._settings.tries, **given))

    def _run(self, flow: flows.Flow) -> Any:
        answer: flows.Answer = None
        while True:
            try:
                step = flow.send(answer)
            except StopIteration as end:
                return end.value
            if isinstance(step, flows.Wait):
                time.sleep(step.seconds)
                answer = None
                continue
            try:
                answer = self._http.request(
                    step.method, step.path, params=step.query, headers=step.headers, content=step.content
                )
            except httpx.TransportError as problem:
                answer = problem
