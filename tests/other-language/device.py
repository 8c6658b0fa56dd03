"""A simple device: makes operations, pushes and pulls them, and holds the answers to section 8."""

from cbor import encode
from runner import expect, expect_equal


class Device:
    def __init__(self, server, db, name="device-1"):
        self.server = server
        self.db = db
        self.name = name
        self.op_id = 0

    def put(self, entity, base=0, collection="notes", **more):
        """`entity`: a dictionary, or its bytes together with `id` in `more`."""
        entity_id = more.pop("id", None) or entity["id"]
        cbor = entity if isinstance(entity, bytes) else encode(entity)
        return self._operation("PUT", entity_id, cbor, base, collection, more)

    def delete(self, entity_id, base, collection="notes", **more):
        return self._operation("DELETE", entity_id, None, base, collection, more)

    def _operation(self, op_type, entity_id, cbor, base, collection, more):
        self.op_id += 1
        return {
            "opId": self.op_id,
            "dbId": self.db,
            "deviceId": self.name,
            "collection": collection,
            "entityId": entity_id,
            "opType": op_type,
            "entityVersion": base,
            "entityCbor": cbor,
            **more,
        }

    def handshake(self, **more):
        return self.server.call("handshake", {"dbId": self.db, "deviceId": self.name, **more})

    def request(self, ops, **more):
        return {"dbId": self.db, "deviceId": self.name, "ops": ops, **more}

    def push(self, *ops, **more):
        """The answer to a push, after what must hold of every such answer."""
        answer = self.server.call("push", self.request(list(ops), **more))
        outcome = outcomes(answer)
        expect_equal(sorted(outcome), [op["opId"] for op in ops], "operations with an outcome")
        if ops:
            expect_equal(answer["acknowledgedUpToOpId"], ops[-1]["opId"], "acknowledgedUpToOpId")
        written = [v for v in revisions(answer).values() if v > answer["headBefore"]]
        expect_equal(
            sorted(written),
            list(range(answer["headBefore"] + 1, answer["head"] + 1)),
            "revisions given by this request",
        )
        return answer

    def pull(self, since=0, **more):
        page = self.server.call("pull", {"dbId": self.db, "sinceCursor": since, **more})
        ops = page["ops"]
        expect(all(op["entityVersion"] > since for op in ops), "only operations after sinceCursor")
        expect(page["nextCursor"] >= since, "nextCursor does not go back")
        expect_equal(page["hasMore"], page["nextCursor"] < page["head"], "hasMore")
        return page

    def pull_all(self, since=0, **more):
        """All operations from `since` on, and the cursor they lead to."""
        ops = []
        while True:
            page = self.pull(since, **more)
            ops += page["ops"]
            expect(page["nextCursor"] > since or not page["hasMore"], "a page with more moves on")
            since = page["nextCursor"]
            if not page["hasMore"]:
                return ops, since

    def refused(self, ops, status, code, **more):
        return self.server.refused("push", self.request(ops, **more), status, code)


def outcomes(answer):
    """What became of each operation: `committed`, its code of rejection, or its reason of conflict."""
    return {
        **{op["opId"]: "committed" for op in answer["committed"]},
        **{op["opId"]: op["code"] for op in answer["rejected"]},
        **{c["clientOp"]["opId"]: c["reason"] for c in answer["conflicts"]},
    }


def revisions(answer):
    return {op["opId"]: op["entityVersion"] for op in answer["committed"]}


def states(answer):
    """The server's state for each conflict, as (revision, bytes)."""
    return {
        c["clientOp"]["opId"]: (c["serverState"]["entityVersion"], c["serverState"]["entityCbor"])
        for c in answer["conflicts"]
    }
