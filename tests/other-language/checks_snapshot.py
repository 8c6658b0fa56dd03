"""Checks of section 7.2: snapshots."""

from device import revisions
from runner import check, expect, expect_equal
from snapshot_client import SnapshotClient, pull_packed, server_state


def filled(bench, name):
    """A device that wrote eight entities, and their revisions by id."""
    device = bench.device(name)
    written = {}
    for number in (5, 2, 8, 1, 7, 3, 6, 4):
        op = device.put({"id": f"n{number}", "v": number}, tx=0, timestampMs=number - 3)
        written[op["entityId"]] = revisions(device.push(op))[op["opId"]]
    return device, written


def entities_in(pages):
    return [(op["collection"], op["entityId"]) for page in pages for op in page["ops"]]


@check("snapshot: pages of any size -> each entity once, tombstones too, as pulls tell it")
def _(bench):
    device, written = filled(bench, "snapshot-sizes")
    device.push(device.put({"id": "n1"}, collection="a-tags"), device.delete("n3", written["n3"]))
    state = server_state(device)
    for limit in (1, 2, 3, 9, 5000):
        client = SnapshotClient(device, limit)
        client.finish()
        expect_equal(client.known, state, f"entities by {limit}")
        expect_equal(sorted(entities_in(client.pages)), sorted(state), f"operations by {limit}")
        expect(len(client.pages) <= 9 // limit + 1, f"{len(client.pages)} pages by {limit}")


@check("snapshot: an operation in it -> as in a pull, without its group")
def _(bench):
    device, _ = filled(bench, "snapshot-operations")
    device.push(device.put({"id": "t"}, collection="tags", schemaVersion=3, timestampMs=-5))
    ops = [{k: v for k, v in op.items() if k != "tx"} for op in device.pull_all()[0]]
    expect_equal(pull_packed(device, snapshot={})["ops"], ops, "operations")


@check("snapshot: written and deleted between two pages, before and behind the place -> the server's state")
def _(bench):
    for pages in (1, 2, 3):
        device, written = filled(bench, f"snapshot-between-{pages}")
        lasting = server_state(device)
        client = SnapshotClient(device, 2)
        for _ in range(pages):
            client.pull()
        device.push(
            device.put({"id": "n0", "v": "new"}),
            device.put({"id": "n1", "v": "later"}, written["n1"]),
            device.delete("n2", written["n2"]),
            device.delete("n7", written["n7"]),
            device.put({"id": "n8", "v": "later"}, written["n8"]),
            device.put({"id": "n9", "v": "new"}),
        )
        client.finish()
        expect_equal(client.known, server_state(device), "what the client has")
        seen = entities_in(client.pages)
        expect_equal([seen.count(entity) for entity in lasting], [1] * len(lasting), "each in one page")
        expect_equal(client.cursor, device.handshake()["serverCursor"], "cursor")


@check("snapshot: begun again -> leads to the head of now; a page asked for again -> the same")
def _(bench):
    device, _ = filled(bench, "snapshot-again")
    first = pull_packed(device, snapshot={}, limit=3)
    second = pull_packed(device, snapshot=first["snapshot"], limit=3)
    expect_equal(pull_packed(device, snapshot=first["snapshot"], limit=3), second, "the second page")
    device.push(device.put({"id": "n0"}))
    head = device.handshake()["serverCursor"]
    client = SnapshotClient(device, 3)
    expect_equal(client.pull()["snapshot"]["through"], head, "through")
    client.finish()
    expect_equal(client.known, server_state(device), "what the client has")


@check("snapshot: not packed, or of some collections -> the pull from 0 that it also is")
def _(bench):
    device, _ = filled(bench, "snapshot-plain")
    place = pull_packed(device, snapshot={}, limit=3)["snapshot"]
    for snapshot in ({}, place):
        expect_equal(device.pull(limit=3, snapshot=snapshot), device.pull(limit=3), "not packed")
        page = pull_packed(device, limit=3, snapshot=snapshot, collections=["notes"])
        expect_equal(page, device.pull(limit=3, collections=["notes"]), "of some collections")


@check("snapshot: wrong requests -> invalid_request; through past the head -> cursor_ahead; epoch_mismatch")
def _(bench):
    device, _ = filled(bench, "snapshot-wrong")
    head = device.handshake()["serverCursor"]
    place = {"through": head, "after": "x"}
    message = {"dbId": device.db, "sinceCursor": 0, "packed": 2}
    wrong = (
        {"snapshot": {"through": head}},
        {"snapshot": {"after": "x"}},
        {"snapshot": {}, "sinceCursor": head},
        {"snapshot": place, "sinceCursor": 1},
        {"snapshot": {**place, "after": ""}},
        {"snapshot": {**place, "after": "x" * 1025}},
        {"snapshot": {**place, "after": "ü" * 513}},
        {"snapshot": {**place, "after": b"x"}},
        {"snapshot": {**place, "through": -1}},
        {"snapshot": {**place, "after": None}},
        {"snapshot": None},
        {"snapshot": True},
        {"snapshot": []},
    )
    for fields in wrong:
        bench.server.refused("pull", {**message, **fields}, 400, "invalid_request")
    for after in ("x", "ü" * 512):
        page = pull_packed(device, snapshot={"through": head, "after": after})
        expect_equal((page["ops"], page["nextCursor"], page["hasMore"]), ([], head, False), "behind all")
    ahead = {**message, "snapshot": {**place, "through": head + 1}}
    bench.server.refused("pull", ahead, 422, "cursor_ahead")
    other = {**message, "snapshot": place, "epoch": bytes(range(16))}
    bench.server.refused("pull", other, 409, "epoch_mismatch")
