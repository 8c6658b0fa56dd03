"""A first sync by snapshot (docs/protocol.md, section 7.2).

What it holds in memory a real client would keep durably, changed in the transaction that applies a page.
"""

from messages import is_packed, read_message
from runner import expect, expect_equal
from server import described


class SnapshotClient:
    """Pulls pages and applies them, for the device of a check."""

    def __init__(self, device, limit):
        self.device = device
        self.limit = limit
        self.known = {}  # (collection, entityId) -> (revision, bytes or None)
        self.cursor = 0
        self.place = None  # `through` and `after` of the page before, inside a snapshot
        self.more = True
        self.pages = []  # those of the snapshot

    def finish(self):
        """Pulls until there is no more."""
        while self.more:
            self.pull()

    def pull(self):
        """Asks for one page and applies it; the page."""
        asked = self._asked()
        page = pull_packed(self.device, self.cursor, limit=self.limit, **asked)
        place = page.get("snapshot")
        if place is None:
            expect(self.place is None, "a snapshot is carried on")
            expect_equal(page["hasMore"], page["nextCursor"] < page["head"], "hasMore")
        else:
            self._hold(page, place, asked.get("snapshot"))
            self.pages.append(page)
        for op in page["ops"]:
            self._apply(op)
        self.cursor, self.more = page["nextCursor"], page["hasMore"]
        self.place = place if place is not None and "after" in place else None
        return page

    def _asked(self):
        if self.place is not None:
            return {"snapshot": self.place}
        knows_nothing = self.cursor == 0 and not self.known
        return {"snapshot": {}} if knows_nothing else {}

    def _hold(self, page, place, asked):
        """What must hold of a page of a snapshot."""
        expect(asked is not None, "a page of a snapshot only to who asks for one")
        through = asked.get("through", page["head"])
        expect_equal(place["through"], through, "through")
        expect(len(page["ops"]) <= self.limit, f"at most {self.limit} operations")
        expect(all("tx" not in op for op in page["ops"]), "no groups")
        if "after" in place:
            expect(place["after"] != asked.get("after"), "the place moves on")
            expect_equal((page["nextCursor"], page["hasMore"]), (0, True), "nextCursor, hasMore")
        else:
            more = through < page["head"]
            expect_equal((page["nextCursor"], page["hasMore"]), (through, more), "at the end")

    def _apply(self, op):
        entity = (op["collection"], op["entityId"])
        if op["entityVersion"] > self.known.get(entity, (0, None))[0]:
            self.known[entity] = (op["entityVersion"], op["entityCbor"])


def pull_packed(device, since=0, **more):
    """A page of who reads packed ones, in whichever form it comes."""
    message = {"dbId": device.db, "sinceCursor": since, "packed": 2, **more}
    answer = device.server.post("pull", message)
    expect(answer.status == 200, f"pull answered {described(answer)}")
    name = "PackedPullResponse" if is_packed(answer.body) else "PullResponse"
    return read_message(name, answer.body)


def server_state(device):
    """What the server has, tombstones too, as a pull by cursor tells it."""
    ops, _ = device.pull_all()
    return {(op["collection"], op["entityId"]): (op["entityVersion"], op["entityCbor"]) for op in ops}
