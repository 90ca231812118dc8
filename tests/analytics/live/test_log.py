from analytics.live.log import START

KEY = "llmo:events:7"


def told(client, *numbers, organisation=7):
    for number in numbers:
        client.xadd(f"llmo:events:{organisation}", {"n": number}, id=f"{number}-0")


def places(entries):
    return [place.decode() for place, _ in entries]


def test_what_follows_is_read_by_organisation_beside_a_value(client, with_log):
    told(client, 1, 2, 3)
    told(client, 1, organisation=8)
    client.set("beside", "x")
    found, value = with_log(lambda log: log.read({7: b"1-0", 8: b"1-0", 9: START}, "beside"))

    assert ({number: places(entries) for number, entries in found.items()}, value) == ({7: ["2-0", "3-0"]}, b"x")


def test_a_log_ends_with_its_last_event_or_before_the_first(client, with_log):
    told(client, 1, 2)

    assert (with_log(lambda log: log.last(7)), with_log(lambda log: log.last(8))) == (b"2-0", START)


def test_a_replay_goes_from_behind_one_event_up_to_another_in_portions(client, with_log, monkeypatch):
    monkeypatch.setattr("analytics.live.log._REPLAYED", 2)
    told(client, *range(1, 8))

    async def read(log):
        return [one async for one in log.between(7, "2-0", b"6-0")]

    assert places(with_log(read)) == ["3-0", "4-0", "5-0", "6-0"]


def test_nothing_is_missing_after_what_is_still_there(client, with_log):
    told(client, 1, 2, 3, 4)
    client.xtrim(KEY, maxlen=2, approximate=False)

    assert [with_log(lambda log, at=at: log.holds_all_since(7, at)) for at in ("4-0", "3-0", "2-0", "1-0", "0-0")] == [
        True, True, False, False, False,
    ]  # fmt: skip


def test_nothing_is_missing_since_the_beginning_of_a_log_that_was_not_cut(client, with_log):
    told(client, 1, 2)

    assert [with_log(lambda log, of=of: log.holds_all_since(of, "0-0")) for of in (7, 8)] == [True, True]


def test_of_a_log_that_is_not_there_everything_after_an_event_may_be_missing(client, with_log):
    assert with_log(lambda log: log.holds_all_since(7, "1-0")) is False
