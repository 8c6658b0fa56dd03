"""Packed pages (docs/protocol.md, section 7.1): the operations that the columns of a page say."""

from cbor import MAP, Malformed, Reader, encode, head

OPERATIONS_MAX = 100_000
SHAPES_MAX = 128
SHAPE_KEYS_MAX = 128
KEY_BYTES_MAX = 16 * 1024 * 1024
INT_MAX = 2**53 - 1


class Column:
    """A CBOR sequence in a byte string, read item by item."""

    def __init__(self, packed, name):
        self.name = name
        self.reader = Reader(packed.get(name, b""))

    def next(self, low=-INT_MAX, high=INT_MAX):
        value = self.reader.int()
        if not low <= value <= high:
            raise Malformed("out of range", f".{self.name}")
        return value

    def end(self):
        self.reader.end()


class Pieces:
    """Byte strings behind each other, whose sizes are a column."""

    def __init__(self, packed, name, sizes):
        self.name = name
        self.data = packed.get(name, b"")
        self.sizes = Column(packed, sizes)
        self.at = 0

    def next(self, low=0, high=INT_MAX):
        size = self.sizes.next(low, high)
        if size > len(self.data) - self.at:
            raise Malformed("larger than what there is", f".{self.name}")
        self.at += size
        return self.data[self.at - size : self.at]

    def end(self):
        self.sizes.end()
        if self.at != len(self.data):
            raise Malformed("bytes left", f".{self.name}")


class Shape:
    """Entities with the same keys: these once, and the values of each key in a column."""

    def __init__(self, shape):
        self.keys = [encode(key) for key in shape["keys"]]
        self.head = head(MAP, len(self.keys))
        self.key_bytes = len(self.head) + sum(len(key) for key in self.keys)
        self.columns = [Reader(values) for values in shape["values"]]
        self.id_index = shape.get("idIndex")
        if len(self.columns) != len(self.keys):
            raise Malformed("not a column for each key", ".shapes")
        if self.id_index is not None and self.id_index >= len(self.keys):
            raise Malformed("out of range", ".shapes")

    def entity(self, entity_id):
        parts = [self.head]
        for index, (key, column) in enumerate(zip(self.keys, self.columns)):
            parts += (key, encode(entity_id) if index == self.id_index else next_item(column))
        return b"".join(parts)

    def end(self):
        for column in self.columns:
            column.end()


class Entities:
    """The entities of a page, put together again."""

    def __init__(self, packed):
        self.shapes = [Shape(shape) for shape in packed.get("shapes", ())]
        self.indexes = Column(packed, "shapeIndexes")
        self.whole = Pieces(packed, "entities", "entitySizes")
        self.key_bytes = 0

    def next(self, entity_id):
        index = self.indexes.next(0, len(self.shapes))
        if index == 0:
            return self.whole.next()
        shape = self.shapes[index - 1]
        self.key_bytes += shape.key_bytes
        if self.key_bytes > KEY_BYTES_MAX:
            raise Malformed("too many bytes of keys", ".shapeIndexes")
        return shape.entity(entity_id)

    def end(self):
        for part in (self.indexes, self.whole, *self.shapes):
            part.end()


def next_item(column):
    start = column.position
    column.skip()
    return bytes(column.data[start : column.position])


def unpack(packed):
    """The operations of a page, as a plain one has them."""
    kinds = [{"kind": kind, "opId": 0, "tx": 0, "timestampMs": 0} for kind in packed["kinds"]]
    indexes, revisions = Column(packed, "kindIndexes"), Column(packed, "revisions")
    op_ids, txs, times = (Column(packed, name) for name in ("opIds", "txs", "timestampsMs"))
    ids = Pieces(packed, "entityIds", "entityIdSizes")
    entities = Entities(packed)

    def moved(state, key, column, low, high=INT_MAX):
        state[key] += column.next()
        if not low <= state[key] <= high:
            raise Malformed("out of range", f".{column.name}")
        return state[key]

    operations, revision = [], 0
    while indexes.reader.remaining:
        if len(operations) == OPERATIONS_MAX:
            raise Malformed("too many operations", ".kindIndexes")
        state = kinds[indexes.next(0, len(kinds) - 1)]
        kind = state["kind"]
        revision += revisions.next(1)
        if revision > INT_MAX:
            raise Malformed("out of range", ".revisions")
        least = 0 if kind["deviceId"] == "server" else 1
        op = {key: kind[key] for key in ("dbId", "deviceId", "collection", "opType")}
        op["opId"] = moved(state, "opId", op_ids, least)
        op["entityVersion"] = revision
        op["entityId"] = text_of(ids.next(1, 512))
        op["entityCbor"] = None
        if kind["opType"] == "PUT":
            op["entityCbor"] = entities.next(op["entityId"])
        if kind.get("hasTx"):
            op["tx"] = moved(state, "tx", txs, 0, 2**32 - 1)
        if kind.get("hasTimestampMs"):
            op["timestampMs"] = moved(state, "timestampMs", times, -INT_MAX)
        if "schemaVersion" in kind:
            op["schemaVersion"] = kind["schemaVersion"]
        operations.append(op)
    for column in (revisions, op_ids, ids, txs, times, entities):
        column.end()
    return operations


def text_of(data):
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        raise Malformed("not UTF-8", ".entityIds") from None
