"""Checks of sections 6 and 8: handshake, push, the accept rule, repeated and reused opIds."""

from cbor import Pairs, Raw, encode
from device import outcomes, revisions, states
from runner import check, expect, expect_equal

FIRST_RAISE = 2**28
OTHER_EPOCH = bytes(range(16))


def shuffled(value):
    """The same message with every map in reverse order and a few keys nobody knows."""
    if isinstance(value, list):
        return [shuffled(item) for item in value]
    if isinstance(value, dict):
        known = [(key, shuffled(item)) for key, item in sorted(value.items(), reverse=True)]
        unknown = [("zz-unknown", [1.5, {"a": None}]), ("", Raw(b"\xc1\x19\x03\xe8"))]
        return Pairs(unknown + known)
    return value


@check("handshake: new database -> every field of its type; no epoch, or the first one and its raise")
def _(bench):
    answer = bench.device("handshake").handshake()
    begun = "epoch" in answer
    expect_equal(answer["serverCursor"], FIRST_RAISE if begun else 0, "serverCursor")
    first = [{"epoch": answer["epoch"], "firstCursor": 1}] if begun else []
    expect_equal((answer["history"], answer["counts"]), (first, {}), "history, counts")
    expect_equal(answer["protocol"], [1, 0], "protocol")
    expect_equal((answer["lastOpId"], answer["purgedThrough"]), (0, 0), "lastOpId, purgedThrough")
    for name in ("pull", "push", "sse", "groups", "rejections"):
        expect(answer["capabilities"][name] is True, f"capability {name}")
    expect("scope" in answer and "limits" in answer, "scope and limits")


@check("handshake: all optional fields, unordered and unknown keys, a later minor version -> answered")
def _(bench):
    device = bench.device("handshake-full")
    message = {
        "dbId": device.db,
        "deviceId": device.name,
        "clientInfo": {"platform": "python", "appVersion": "1"},
        "protocol": [1, 99],
        "replicaId": bytes(16),
        "lastOpId": 41,
        "epoch": OTHER_EPOCH,
    }
    plain = bench.server.call("handshake", message)
    expect_equal(bench.server.call("handshake", encode(shuffled(message))), plain, "same answer")


@check("handshake: another major version -> unsupported_protocol with what is supported")
def _(bench):
    message = {"dbId": bench.database("major"), "deviceId": "d", "protocol": [2, 0]}
    error = bench.server.refused("handshake", message, 400, "unsupported_protocol")
    expect_equal(error["details"]["supported"], [[1, 0]], "details.supported")


@check("handshake: lastOpId -> the highest opId seen, conflicts and rejections too, refused requests not")
def _(bench):
    device = bench.device("last-op-id")
    first, stale, bad = device.put({"id": "n1"}), device.put({"id": "n2"}, 7), device.put(b"\xff", id="n3")
    device.push(first)
    device.push(stale)
    expect_equal(device.handshake()["lastOpId"], 2, "after a conflict")
    device.push(bad)
    expect_equal(device.handshake()["lastOpId"], 3, "after a rejection")
    expect_equal(device.push()["acknowledgedUpToOpId"], 3, "in an empty push")
    device.push(first)
    expect_equal(device.handshake()["lastOpId"], 3, "after an old push, sent again")
    reused = [{**first, "entityCbor": encode({"id": "n1", "v": 2})}, {**first, "opId": 9, "entityId": "n9"}]
    error = device.refused(reused, 409, "op_id_reused")
    expect_equal(error["details"]["lastOpId"], 3, "details.lastOpId")
    expect_equal(device.handshake()["lastOpId"], 3, "after op_id_reused")


@check("push: several entities, unordered and unknown keys -> committed at the next cursors")
def _(bench):
    device = bench.device("push")
    ops = [device.put({"id": f"n{i}", "text": "milk"}, timestampMs=-i) for i in range(5)]
    answer = bench.server.call("push", encode(shuffled(device.request(ops))))
    cursors = {i + 1: FIRST_RAISE + 1 + i for i in range(5)}
    expect_equal(revisions(answer), cursors, "revisions")
    expect_equal(answer["headBefore"], FIRST_RAISE, "headBefore: the new epoch's raise comes first")
    after = device.handshake()
    expect_equal(after["serverCursor"], FIRST_RAISE + 5, "serverCursor")
    expect_equal((after["counts"], after["lastOpId"]), ({"notes": 5}, 5), "counts, lastOpId")
    expect_equal(
        after["history"], [{"epoch": after["epoch"], "firstCursor": 1}], "history of a new database"
    )


@check("push: no operations -> nothing written, the highest opId of the device")
def _(bench):
    device = bench.device("empty-push")
    expect_equal(device.push()["acknowledgedUpToOpId"], 0, "before any push")
    device.push(device.put({"id": "n1"}), device.put({"id": "n2"}))
    answer = device.push()
    expect_equal(answer["acknowledgedUpToOpId"], 2, "after a push")
    expect_equal(answer["headBefore"], answer["head"], "head")


@check("push: repeated -> the same revisions, no new cursor; timestampMs, tx are not content")
def _(bench):
    device = bench.device("repeated")
    first = [device.put({"id": f"n{i}"}, timestampMs=1, tx=0) for i in range(3)]
    answer = device.push(*first)
    other = [{**op, "timestampMs": 2, "tx": 7, "schemaVersion": 5} for op in first]
    for ops in (first, other, first[1:]):
        again = device.push(*ops)
        expected = {op["opId"]: revisions(answer)[op["opId"]] for op in ops}
        expect_equal(revisions(again), expected, "revisions")
        expect_equal((again["headBefore"], again["head"]), (answer["head"],) * 2, "head")
    expect_equal(len(device.pull_all()[0]), 3, "operations in the log")


@check("push: repeated after others wrote the entity -> its recorded revision, still")
def _(bench):
    device, other = bench.device("repeated-late"), bench.device("repeated-late", "device-2")
    op = device.put({"id": "n1", "text": "a"})
    revision = revisions(device.push(op))[1]
    other.push(other.put({"id": "n1", "text": "b"}, revision))
    expect_equal(revisions(device.push(op)), {1: revision}, "revision")


@check("push: an opId with other content -> op_id_reused, nothing written, details.lastOpId")
def _(bench):
    device = bench.device("reused")
    revision = revisions(device.push(device.put({"id": "n1"}), device.put({"id": "n2"})))[2]
    changes = (
        {"entityCbor": encode({"id": "n2", "text": "other"})},
        {"entityVersion": revision},
        {"collection": "tags"},
        {"opType": "DELETE", "entityCbor": None},
    )
    for change in changes:
        reused = {**device.put({"id": "n2"}), "opId": 2, **change}
        new = {**device.put({"id": "n3"}), "opId": 9}
        error = device.refused([reused, new], 409, "op_id_reused")
        expect_equal(error["details"]["lastOpId"], 2, "details.lastOpId")
    expect_equal(len(device.pull_all()[0]), 2, "operations in the log")


@check("push: opIds are per device -> the same opId of another device is another operation")
def _(bench):
    one, two = bench.device("per-device"), bench.device("per-device", "device-2")
    expect_equal(outcomes(one.push(one.put({"id": "n1"}))), {1: "committed"}, "device-1")
    expect_equal(outcomes(two.push(two.put({"id": "n2"}))), {1: "committed"}, "device-2")


@check("push: base is not the current revision -> conflict with the server's state, operation as pushed")
def _(bench):
    device = bench.device("conflict")
    first = revisions(device.push(device.put({"id": "n1", "v": 1})))[1]
    second = revisions(device.push(device.put({"id": "n1", "v": 2}, first)))[2]
    for base in (first, 0, second + 1):
        op = device.put({"id": "n1", "v": 3}, base, timestampMs=5)
        answer = device.push(op)
        conflict = answer["conflicts"][0]
        expect_equal(conflict["clientOp"], op, "clientOp")
        expect_equal((conflict["collection"], conflict["entityId"]), ("notes", "n1"), "entity")
        expect_equal(conflict["reason"], "stale", "reason")
        expect_equal(states(answer)[op["opId"]], (second, encode({"id": "n1", "v": 2})), "state")
        expect_equal(answer["headBefore"], answer["head"], "head")


@check("push: put or delete on an absent entity -> by the table of section 3")
def _(bench):
    device = bench.device("absent")
    answer = device.push(device.put({"id": "n1"}, 7), device.delete("n2", 7), device.delete("n3", 0))
    expect_equal(outcomes(answer), {1: "stale", 2: "committed", 3: "committed"}, "outcomes")
    expect_equal(states(answer), {1: (0, None)}, "state of an absent entity")
    expect_equal(revisions(answer), {2: 0, 3: 0}, "deletes of what is absent")
    expect_equal(device.pull_all()[0], [], "operations in the log")


@check("push: tombstone -> revision of its own, conflict with null, created again only on it")
def _(bench):
    device = bench.device("tombstone")
    born = revisions(device.push(device.put({"id": "n1", "v": 1})))[1]
    died = revisions(device.push(device.delete("n1", born)))[2]
    expect_equal(died, born + 1, "revision of the tombstone")
    for base in (born, 0):
        op = device.put({"id": "n1", "v": 2}, base)
        expect_equal(states(device.push(op)), {op["opId"]: (died, None)}, "conflict")
    repeat = device.delete("n1", born)
    expect_equal(revisions(device.push(repeat)), {repeat["opId"]: died}, "delete of the deleted")
    again = device.put({"id": "n1", "v": 2}, died)
    expect_equal(revisions(device.push(again)), {again["opId"]: died + 1}, "created again")
    expect_equal(device.handshake()["counts"], {"notes": 1}, "counts")
    expect_equal([op["opType"] for op in device.pull_all()[0]], ["PUT", "DELETE", "PUT"], "log")


@check("push: a put of the same bytes -> a no-op at the current revision, whatever its base")
def _(bench):
    device = bench.device("no-op")
    revision = revisions(device.push(device.put({"id": "n1"})))[1]
    for base in (revision, 0, 7):
        op = device.put({"id": "n1"}, base)
        answer = device.push(op)
        expect_equal(revisions(answer), {op["opId"]: revision}, "revision")
        expect_equal(answer["headBefore"], answer["head"], "head")
        expect_equal(revisions(device.push(op)), {op["opId"]: revision}, "repeated")
    changed = {**op, "entityCbor": encode({"id": "n1", "v": 2})}
    device.refused([changed], 409, "op_id_reused")


@check("push: below the floor of the device -> a conflict, unless it is a no-op")
def _(bench):
    device = bench.device("floor")
    device.op_id = 9
    revision = revisions(device.push(device.put({"id": "n1"}), device.put({"id": "n2"})))[10]
    late = {**device.put({"id": "n3"}), "opId": 4}
    same = {**device.put({"id": "n1"}, 7), "opId": 5}
    answer = device.push(late, same)
    expect_equal(outcomes(answer), {4: "stale", 5: "committed"}, "below the floor")
    expect_equal((states(answer)[4], revisions(answer)[5]), ((0, None), revision), "states")
    between = {**device.put({"id": "n4"}), "opId": 20}
    expect_equal(outcomes(device.push(between)), {20: "committed"}, "above it")
    for op_id in (15, 19):
        low = {**device.put({"id": f"n{op_id}"}), "opId": op_id}
        expect_equal(outcomes(device.push(low)), {op_id: "stale"}, "the floor has risen to 20, and stays")


@check("push: opIds, entities, dbId and deviceId that break the form -> invalid_request, nothing written")
def _(bench):
    device = bench.device("form")
    a, b = device.put({"id": "n1"}), device.put({"id": "n2"})
    broken = {
        "falling opIds": [b, a],
        "equal opIds": [a, {**b, "opId": 1}],
        "one entity twice": [a, {**b, "entityId": "n1", "entityCbor": encode({"id": "n1"})}],
        "dbId of another database": [a, {**b, "dbId": "other"}],
        "deviceId of another device": [a, {**b, "deviceId": "other"}],
        "opId 0": [{**a, "opId": 0}],
        "PUT without bytes": [a, {**b, "entityCbor": None}],
        "DELETE with bytes": [a, {**b, "opType": "DELETE"}],
        "unknown opType": [{**a, "opType": "PATCH"}],
        "empty entityId": [{**a, "entityId": ""}],
        "entityId of 513 bytes": [{**a, "entityId": "ü" * 256 + "x"}],
        "collection with _ first": [{**a, "collection": "_notes"}],
        "collection of 65": [{**a, "collection": "c" * 65}],
        "tx of 2^32": [{**a, "tx": 2**32}],
        "timestampMs as float": [{**a, "timestampMs": Raw(b"\xf9\x3c\x00")}],
    }
    for name, ops in broken.items():
        try:
            device.refused(ops, 400, "invalid_request")
        except Exception as error:
            raise type(error)(f"{name}: {error}") from None
    reserved = {"dbId": device.db, "deviceId": "server", "ops": []}
    bench.server.refused("push", reserved, 400, "invalid_request")
    expect_equal(device.pull_all()[0], [], "operations in the log")


@check("push: more than maxOpsPerPush -> too_large with the bound; exactly as many -> committed")
def _(bench):
    device = bench.device("too-many")
    limit = device.handshake()["limits"]["maxOpsPerPush"]
    ops = [device.put({"id": f"n{i}"}) for i in range(limit + 1)]
    error = device.refused(ops, 413, "too_large")
    expect_equal(error["details"]["limit"], limit, "details.limit")
    expect_equal(len(revisions(device.push(*ops[:-1]))), limit, "operations committed")


@check("push: longest names -> committed, and pulled as they were sent")
def _(bench):
    name = bench.database("n").ljust(128, "-")
    device = bench.device_in(name, "d" * 128)
    ids = ["x" * 512, "é" * 256, "\ufeffx", 'a/"b" \U0001f600', "__proto__", "\u0000", "é", "e\u0301"]
    ops = [device.put({"id": i}, collection="-A_z9".ljust(64, "c")) for i in ids]
    ops.append(device.put({"id": "constructor"}, collection="constructor"))
    device.push(*ops)
    pulled = device.pull_all()[0]
    expect_equal([op["entityId"] for op in pulled], [*ids, "constructor"], "entityIds")
    expect_equal(device.handshake()["counts"]["constructor"], 1, "counts")


@check("push: databases share nothing -> same ids, cursors and opIds in two of them")
def _(bench):
    one, two = bench.device("apart-1"), bench.device("apart-2")
    one.push(one.put({"id": "n1", "in": 1}), one.put({"id": "n2"}))
    two.push(two.put({"id": "n1", "in": 2}))
    expect_equal([op["entityCbor"] for op in two.pull_all()[0]], [encode({"id": "n1", "in": 2})], "2")
    expect_equal(len(one.pull_all()[0]), 2, "operations in the first")
