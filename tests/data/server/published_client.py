"""What the published client can do, done against a server; run in an environment of its own.

    python published_client.py TARGET DATABASE

DATABASE has the state change "credit" and the state views "of-account" and "effective". Each check is
a function; what it came to goes to stdout as JSON: "ok", or what went wrong.
"""

import asyncio
import json
import sys
import traceback
from datetime import UTC, datetime, timedelta

from evidentsource_client import EvidentSource
from evidentsource_core import (
    BinaryEventData,
    BooleanExtension,
    CommandRequest,
    Constraint,
    DatabaseAlreadyExists,
    DatabaseName,
    DatabaseNotFound,
    DatabaseServerError,
    EventTypeAttribute,
    IntegerExtension,
    ProspectiveEvent,
    QueryOptions,
    Range,
    Selector,
    StateChangeName,
    StateViewName,
    StringEventData,
    StringExtension,
    SubjectAttribute,
    EventSubject,
    TransactionOptions,
)

CHECKS = []
VIEW, EFFECTIVE, CHANGE = (
    StateViewName("of-account"),
    StateViewName("effective"),
    StateChangeName("credit"),
)


def check(function):
    CHECKS.append(function)
    return function


def event(number, **fields):
    return ProspectiveEvent(
        **{"id": f"p-{number}", "stream": "accounts", "event_type": "account.credited"} | fields
    )


async def ids(events):
    return [each.id async for each in events]


async def refused(kind, awaitable):
    try:
        await awaitable
    except kind as error:
        return str(error)
    raise AssertionError(f"nothing was refused with {kind.__name__}")


@check
async def databases_are_created_listed_and_deleted(es, _):
    name = DatabaseName("made-by-the-client")
    made = await es.create_database(name)
    assert made.name == name
    assert abs(datetime.now(UTC) - made.created_at) < timedelta(minutes=1)
    assert name in [each async for each in es.list_databases()]
    await refused(DatabaseAlreadyExists, es.create_database(name))
    await es.delete_database(name)
    assert name not in [each async for each in es.list_databases()]
    await refused(DatabaseNotFound, es.delete_database(name))
    await refused(DatabaseNotFound, es.connect_database(name))


@check
async def events_are_committed_and_come_back_whole(es, bank):
    basis = (await bank.latest_database()).revision
    time = datetime(2024, 2, 3, 4, 5, 6, 789_012, tzinfo=UTC)
    sent = event(
        "whole",
        subject="whole",
        data=StringEventData('{"n": 1}'),
        time=time,
        datacontenttype="application/json",
        dataschema="https://example.org/schema",
        extensions={
            "tenant": StringExtension("acme"),
            "retry": IntegerExtension(3),
            "late": BooleanExtension(True),
        },
    )
    after = await bank.transact(
        [sent, event("bytes", subject="whole", data=BinaryEventData(b"\x00\xff"))]
    )
    assert after.revision == basis + 2
    first, second = [each async for each in after.query_events(Selector.subject("whole"))]
    for name in ("id", "event_type", "subject", "data", "time", "datacontenttype", "dataschema"):
        assert getattr(first, name) == getattr(sent, name), name
    assert first.stream() == "accounts"
    assert {name: first.extensions[name] for name in sent.extensions} == sent.extensions
    assert first.extensions["sequence"] == StringExtension(f"{basis + 1:020d}")
    assert "recordedtime" in first.extensions
    assert second.data == BinaryEventData(b"\x00\xff")
    assert second.time is None


@check
async def a_transaction_id_is_done_once(es, bank):
    one = await bank.transact_with_id("client-t-1", [event("once")])
    again = await bank.transact_with_id("client-t-1", [event("once")])
    assert one.revision == again.revision
    text = await refused(DatabaseServerError, bank.transact_with_id("client-t-1", [event("other")]))
    assert "duplicate transaction id: client-t-1" in text


@check
async def options_go_with_a_transaction(es, bank):
    options = TransactionOptions("client-t-2", "correlation", "causation")
    db = await bank.transact_with_options([event("options")], None, options)
    assert db.revision > 0


@check
async def conditions_are_kept_to_and_named_when_they_do_not_hold(es, bank):
    subject = Selector.subject("conditions")
    db = await bank.transact(
        [event("c-1", subject="conditions")], [Constraint.must_not_exist(subject)]
    )
    assert await ids(db.query_events(subject)) == ["p-c-1"]
    for condition in (
        Constraint.must_not_exist(subject),
        Constraint.unchanged_since(subject, 0),
        Constraint.at_revision(subject, db.revision + 1),
        Constraint.range(subject, Range(0, 0)),
        Constraint.min(subject, db.revision + 1),
    ):
        failed = bank.transact([event("c-2", subject="conditions")], [condition])
        assert "conditions[0]" in await refused(DatabaseServerError, failed)
    good = [Constraint.must_exist(subject), Constraint.max(subject, db.revision)]
    await bank.transact([event("c-2", subject="conditions")], good)


@check
async def what_is_wrong_is_said_in_full(es, bank):
    assert "at least one event" in await refused(DatabaseServerError, bank.transact([]))
    text = await refused(DatabaseServerError, bank.transact([event("a\x1fb", stream="7")]))
    assert "invalid stream name" in text and "invalid event id" in text
    await bank.transact([event("twice")])
    assert "duplicate event id: accounts/p-twice" in await refused(
        DatabaseServerError, bank.transact([event("twice")])
    )


@check
async def every_selector_with_one_leaf_selects(es, bank):
    db = await bank.transact(
        [
            event("s-1", stream="selected", event_type="sel.one", subject="sel-1"),
            event("s-2", stream="selected", event_type="sel.two"),
        ]
    )
    for selector, wanted in (
        (Selector.stream("selected"), ["p-s-1", "p-s-2"]),
        (Selector.stream_starts_with("sele"), ["p-s-1", "p-s-2"]),
        (Selector.subject("sel-1"), ["p-s-1"]),
        (Selector.subject_starts_with("sel-"), ["p-s-1"]),
        (Selector.event_type("sel.two"), ["p-s-2"]),
        (Selector.event_type_starts_with("sel."), ["p-s-1", "p-s-2"]),
    ):
        assert await ids(db.query_events(selector)) == wanted
    assert "p-s-2" in await ids(db.query_events(Selector.no_subject()))


@check
async def queries_have_a_direction_and_a_limit(es, bank):
    db = await bank.transact([event(f"q-{n}", stream="queried") for n in range(5)])
    found = db.query_events_with_options(
        Selector.stream("queried"), QueryOptions().reverse().limit(2)
    )
    assert await ids(found) == ["p-q-4", "p-q-3"]


@check
async def a_database_is_read_at_every_revision(es, bank):
    stream = Selector.stream("revisions")
    first = await bank.transact([event("r-1", stream="revisions")])
    second = await bank.transact(
        [event("r-2", stream="revisions"), event("r-3", stream="revisions")]
    )
    assert await ids(first.query_events(stream)) == ["p-r-1"]
    inside = await bank.database_at_revision(second.revision - 1)
    assert inside.revision == second.revision - 1
    assert await ids(inside.query_events(stream)) == ["p-r-1", "p-r-2"]
    assert await ids((await second.at_revision(first.revision)).query_events(stream)) == ["p-r-1"]
    empty = await bank.database_at_revision(0)
    assert (empty.revision, await ids(empty.query_events(stream))) == (0, [])
    assert empty.revision_timestamp == bank.created_at


@check
async def a_database_is_read_at_every_time(es, bank):
    first = await bank.transact([event("t-1")])
    await bank.transact([event("t-2")])
    found = await bank.database_at_timestamp(first.revision_timestamp)
    assert found.revision == first.revision
    long_ago = bank.database_at_timestamp(datetime(2000, 1, 1, tzinfo=UTC))
    await refused(DatabaseNotFound, long_ago)


@check
async def waiting_for_a_revision_ends_when_it_comes(es, bank):
    latest = (await bank.latest_database()).revision
    waiting = asyncio.create_task(bank.database_at_revision(latest + 1))
    await asyncio.sleep(0.2)
    assert not waiting.done()
    await bank.transact([event("awaited")])
    assert (await asyncio.wait_for(waiting, 10)).revision == latest + 1
    never = asyncio.create_task(bank.database_at_revision(latest + 1_000_000))
    await asyncio.sleep(0.1)
    never.cancel()
    await asyncio.gather(never, return_exceptions=True)


@check
async def effective_time_is_a_bound_and_an_order(es, bank):
    stream = Selector.stream("effective")
    day = datetime(2024, 1, 1, tzinfo=UTC)
    times = {"f-1": day + timedelta(2), "f-2": day, "f-3": day + timedelta(5)}
    db = await bank.transact([event(n, stream="effective", time=t) for n, t in times.items()])
    bound = db.at_effective_timestamp(day + timedelta(2))
    assert await ids(bound.query_events(stream)) == ["p-f-2", "p-f-1"]
    last = bound.query_events_with_options(stream, QueryOptions().reverse().limit(1))
    assert await ids(last) == ["p-f-1"]
    later = await bound.at_revision_with_effective_timestamp(db.revision)
    assert later.effective_timestamp == day + timedelta(2)


@check
async def the_log_has_every_transaction_from_where_it_is_asked(es, bank):
    db = await bank.transact([event("l-1"), event("l-2")])
    summaries = [each async for each in bank.log()]
    assert sum(each.event_count for each in summaries) == db.revision
    assert summaries[-1].revision == db.revision
    assert [each.revision async for each in bank.log_from(db.revision)] == [db.revision]
    detail = [each async for each in bank.log_detail()]
    assert [each.summary.revision for each in detail] == [each.revision for each in summaries]
    tail = [each async for each in bank.log_detail_from(db.revision)]
    assert [each.id for each in tail[0].events] == ["p-l-1", "p-l-2"]


@check
async def state_changes_are_executed(es, bank):
    basis = (await bank.latest_database()).revision
    request = CommandRequest.json({"id": "x-1", "account": "executed", "times": 2})
    db = await bank.execute_state_change(CHANGE, 1, request)
    assert db.revision == basis + 2
    assert len(await ids(db.query_events(Selector.subject("executed")))) == 2
    command = CommandRequest.json({"id": "x-2"})
    once = await bank.execute_state_change_with_id(CHANGE, 1, command, "x-id")
    options = TransactionOptions("x-id", "correlation", "causation")
    again = await bank.execute_state_change_with_options(CHANGE, 1, command, options)
    assert once.revision == again.revision


@check
async def every_refusal_of_a_state_change_says_why(es, bank):
    for kind in ("validation", "conflict", "unauthorized", "internal"):
        request = CommandRequest.json({"id": "r", "refuse": kind})
        text = await refused(DatabaseServerError, bank.execute_state_change(CHANGE, 1, request))
        assert "as the command says" in text
    gone = bank.execute_state_change(
        CHANGE, 1, CommandRequest.json({"id": "r", "refuse": "not_found"})
    )
    await refused(DatabaseNotFound, gone)
    await refused(
        DatabaseNotFound, bank.execute_state_change(StateChangeName("none"), 1, CommandRequest())
    )
    text = await refused(
        DatabaseServerError, bank.execute_state_change(CHANGE, 1, CommandRequest())
    )
    assert "body is required" in text
    violated = CommandRequest.json({"id": "v", "violate": True})
    text = await refused(DatabaseServerError, bank.execute_state_change(CHANGE, 1, violated))
    assert "conditions[0]" in text


@check
async def state_views_are_read_with_their_parameters(es, bank):
    first = await bank.transact([event("v-1", subject="viewed")])
    second = await bank.transact([event("v-2", subject="viewed")])
    params = [("account_id", SubjectAttribute(EventSubject("viewed")))]
    view = await second.view_state_with_params(VIEW, 1, params)
    assert (view.content, view.last_modified_revision) == (b"2", second.revision)
    assert view.last_modified_timestamp == second.revision_timestamp
    assert (view.name, view.version, view.content_type) == (VIEW, 1, "application/json")
    assert view.event_selector == Selector.subject("viewed")
    assert (await first.view_state_with_params(VIEW, 1, params)).content == b"1"
    nobody = [("account_id", SubjectAttribute(EventSubject("nobody")))]
    empty = await second.view_state_with_params(VIEW, 1, nobody)
    assert (empty.content, empty.last_modified_revision) == (None, None)
    await refused(DatabaseNotFound, second.view_state(StateViewName("none"), 1))
    wrong = second.view_state_with_params(VIEW, 1, [("account_id", EventTypeAttribute("x"))])
    assert "account_id" in await refused((DatabaseServerError, TypeError, AttributeError), wrong)


@check
async def state_views_are_read_as_of_an_effective_time(es, bank):
    day = datetime(2030, 1, 1, tzinfo=UTC)
    db = await bank.transact(
        [event(f"e-{n}", stream="only-effective", time=day + timedelta(n)) for n in range(3)]
    )
    bound = db.at_effective_timestamp(day + timedelta(1))
    assert (await bound.view_state(EFFECTIVE, 1)).content == b"2"
    assert (await db.view_state(EFFECTIVE, 1)).content == b"3"


@check
async def the_latest_database_is_asked_for_and_the_local_one_is_kept(es, bank):
    other = await es.connect_database(bank.name)
    db = await bank.transact([event("latest")])
    assert bank.local_database().revision == db.revision
    assert other.local_database().revision < db.revision
    assert (await other.latest_database()).revision == db.revision


@check
async def speculation_is_counted_by_the_client(es, bank):
    db = await bank.latest_database()
    speculative = db.speculate_with_transaction([event("sp-1"), event("sp-2")])
    assert speculative.speculated_event_count == 2


@check
async def five_mebibytes_go_in(es, bank):
    db = await bank.transact([event("big", stream="big", data=StringEventData("x" * 5 * 2**20))])
    assert db.revision > 0


# --- what the client itself cannot do; each says why in its name's entry in test_published_client.py


@check
async def selectors_with_and_and_or_select(es, bank):
    db = await bank.transact([event("and", stream="joined", subject="and")])
    both = Selector.stream("joined") & Selector.subject("and")
    assert await ids(db.query_events(both)) == ["p-and"]


@check
async def a_view_over_a_selector_with_and_is_read(es, bank):
    db = await bank.latest_database()
    params = [("account_id", SubjectAttribute(EventSubject("a-1")))]
    await db.view_state_with_params(StateViewName("credits"), 1, params)


@check
async def a_speculative_database_is_queried(es, bank):
    speculative = (await bank.latest_database()).speculate_with_transaction([event("sp-3")])
    assert "p-sp-3" in await ids(speculative.query_events(Selector.stream("accounts")))


@check
async def a_transaction_over_four_mebibytes_is_read_from_the_log(es, bank):
    db = await bank.transact([event("huge", stream="big", data=StringEventData("x" * 5 * 2**20))])
    assert [each async for each in bank.log_detail_from(db.revision)]


async def run(function, target, database):
    async with await EvidentSource.connect(target) as es:
        bank = await es.connect_database(DatabaseName(database))
        try:
            await asyncio.wait_for(function(es, bank), 30)
        except BaseException:
            return traceback.format_exc()
    return "ok"


async def main(target, database):
    return {each.__name__: await run(each, target, database) for each in CHECKS}


if __name__ == "__main__":
    print(json.dumps(asyncio.run(main(*sys.argv[1:3]))))
