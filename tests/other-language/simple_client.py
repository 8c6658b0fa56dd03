"""A whole client that knows no extension: docs/protocol.md, section 15, rule by rule.

What it holds in memory a real one would keep durably, changed in the same places at the same time.
"""

from cbor import encode
from messages import read_message


class AnswerLost(Exception):
    """The server has processed the request, and the client does not know it."""


class SimpleClient:
    """Entities of one collection. `merge(local, remote)` decides conflicts; None is absent."""

    def __init__(self, server, db, name, merge, loses):
        self.server = server
        self.db = db
        self.name = name
        self.merge = merge
        self.loses = loses
        self.op_id = 0
        self.cursor = 0
        self.known = {}  # entityId -> (revision, bytes), as last pulled
        self.edits = {}  # entityId -> (base, bytes), not pushed yet
        self.echoes = {}  # entityId -> operation that was decided, its revision still unknown
        self.frozen = None  # a push whose answer has not come: (operations, body)

    def read(self, entity_id):
        """What the application sees: the newest local state."""
        for newer in (self.edits, self._sent(), self.known):
            if entity_id in newer:
                return newer[entity_id][1]
        return None

    def write(self, entity_id, data):
        """An edit; its base is the revision that was seen when the first unpushed edit was made."""
        if entity_id in self.edits:
            base = self.edits[entity_id][0]
        elif entity_id in self._sent():
            base = None  # made on an operation whose revision is not known yet
        else:
            base = self.known.get(entity_id, (0, None))[0]
        self.edits[entity_id] = (base, data)

    def sync(self):
        """One cycle. After `AnswerLost` the next one begins with the same push, unchanged."""
        if self.frozen is not None:
            self._send()
        self._pull()
        self._freeze()
        if self.frozen is not None:
            self._send()

    @property
    def settled(self):
        return not self.edits and not self.echoes and self.frozen is None

    def _sent(self):
        frozen = self.frozen[0] if self.frozen else []
        ops = [*self.echoes.values(), *frozen]
        return {op["entityId"]: (op["entityVersion"], op["entityCbor"]) for op in ops}

    def _freeze(self):
        """Right after a pull no echo is missing, so that every edit has its base."""
        ops = []
        for entity_id, (base, data) in self.edits.items():
            self.op_id += 1
            ops.append(self._operation(entity_id, base, data))
        self.edits = {}
        if ops:
            request = {"dbId": self.db, "deviceId": self.name, "ops": ops}
            self.frozen = (ops, encode(request))

    def _operation(self, entity_id, base, data):
        return {
            "opId": self.op_id,
            "dbId": self.db,
            "deviceId": self.name,
            "collection": "notes",
            "entityId": entity_id,
            "opType": "DELETE" if data is None else "PUT",
            "entityVersion": base,
            "entityCbor": data,
        }

    def _send(self):
        ops, body = self.frozen
        conflicts = self._call("push", "PushResponse", body)["conflicts"]
        self.frozen = None
        refused = {conflict["clientOp"]["opId"]: conflict["serverState"] for conflict in conflicts}
        for op in ops:
            if op["opId"] in refused:
                self._resolve(op, refused[op["opId"]])
            else:
                self.echoes[op["entityId"]] = op

    def _resolve(self, op, state):
        """The newest local state and the server's become an edit on the server's revision."""
        _, local = self.edits.get(op["entityId"], (None, op["entityCbor"]))
        merged = self.merge(local, state["entityCbor"])
        self.edits[op["entityId"]] = (state["entityVersion"], merged)

    def _pull(self):
        more = True
        while more:
            request = {"dbId": self.db, "sinceCursor": self.cursor, "limit": 7}
            page = self._call("pull", "PullResponse", encode(request))
            for op in page["ops"]:
                self._apply(op)
            self.cursor, more = page["nextCursor"], page["hasMore"]
        # The head is later than every push that was answered: what brought no echo wrote nothing.
        for entity_id, op in list(self.echoes.items()):
            self._settle(entity_id, op["entityVersion"])

    def _apply(self, op):
        entity_id, revision = op["entityId"], op["entityVersion"]
        if revision <= self.known.get(entity_id, (0, None))[0]:
            return
        self.known[entity_id] = (revision, op["entityCbor"])
        own = self.echoes.get(entity_id)
        if own is not None and _is_echo(op, own):
            self._settle(entity_id, revision)

    def _settle(self, entity_id, revision):
        """The operation is decided: a later edit of the entity was made on this revision."""
        del self.echoes[entity_id]
        if entity_id in self.edits and self.edits[entity_id][0] is None:
            self.edits[entity_id] = (revision, self.edits[entity_id][1])

    def _call(self, endpoint, answer, body):
        response = self.server.post(endpoint, body)
        if response.status != 200:
            raise AssertionError(f"{endpoint} answered {response.status}")
        if self.loses():
            raise AnswerLost()
        return read_message(answer, response.body)


def _is_echo(pulled, own):
    keys = ("deviceId", "opId", "collection", "entityId", "entityCbor")
    return all(pulled[key] == own[key] for key in keys)
