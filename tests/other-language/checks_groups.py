"""Checks of sections 4.1 and 8.2: entities that are refused, groups, rejections."""

from datetime import datetime, timedelta, timezone

from cbor import EPOCH_1970, Pairs, Raw, encode, head
from device import outcomes, revisions, states
from runner import Failure, check, expect, expect_equal

NOTE = encode({"id": "n1"})


def nested(depth):
    """An entity of so many levels, itself included."""
    return encode({"id": "n1", "v": Raw(b"\x81" * (depth - 2) + b"\x80")})


def with_value(item):
    return encode({"id": "n1", "v": Raw(item)})


REFUSED_ENTITIES = {
    "no bytes": b"",
    "truncated": NOTE[:-1],
    "trailing byte": NOTE + b"\x00",
    "another id": encode({"id": "n2"}),
    "no id": encode({"text": "n1"}),
    "id as bytes": encode({"id": b"n1"}),
    "an array": encode(["id", "n1"]),
    "null": encode(None),
    "tag 24": b"\xd8\x18" + encode(NOTE),
    "tagged map": b"\xc1" + NOTE,
    "keys not sorted": encode(Pairs([("text", "a"), ("id", "n1")])),
    "keys not sorted inside": encode({"id": "n1", "v": Pairs([("b", 1), ("a", 2)])}),
    "key twice": encode(Pairs([("id", "n1"), ("id", "n1")])),
    "key not text": encode(Pairs([("id", "n1"), (5, 1)])),
    "map of indefinite length": b"\xbf" + NOTE[1:] + b"\xff",
    "text of indefinite length": with_value(b"\x7f\x61a\xff"),
    "array of indefinite length": with_value(b"\x9f\xff"),
    "length not shortest": b"\xb8\x01" + NOTE[1:],
    "integer not shortest": with_value(b"\x18\x17"),
    "float for an integer": with_value(b"\xf9\x3c\x00"),
    "float that is too long": with_value(b"\xfa\x3f\xc0\x00\x00"),
    "another NaN": with_value(b"\xf9\x7e\x01"),
    "undefined": with_value(b"\xf7"),
    "simple value": with_value(b"\xf0"),
    "unknown tag": with_value(b"\xc0\x61a"),
    "bignum with leading zero": with_value(b"\xc2\x42\x00\x01"),
    "date as text": with_value(b"\xc1\x61a"),
    "whole seconds as float64": with_value(b"\xc1\xfb\x3f\xf0\x00\x00\x00\x00\x00\x00"),
    "text not UTF-8": with_value(b"\x61\xff"),
    "surrogate": with_value(b"\x63\xed\xa0\x80"),
    "length of 2^40": with_value(head(2, 2**40)),
    "array of 2^40": with_value(head(4, 2**40)),
    "map of 2^63": with_value(head(5, 2**63)),
    "65 levels": nested(65),
    "10,000 levels": nested(10_000),
    "300,000 levels": nested(300_000),
    "10,000 open arrays": with_value(b"\x9f" * 10_000),
}


@check("rejection: an entity that breaks section 4.1 -> invalid_entity, the operations around it committed")
def _(bench):
    device = bench.device("invalid-entity")
    for name, entity in REFUSED_ENTITIES.items():
        before, bad, after = (
            device.put({"id": f"{name} before"}),
            device.put(entity, id="n1"),
            device.put({"id": f"{name} after"}),
        )
        outcome = list(outcomes(device.push(before, bad, after)).values())
        if sorted(outcome) != ["committed", "committed", "invalid_entity"]:
            raise Failure(f"{name}: {outcome}")
    ids = {op["entityId"] for op in device.pull_all()[0]}
    expect_equal("n1" in ids, False, "n1 was written")
    expect_equal(len(ids), 2 * len(REFUSED_ENTITIES), "entities written")


@check("entity: every kind of value, 64 levels -> pulled byte for byte")
def _(bench):
    device = bench.device("values")
    entity = {
        "id": "values",
        "integers": [0, 23, 24, 255, 256, 65536, 2**32, 2**53 - 1, -1, -24, -25, -(2**53 - 1)],
        "floats": [0.5, 1.1, 100000.5, -0.0, float("nan"), float("inf"), float("-inf"), 2.0**53, 5e-324],
        "big": [2**53, 2**64, -(2**64) - 1, Raw(b"\xc2\x40"), Raw(b"\xc3\x40"), Raw(b"\xc2\x41\x01")],
        "major 0 and 1": [Raw(head(0, 2**63)), Raw(head(0, 2**64 - 1)), Raw(head(1, 2**64 - 1))],
        "dates": [datetime(2023, 11, 14, 22, 13, 20, tzinfo=timezone.utc), EPOCH_1970],
        "milliseconds": [EPOCH_1970 + timedelta(milliseconds=ms) for ms in (1500, -1, 1700000000001)],
        "rest": [None, True, False, "", "Zoë \U0001f600", b"", bytes(300), [], {}, {"": 1, "__proto__": 2}],
    }
    ops = [device.put(entity), device.put(nested(64), id="n1")]
    expect_equal(set(outcomes(device.push(*ops)).values()), {"committed"}, "outcomes")
    pulled = device.pull_all()[0]
    expect_equal([op["entityCbor"] for op in pulled], [op["entityCbor"] for op in ops], "bytes")


@check("entity: the worked example of encoding.md -> the same bytes here")
def _(bench):
    entity = {
        "id": "p1",
        "name": "Zoë",
        "tags": ["a", "b"],
        "age": 36,
        "score": 0.5,
        "born": EPOCH_1970 + timedelta(milliseconds=-1),
        "joined": datetime(2023, 11, 14, 22, 13, 20, tzinfo=timezone.utc),
        "points": Raw(b"\xc2\x41\x01"),
        "photo": b"\xca\xfe",
    }
    expected = (
        "a9 626964 627031 63616765 1824 64626f726e c1fbbf50624dd2f1a9fc 646e616d65 645a6fc3ab"
        "6474616773 8261616162 6570686f746f 42cafe 6573636f7265 f93800 666a6f696e6564 c11a6553f100"
        "66706f696e7473 c24101"
    )
    expect_equal(encode(entity).hex(), expected.replace(" ", ""), "bytes")
    device = bench.device("worked-example")
    expect_equal(outcomes(device.push(device.put(entity))), {1: "committed"}, "outcome")


@check("rejection: an entity over maxEntityBytes -> too_large; one of exactly that -> committed")
def _(bench):
    device = bench.device("entity-size")
    limit = device.handshake()["limits"]["maxEntityBytes"]
    room = limit - len(encode({"id": "n1", "v": bytes(2**16)})) + 2**16
    fits, exceeds = ({"id": f"n{i}", "v": bytes(room + i - 1)} for i in (1, 2))
    expect_equal(len(encode(fits)), limit, "bytes of the largest entity")
    answer = device.push(device.put(fits), device.put(exceeds))
    expect_equal(outcomes(answer), {1: "committed", 2: "too_large"}, "outcomes")


@check("group: one base is stale -> none written, reasons stale and group, no-ops committed, others flow")
def _(bench):
    device = bench.device("group")
    answer = device.push(device.put({"id": "n1"}), device.put({"id": "n2"}))
    one, two = revisions(answer)[1], revisions(answer)[2]
    answer = device.push(
        device.put({"id": "n1", "v": 2}, 0, tx=4),
        device.put({"id": "n3"}, tx=5),
        device.put({"id": "n4"}, tx=4),
        device.put({"id": "n2"}, 7, tx=4),
        device.delete("n5", 0, tx=4),
        device.put({"id": "n6"}),
    )
    expected = {
        3: "stale",
        4: "committed",
        5: "group",
        6: "committed",
        7: "committed",
        8: "committed",
    }
    expect_equal(outcomes(answer), expected, "outcomes")
    expect_equal(states(answer), {3: (one, NOTE), 5: (0, None)}, "server states")
    expect_equal(revisions(answer), {4: two + 1, 6: two, 7: 0, 8: two + 2}, "revisions")


@check("group: repeated after it was refused -> decided anew, duplicates repeat, the rest as a group")
def _(bench):
    device = bench.device("group-again")
    revision = revisions(device.push(device.put({"id": "n1"})))[1]
    noop, stale, other = (
        device.put({"id": "n1"}, 7, tx=0),
        device.put({"id": "n2"}, 7, tx=0),
        device.put({"id": "n3"}, tx=0),
    )
    for _ in range(2):
        answer = device.push(noop, stale, other)
        expect_equal(outcomes(answer), {2: "committed", 3: "stale", 4: "group"}, "outcomes")
        expect_equal(revisions(answer), {2: revision}, "revisions")
    rest = device.push(noop, {**stale, "entityVersion": 0}, other)
    expect_equal(set(outcomes(rest).values()), {"committed"}, "with a base that holds")


@check("group: one entity is bad -> all rejected, no-ops and conflicts too; other groups are decided")
def _(bench):
    device = bench.device("group-rejected")
    revision = revisions(device.push(device.put({"id": "n1"})))[1]
    answer = device.push(
        device.put({"id": "n1"}, revision, tx=0),
        device.put({"id": "n2"}, 7, tx=0),
        device.put(b"\xff", id="n3", tx=0),
        device.put({"id": "n4"}, tx=0),
        device.put({"id": "n5"}, tx=1),
    )
    expected = {2: "group", 3: "group", 4: "invalid_entity", 5: "group", 6: "committed"}
    expect_equal(outcomes(answer), expected, "outcomes")
    expect(all(op["message"] for op in answer["rejected"]), "a rejection has a message")
    expect_equal(len(device.pull_all()[0]), 2, "operations in the log")


@check("group: a rejected operation -> its opId may be used again with other content")
def _(bench):
    device = bench.device("group-reuse")
    bad = device.put(b"\xff", id="n1")
    expect_equal(outcomes(device.push(bad)), {1: "invalid_entity"}, "rejected")
    good = {**bad, "entityCbor": NOTE}
    expect_equal(outcomes(device.push(good)), {1: "committed"}, "the same opId, another content")
