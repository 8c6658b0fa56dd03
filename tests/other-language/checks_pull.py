"""Checks of sections 6, 7, 9 and 14: pages, cursors, epochs, replicas, digests."""

import hashlib

from cbor import encode
from device import revisions
from messages import read_message
from runner import check, expect, expect_equal

OTHER_EPOCH = bytes(range(16))


def digest_of(device):
    """The digest of all live entities as section 14 defines it, from a full pull."""
    live = {}
    ops, cursor = device.pull_all()
    for op in ops:
        live[op["collection"], op["entityId"]] = op
    sums = {}
    for op in live.values():
        if op["entityCbor"] is None:
            continue
        keys = ("collection", "entityId", "entityVersion", "entityCbor")
        hashed = hashlib.sha256(encode([op[key] for key in keys])).digest()
        name = op["collection"]
        sums[name] = (sums.get(name, 0) + int.from_bytes(hashed, "big")) % 2**256
    total = sum(sums.values()) % 2**256
    return cursor, total.to_bytes(32, "big"), {k: v.to_bytes(32, "big") for k, v in sums.items()}


@check("pull: pages with limit -> cursor order, nothing twice, the bytes that were pushed, own ones too")
def _(bench):
    one, two = bench.device("pages"), bench.device("pages", "device-2")
    pushed = []
    for i in range(4):
        for device in (one, two):
            ops = [device.put({"id": f"{device.name}-{i}-{j}", "text": "ü" * j}) for j in range(3)]
            device.push(*ops)
            pushed += ops
    for limit in (1, 2, 5, 24, 25, 10**9):
        ops, cursor = one.pull_all(limit=limit)
        seen = [{**op, "entityVersion": 0} for op in ops]
        expect_equal(seen, pushed, f"operations pulled by {limit}")
        expect_equal(cursor, ops[-1]["entityVersion"], "last cursor")
    expect_equal(len(one.pull(limit=5)["ops"]), 5, "operations of a page")
    expect_equal(one.pull(cursor)["ops"], [], "after the head")


@check("pull: without limit -> maxPullOps")
def _(bench):
    device = bench.device("no-limit")
    limits = device.handshake()["limits"]
    wanted = limits["maxPullOps"] + 1
    for start in range(0, wanted, limits["maxOpsPerPush"]):
        count = min(limits["maxOpsPerPush"], wanted - start)
        device.push(*[device.put({"id": f"n{start + i}"}) for i in range(count)])
    for more in ({}, {"limit": wanted + 5}):
        page = device.pull(**more)
        expect_equal((len(page["ops"]), page["hasMore"]), (limits["maxPullOps"], True), f"page {more}")


@check("pull: bytes of a page are bounded -> several pages, nothing lost")
def _(bench):
    device = bench.device("big-page")
    size = device.handshake()["limits"]["maxEntityBytes"] - 64
    for i in range(40):
        device.push(device.put({"id": f"n{i}", "v": bytes(size)}))
    page = device.pull()
    expect(0 < len(page["ops"]) < 40 and page["hasMore"], f"a page of {len(page['ops'])} operations")
    expect_equal(len(device.pull_all()[0]), 40, "operations in all pages")


@check("pull: groups -> a page never ends inside one, equal tx is one group, two requests are two")
def _(bench):
    device = bench.device("group-pages")
    groups = []
    for i in range(3):
        ops = [device.put({"id": f"n{i}-{j}"}, tx=0) for j in range(4)]
        device.push(*ops)
        groups.append([op["opId"] for op in ops])
    ops = device.pull_all()[0]
    for limit in (1, 3, 5):
        page = device.pull(limit=limit)
        expect_equal(len(page["ops"]) % 4, 0, f"operations of a page with limit {limit}")
        expect_equal(page["nextCursor"], page["ops"][-1]["entityVersion"], "nextCursor")
    seen = {}
    for op in ops:
        seen.setdefault(op["tx"], []).append(op["opId"])
    expect_equal(list(seen.values()), groups, "groups as a reader tells them apart")


@check("pull: groups whose operations are not adjacent -> each a group of its own to the reader")
def _(bench):
    device = bench.device("mixed-groups")
    device.push(*[device.put({"id": f"n{i}"}, tx=i % 2) for i in range(6)])
    ops = device.pull(limit=1)["ops"]
    seen = [op["tx"] for op in ops]
    expect(len(ops) in (3, 6), f"a page of {len(ops)} operations ends inside a group")
    expect_equal(len(set(seen)), len(ops) // 3, "groups in the page")


@check("pull: timestampMs, schemaVersion -> as pushed, absent when absent")
def _(bench):
    device = bench.device("carried")
    ops = [
        device.put({"id": "n1"}, timestampMs=-(2**53 - 1), schemaVersion=2**53 - 1),
        device.put({"id": "n2"}, timestampMs=0),
        device.put({"id": "n3"}),
    ]
    device.push(*ops)
    pulled = [{**op, "entityVersion": 0} for op in device.pull_all()[0]]
    expect_equal(pulled, ops, "operations")
    stale = device.push(device.put({"id": "n1", "v": 2}))
    state = stale["conflicts"][0]["serverState"]
    expect_equal(state["schemaVersion"], 2**53 - 1, "schemaVersion in a conflict")


@check("pull: packed -> what the plain page says; not asked for -> plain")
def _(bench):
    device = bench.device("packed")
    device.push(
        device.put({"id": "n1", "text": "milk"}, timestampMs=-5, schemaVersion=2),
        device.put({"a": 1, "id": "ü" * 256}, tx=0),
        device.put({"id": "n3"}, tx=0, collection="tags"),
        device.put({"id": "n4", "text": [{"id": "n4"}, 1.5, None]}),
        device.put({"id": "n5", "text": "eggs"}),
    )
    for limit in (1, 3):
        message = {"dbId": device.db, "sinceCursor": 0, "limit": limit}
        answer = bench.server.post("pull", {**message, "packed": 2})
        plain = device.pull(limit=limit)
        expect_equal(read_message("PackedPullResponse", answer.body), plain, "the packed page")
        answer = bench.server.post("pull", {**message, "packed": 1})
        expect_equal(read_message("PullResponse", answer.body), plain, "the page for an older form")


@check("pull: collections -> only these, the cursor moves over the rest; none at all is nothing")
def _(bench):
    device = bench.device("filter")
    if not device.handshake()["capabilities"].get("collections"):
        return
    device.push(*[device.put({"id": f"n{i}"}, collection=("notes", "tags")[i % 2]) for i in range(6)])
    ops, cursor = device.pull_all(collections=["tags"], limit=1)
    expect_equal([op["entityId"] for op in ops], ["n1", "n3", "n5"], "operations of tags")
    expect_equal(cursor, device.handshake()["serverCursor"], "cursor")
    ops, last = device.pull_all(collections=[])
    expect_equal((ops, last), ([], cursor), "no collections")


@check("pull: deviceId, replicaId, epoch, unordered fields -> served; wrong ones -> invalid_request")
def _(bench):
    device = bench.device("pull-fields")
    device.push(device.put({"id": "n1"}))
    epoch = device.handshake()["epoch"]
    page = device.pull(deviceId=device.name, replicaId=bytes(16), epoch=epoch, limit=1)
    expect_equal(len(page["ops"]), 1, "operations")
    wrong = (
        {"limit": 0},
        {"limit": -1},
        {"limit": 1.5},
        {"limit": "1"},
        {"limit": None},
        {"epoch": bytes(15)},
        {"replicaId": bytes(17)},
        {"deviceId": "server"},
        {"deviceId": ".d"},
        {"collections": ["_x"]},
        {"collections": None},
        {"sinceCursor": -1},
        {"sinceCursor": 0.5},
    )
    for fields in wrong:
        message = {"dbId": device.db, "sinceCursor": 0, **fields}
        bench.server.refused("pull", message, 400, "invalid_request")


@check("cursor: past the head in the same epoch -> cursor_ahead, for pull and push")
def _(bench):
    device = bench.device("ahead")
    device.push(device.put({"id": "n1"}))
    shaken = device.handshake()
    head = shaken["serverCursor"]
    for more in ({}, {"epoch": shaken["epoch"]}):
        message = {"dbId": device.db, "sinceCursor": head + 1, **more}
        bench.server.refused("pull", message, 422, "cursor_ahead")
        device.refused([], 422, "cursor_ahead", sinceCursor=head + 1, **more)
    expect_equal(device.pull(head)["ops"], [], "at the head")
    device.push(device.put({"id": "n2"}), sinceCursor=head)


@check("epoch: another one in pull and push -> epoch_mismatch with the history; in a handshake no error")
def _(bench):
    device = bench.device("epoch")
    device.push(device.put({"id": "n1"}))
    shaken = device.handshake(epoch=OTHER_EPOCH)
    expect_equal(shaken["history"][-1]["epoch"], shaken["epoch"], "newest of the history")
    pull = {"dbId": device.db, "sinceCursor": 0, "epoch": OTHER_EPOCH}
    for error in (
        bench.server.refused("pull", pull, 409, "epoch_mismatch"),
        bench.server.refused("pull", {**pull, "sinceCursor": 2**53 - 1}, 409, "epoch_mismatch"),
        device.refused([device.put({"id": "n2"})], 409, "epoch_mismatch", epoch=OTHER_EPOCH),
    ):
        expect_equal(error["details"]["history"], shaken["history"], "details.history")
    expect_equal(len(device.pull_all(epoch=shaken["epoch"])[0]), 1, "operations in the log")


@check("replica: the last to shake hands owns the deviceId -> device_conflict for the one before, for ever")
def _(bench):
    device = bench.device("replica")
    first, second, third = (bytes([i]) * 16 for i in (1, 2, 3))
    device.handshake(replicaId=first)
    device.push(device.put({"id": "n1"}), replicaId=first)
    device.handshake(replicaId=second)
    device.push(device.put({"id": "n2"}), replicaId=second)
    shake = {"dbId": device.db, "deviceId": device.name, "replicaId": first}
    pull = {**shake, "sinceCursor": 0}
    bench.server.refused("handshake", shake, 409, "device_conflict")
    bench.server.refused("pull", pull, 409, "device_conflict")
    device.refused([device.put({"id": "n3"})], 409, "device_conflict", replicaId=first)
    expect_equal(device.handshake(replicaId=second)["lastOpId"], 2, "lastOpId")
    device.handshake(replicaId=third)
    bench.server.refused("handshake", shake, 409, "device_conflict")
    device.push(device.put({"id": "n4"}))


@check("verify: a digest computed here -> match; another -> by collection; old cursor -> cursor_moved")
def _(bench):
    device = bench.device("verify")
    if not device.handshake()["capabilities"].get("digest"):
        return
    answer = device.push(
        device.put({"id": "n1"}), device.put({"id": "n2"}), device.put({"id": "t"}, collection="tags")
    )
    device.push(device.put({"id": "n1", "v": 2}, revisions(answer)[1]))
    device.push(device.delete("n2", revisions(answer)[2]))
    cursor, total, by_collection = digest_of(device)
    message = {"dbId": device.db, "cursor": cursor, "digest": total}
    expect_equal(bench.server.call("verify", message), {"match": True}, "own digest")
    wrong = bench.server.call("verify", {**message, "digest": bytes(32)})
    expect_equal(wrong, {"match": False, "collections": by_collection}, "another digest")
    for moved in (cursor - 1, cursor + 1, 0):
        bench.server.refused("verify", {**message, "cursor": moved}, 409, "cursor_moved")
    device.push(device.delete("t", revisions(answer)[3], collection="tags"))
    cursor, total, by_collection = digest_of(device)
    expect_equal(list(by_collection), ["notes"], "collections that are not empty")
    wrong = bench.server.call("verify", {"dbId": device.db, "cursor": cursor, "digest": bytes(32)})
    expect_equal(wrong["collections"], by_collection, "empty ones are omitted")
