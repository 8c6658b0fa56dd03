"""Checks of section 9 around a restart: write before it, remember it in a file, look after it."""

import json

from cbor import encode
from device import revisions
from runner import expect, expect_equal

RAISE = 2**28


def write(bench, file):
    """Leaves a database behind, and in `file` what a client would have stored of it."""
    device = bench.device("restart")
    first = device.push(*[device.put({"id": f"n{i}", "text": "milk"}) for i in range(50)])
    ops = [device.put({"id": "n0", "text": "oat milk"}, revisions(first)[1]), device.put({"id": "n99"})]
    answer = device.push(*ops)
    shaken = device.handshake()
    body = encode(device.request(ops))
    memory = {
        "cursor": answer["head"],
        "epoch": shaken["epoch"].hex(),
        "history": [[entry["epoch"].hex(), entry["firstCursor"]] for entry in shaken["history"]],
        "opId": device.op_id,
        "push": body.hex(),
        "revisions": [[op_id, revision] for op_id, revision in revisions(answer).items()],
        "log": [encode(op).hex() for op in device.pull_all()[0]],
    }
    with open(file, "w", encoding="utf-8") as out:
        json.dump(memory, out)
    return 0


def point_of(mine, theirs):
    """Up to where two histories are one: section 9, on the client, step 1."""
    for i in range(max(len(mine), len(theirs))):
        if i >= len(mine) or i >= len(theirs) or mine[i] != theirs[i]:
            there = [history[i]["firstCursor"] for history in (mine, theirs) if i < len(history)]
            return 0 if i == 0 else min(there) - 1
    return None


def checks(file):
    with open(file, encoding="utf-8") as source:
        memory = json.load(source)
    epoch = bytes.fromhex(memory["epoch"])
    history = [{"epoch": bytes.fromhex(e), "firstCursor": c} for e, c in memory["history"]]
    cursor = memory["cursor"]

    def device_of(bench):
        device = bench.device("restart")
        device.op_id = memory["opId"]
        return device

    def log(bench):
        device = device_of(bench)
        shaken = device.handshake(epoch=epoch)
        expect_equal((shaken["serverCursor"], shaken["epoch"]), (cursor, epoch), "head, epoch")
        expect_equal([encode(op).hex() for op in device.pull_all(epoch=epoch)[0]], memory["log"], "log")

    def new_epoch(bench):
        device = device_of(bench)
        op = device.put({"id": "n100"})
        error = device.refused([op], 409, "epoch_mismatch", epoch=epoch)
        theirs = error["details"]["history"]
        expect_equal(theirs[:-1], history, "the history up to the restart")
        expect_equal(theirs[-1]["firstCursor"], cursor + 1, "firstCursor of the new epoch")
        expect_equal(point_of(history, theirs), cursor, "point")
        shaken = device.handshake(epoch=epoch)
        expect_equal(shaken["history"], theirs, "history in a handshake")
        raised = (cursor // RAISE + 1) * RAISE
        expect_equal(shaken["serverCursor"], raised, "head, raised")
        page = device.pull(cursor, epoch=shaken["epoch"])
        expect_equal((page["ops"], page["nextCursor"]), ([], raised), "pull across the raise")
        answer = device.push(op, epoch=shaken["epoch"], sinceCursor=cursor)
        expect_equal(revisions(answer), {op["opId"]: raised + 1}, "revision in the new epoch")

    def repeated(bench):
        answer = bench.server.call("push", bytes.fromhex(memory["push"]))
        known = {op_id: revision for op_id, revision in memory["revisions"]}
        expect_equal(revisions(answer), known, "revisions of a push from before")

    def old_pull(bench):
        pull = {"dbId": bench.database("restart"), "sinceCursor": cursor}
        bench.server.refused("pull", {**pull, "epoch": epoch}, 409, "epoch_mismatch")
        expect(bench.server.call("pull", pull)["ops"], "a pull without an epoch is served")

    return [
        ("restart: before any push -> the same epoch, every operation byte for byte", (), log),
        ("restart: the next push -> epoch_mismatch, a new epoch, the head raised", (), new_epoch),
        ("restart: a push from before, sent again -> the same revisions", (), repeated),
        ("restart: a pull under the old epoch -> epoch_mismatch; without one it is served", (), old_pull),
    ]
