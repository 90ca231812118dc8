"""Bodies are whole or refused, and slow ones leave threads for what has none."""

import io
from contextlib import ExitStack
from threading import Event, Thread

import pytest
from django.core.handlers.wsgi import WSGIRequest

from errors.exceptions import ApiError
from errors.parsing import NoPlaceError, read_body
from observatory import bodies
from observatory.bodies import Places, WholeBodies


@pytest.fixture(autouse=True)
def _impatient(monkeypatch):
    monkeypatch.setattr(bodies, "PATIENCE_SECONDS", 0.01)


def read(body, *, threads=10, **environ):
    """Return the body as a view of ours reads it."""
    kept = []

    def application(environ, _start_response):
        kept.append(read_body(WSGIRequest(environ), limit=1000))
        return []

    asked = {"REQUEST_METHOD": "POST", "REMOTE_ADDR": "192.0.2.1", "wsgi.input": body, "wsgi.input_terminated": True}
    WholeBodies(application, threads=threads)(asked | environ, None)
    return kept[0]


def test_a_body_is_read_to_its_announced_length():
    assert read(io.BytesIO(b"abcdef"), CONTENT_LENGTH="4") == b"abcd"


def test_a_body_in_chunks_is_read_to_its_end():
    assert read(io.BytesIO(b"abcdef"), HTTP_TRANSFER_ENCODING="chunked") == b"abcdef"


@pytest.mark.parametrize("arrived", [b"", b"abc"])
def test_a_body_that_breaks_off_before_its_length_is_refused(arrived):
    with pytest.raises(ApiError, match="The body ended before all of it had arrived"):
        read(io.BytesIO(arrived), CONTENT_LENGTH="4")


def test_a_body_that_django_reads_at_once_is_refused_when_it_breaks_off():
    def application(environ, _start_response):
        return [WSGIRequest(environ).body]

    asked = {"REQUEST_METHOD": "POST", "CONTENT_LENGTH": "4", "wsgi.input": io.BytesIO(b"abc")}
    with pytest.raises(OSError, match="broke off"):
        WholeBodies(application, threads=10)(asked, None)


def test_lines_of_a_body_end_at_its_length():
    lines = []

    def application(environ, _start_response):
        stream = environ["wsgi.input"]
        lines.extend([stream.readline(), stream.readline(), stream.readline()])
        return []

    asked = {"REQUEST_METHOD": "POST", "CONTENT_LENGTH": "5", "wsgi.input": io.BytesIO(b"ab\ncdef\n")}
    WholeBodies(application, threads=10)(asked, None)

    assert lines == [b"ab\n", b"cd", b""]


class Slow(io.BytesIO):
    """A body that has not come until `came` is set."""

    def __init__(self):
        super().__init__(b"late")
        self.came, self.waits = Event(), Event()

    def read(self, size=-1, /):
        self.waits.set()
        assert self.came.wait(10)
        return super().read(size)


def test_while_slow_bodies_hold_the_places_others_are_told_to_come_again():
    slow = Slow()
    served = []

    def application(environ, _start_response):
        served.append(read_body(WSGIRequest(environ), limit=1000))
        return []

    service = WholeBodies(application, threads=2)

    def send(body):
        service({"REQUEST_METHOD": "POST", "REMOTE_ADDR": "192.0.2.1", "CONTENT_LENGTH": "4", "wsgi.input": body}, None)

    first = Thread(target=send, args=(slow,))
    first.start()
    assert slow.waits.wait(10)
    with pytest.raises(ApiError) as refusal:
        send(io.BytesIO(b"fast"))
    slow.came.set()
    first.join()
    send(io.BytesIO(b"next"))

    assert (refusal.value.spec.code, refusal.value.headers["Retry-After"], served) == (1902, "5", [b"late", b"next"])


@pytest.mark.parametrize(("threads", "of_one", "in_all"), [(1, 1, 1), (2, 1, 1), (4, 2, 3), (10, 6, 8), (20, 12, 16)])
def test_one_address_leaves_places_to_others_and_all_leave_threads(threads, of_one, in_all):
    places, held = Places(threads), {"first": 0, "second": 0}
    with ExitStack() as stack:
        for address in held:
            try:
                while True:
                    stack.enter_context(places.one(address))
                    held[address] += 1
            except NoPlaceError:
                pass

    assert (held["first"], sum(held.values())) == (of_one, in_all)


def test_places_are_free_again_after_a_body_that_broke_off():
    places = Places(1)
    for _ in range(3):
        with pytest.raises(OSError, match="off"), places.one("x"):
            raise OSError("off")
