"""Checks of section 9: write before a server restarts or is restored, remember it, look after it."""

import json

from cbor import encode
from device import outcomes, revisions
from messages import read_message
from runner import expect, expect_equal

RAISE = 2**28


class Memory:
    """What a client has stored of its database when the server goes away."""

    def __init__(self, file):
        with open(file, encoding="utf-8") as source:
            stored = json.load(source)
        self.cursor = stored["cursor"]
        self.op_id = stored["opId"]
        self.push = bytes.fromhex(stored["push"])
        self.revisions = {op_id: revision for op_id, revision in stored["revisions"]}
        self.history = [{"epoch": bytes.fromhex(e), "firstCursor": c} for e, c in stored["history"]]
        self.epoch = self.history[-1]["epoch"]
        self.log = [read_message("SyncOperation", bytes.fromhex(op)) for op in stored["log"]]

    def device(self, bench):
        device = bench.device("restart")
        device.op_id = self.op_id
        return device


def write(bench, file):
    """Adds to the database, and leaves in `file` what a client would have stored of it."""
    device = bench.device("restart")
    device.op_id = device.handshake()["lastOpId"]
    name = f"n{device.op_id}-"
    first = device.push(*[device.put({"id": f"{name}{i}", "text": "milk"}) for i in range(50)])
    base = first["committed"][0]["entityVersion"]
    changed = device.put({"id": f"{name}0", "text": "oat milk"}, base)
    ops = [changed, device.put({"id": f"{name}99"})]
    answer = device.push(*ops)
    history = device.handshake()["history"]
    memory = {
        "cursor": answer["head"],
        "opId": device.op_id,
        "push": encode(device.request(ops)).hex(),
        "revisions": list(revisions(answer).items()),
        "history": [[entry["epoch"].hex(), entry["firstCursor"]] for entry in history],
        "log": [encode(op).hex() for op in device.pull_all()[0]],
    }
    with open(file, "w", encoding="utf-8") as out:
        json.dump(memory, out)
    return 0


def point_of(mine, theirs):
    """Up to where two different histories are one: section 9, on the client, step 1."""
    place = 0
    while place < min(len(mine), len(theirs)) and mine[place] == theirs[place]:
        place += 1
    there = [history[place]["firstCursor"] for history in (mine, theirs) if place < len(history)]
    return 0 if place == 0 else min(there) - 1


def restart_checks(file):
    """The same files, opened anew: nothing is lost, the next push begins an epoch."""
    memory = Memory(file)

    def log(bench):
        device = memory.device(bench)
        shaken = device.handshake(epoch=memory.epoch)
        expected = (memory.cursor, memory.epoch)
        expect_equal((shaken["serverCursor"], shaken["epoch"]), expected, "head, epoch")
        expect_equal(device.pull_all(epoch=memory.epoch)[0], memory.log, "log")

    def new_epoch(bench):
        device = memory.device(bench)
        op = device.put({"id": "after"})
        error = device.refused([op], 409, "epoch_mismatch", epoch=memory.epoch)
        theirs = error["details"]["history"]
        expect_equal(theirs[:-1], memory.history, "the history up to the restart")
        expect_equal(theirs[-1]["firstCursor"], memory.cursor + 1, "firstCursor of the new epoch")
        expect_equal(point_of(memory.history, theirs), memory.cursor, "point")
        shaken = device.handshake(epoch=memory.epoch)
        expect_equal(shaken["history"], theirs, "history in a handshake")
        raised = (memory.cursor // RAISE + 1) * RAISE
        expect_equal(shaken["serverCursor"], raised, "head, raised")
        page = device.pull(memory.cursor, epoch=shaken["epoch"])
        expect_equal((page["ops"], page["nextCursor"]), ([], raised), "pull across the raise")
        answer = device.push(op, epoch=shaken["epoch"], sinceCursor=memory.cursor)
        expect_equal(revisions(answer), {op["opId"]: raised + 1}, "revision in the new epoch")

    def repeated(bench):
        answer = bench.server.call("push", memory.push)
        expect_equal(revisions(answer), memory.revisions, "revisions of a push from before")

    def old_pull(bench):
        pull = {"dbId": bench.database("restart"), "sinceCursor": memory.cursor}
        bench.server.refused("pull", {**pull, "epoch": memory.epoch}, 409, "epoch_mismatch")
        expect(bench.server.call("pull", pull)["ops"], "a pull without an epoch is served")

    return [
        ("restart: before any push -> the same epoch, every operation byte for byte", (), log),
        ("restart: the next push -> epoch_mismatch, a new epoch, the head raised", (), new_epoch),
        ("restart: a push from before, sent again -> the same revisions", (), repeated),
        ("restart: a pull under the old epoch -> epoch_mismatch; without one it is served", (), old_pull),
    ]


def restore_checks(file):
    """Older files in the place of newer ones: the client finds the point and gives back what was lost."""
    memory = Memory(file)

    def noticed(bench):
        device = memory.device(bench)
        forgotten = device.handshake()["serverCursor"]
        expect(forgotten < memory.cursor, "the server has forgotten something")
        pull = {"dbId": device.db, "sinceCursor": memory.cursor, "epoch": memory.epoch}
        error = bench.server.refused("pull", pull, 409, "epoch_mismatch")
        theirs = error["details"]["history"]
        expect_equal(theirs[-1]["firstCursor"], forgotten + 1, "firstCursor of the new epoch")
        expect_equal(point_of(memory.history, theirs), forgotten, "point")
        raised = (forgotten // RAISE + 1) * RAISE
        expect_equal(device.handshake()["serverCursor"], raised, "head, raised")

    def given_back(bench):
        device = memory.device(bench)
        shaken = device.handshake(epoch=memory.epoch)
        point = point_of(memory.history, shaken["history"])
        bases, lost = {}, {}
        for op in memory.log:
            if op["entityVersion"] <= point:
                bases[op["entityId"]] = op["entityVersion"]
            else:
                lost[op["entityId"]] = op["entityCbor"]
        ops = [device.put(data, bases.get(i, 0), id=i) for i, data in lost.items()]
        expect(ops, "something is beyond the point")
        answer = device.push(*ops, epoch=shaken["epoch"], sinceCursor=min(memory.cursor, point))
        expect_equal(set(outcomes(answer).values()), {"committed"}, "outcomes")
        now = {op["entityId"]: op["entityCbor"] for op in device.pull_all(epoch=shaken["epoch"])[0]}
        before = {op["entityId"]: op["entityCbor"] for op in memory.log}
        expect_equal(now, before, "entities as they were before the server was restored")

    return [
        ("restored: a cursor beyond the head -> a new epoch, epoch_mismatch, the point", (), noticed),
        ("restored: what lies beyond the point -> given back, every entity as it was", (), given_back),
    ]
