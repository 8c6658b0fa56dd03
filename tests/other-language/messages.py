"""The messages of docs/protocol.md as readers: bytes in, a dictionary of the known fields out.

`read_message(name, data)` refuses with `Malformed` what the page forbids. Writing needs no counterpart:
`cbor.encode` of a dictionary with the same keys is the message.
"""

import re

from cbor import Malformed, Reader
from packed import SHAPE_KEYS_MAX, SHAPES_MAX, unpack

NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,127}")
COLLECTION = re.compile(r"[A-Za-z0-9-][A-Za-z0-9_-]{0,63}")


def uint(reader):
    return reader.uint()


def integer(reader):
    return reader.int()


def text(reader):
    return reader.text()


def octets(reader):
    return reader.bytes()


def boolean(reader):
    return reader.boolean()


def between(low, high):
    def read(reader):
        value = reader.uint()
        if not low <= value <= high:
            raise Malformed("out of range")
        return value

    return read


positive = between(1, 2**53 - 1)


def exactly(size):
    def read(reader):
        value = reader.bytes()
        if len(value) != size:
            raise Malformed(f"must be {size} bytes")
        return value

    return read


def one_of(*values):
    def read(reader):
        value = reader.text()
        if value not in values:
            raise Malformed("unexpected value")
        return value

    return read


def matching(pattern, reserved=()):
    def read(reader):
        value = reader.text()
        if pattern.fullmatch(value) is None or value in reserved:
            raise Malformed("not a valid name")
        return value

    return read


def text_within(most):
    def read(reader):
        value = reader.text()
        if not 1 <= len(value.encode("utf-8")) <= most:
            raise Malformed(f"must be 1 to {most} bytes")
        return value

    return read


entity_id = text_within(512)
snapshot_after = text_within(1024)


def bytes_or_null(reader):
    return None if reader.null_follows() else reader.bytes()


def version(reader):
    if reader.array_size() != 2:
        raise Malformed("must be [major, minor]")
    return [reader.uint(), reader.uint()]


def list_of(read_item, most=2**53 - 1):
    def read(reader):
        size = reader.array_size()
        if size > most:
            raise Malformed("too many items")
        return [_named(f"[{i}]", read_item, reader) for i in range(size)]

    return read


def map_of(read_key, read_value):
    """A map whose keys are data, such as collection names."""

    def read(reader):
        values = {}
        for _ in range(reader.map_size()):
            key = read_key(reader)
            if key in values:
                raise Malformed("duplicate key")
            values[key] = _named(f".{key}", read_value, reader)
        return values

    return read


def record(required, optional=None, check=None):
    """A map of known fields. Unknown keys are skipped; `check` sees the fields together."""
    fields = {**required, **(optional or {})}

    def read(reader):
        values, seen = {}, set()
        for _ in range(reader.map_size()):
            key = reader.text()
            if key in seen:
                raise Malformed("duplicate key", f".{key}")
            seen.add(key)
            if key in fields:
                values[key] = _named(f".{key}", fields[key], reader)
            else:
                reader.skip()
        for key in required:
            if key not in values:
                raise Malformed("missing", f".{key}")
        if check is not None:
            check(values)
        return values

    return read


def _named(step, read, reader):
    try:
        return read(reader)
    except Malformed as error:
        raise Malformed(error.reason, step + error.path) from None


def _rising(values, key, path):
    for i in range(1, len(values)):
        if values[i][key] <= values[i - 1][key]:
            raise Malformed("must increase", f".{path}[{i}].{key}")


db_id = matching(NAME)
author = matching(NAME)
device_id = matching(NAME, reserved=("server",))
collection = matching(COLLECTION)
id16 = exactly(16)


def _check_operation(op):
    if op["opId"] == 0 and op["deviceId"] != "server":
        raise Malformed("0 is only for operations of the server", ".opId")
    if (op["opType"] == "PUT") != (op["entityCbor"] is not None):
        raise Malformed("bytes for PUT, null for DELETE", ".entityCbor")


def _check_pushed(op):
    _check_operation(op)
    if op["opId"] == 0:
        raise Malformed("out of range", ".opId")


def _check_pulled(op):
    _check_operation(op)
    if op["entityVersion"] == 0:
        raise Malformed("must be a revision", ".entityVersion")


def _operation(check):
    required = {
        "opId": uint,
        "dbId": db_id,
        "deviceId": author,
        "collection": collection,
        "entityId": entity_id,
        "opType": one_of("PUT", "DELETE"),
        "entityVersion": uint,
        "entityCbor": bytes_or_null,
    }
    optional = {"timestampMs": integer, "tx": between(0, 2**32 - 1), "schemaVersion": uint}
    return record(required, optional, check)


def _check_push_request(request):
    _rising(request["ops"], "opId", "ops")
    entities = set()
    for i, op in enumerate(request["ops"]):
        for key in ("dbId", "deviceId"):
            if op[key] != request[key]:
                raise Malformed("differs from the request's", f".ops[{i}].{key}")
        entity = (op["collection"], op["entityId"])
        if entity in entities:
            raise Malformed("one operation per entity", f".ops[{i}].entityId")
        entities.add(entity)


def _check_pull_response(page):
    _rising(page["ops"], "entityVersion", "ops")
    # A page of a snapshot has the present state, however new.
    if "snapshot" in page or not page["ops"]:
        return
    if page["nextCursor"] < page["ops"][-1]["entityVersion"]:
        raise Malformed("before the last operation", ".nextCursor")


def _check_server_state(state):
    if state["entityVersion"] == 0 and state["entityCbor"] is not None:
        raise Malformed("an absent entity has no bytes", ".entityCbor")


def _check_conflict(conflict):
    for key in ("collection", "entityId"):
        if conflict[key] != conflict["clientOp"][key]:
            raise Malformed("differs from clientOp", f".{key}")


def _check_push_response(answer):
    committed, rejected = answer.get("committed", []), answer.get("rejected", [])
    conflicts = [conflict["clientOp"] for conflict in answer["conflicts"]]
    seen = set()
    for name, ops in (("committed", committed), ("rejected", rejected), ("conflicts", conflicts)):
        _rising(ops, "opId", name)
        for op in ops:
            if op["opId"] in seen:
                raise Malformed("an operation in two lists", f".{name}")
            seen.add(op["opId"])


def _check_history(holder):
    _rising(holder.get("history", []), "firstCursor", "history")


def _check_verify_response(answer):
    if answer["match"] == ("collections" in answer):
        raise Malformed("exactly when match is false", ".collections")


history = list_of(record({"epoch": id16, "firstCursor": uint}))
capabilities = record(
    {"pull": boolean, "push": boolean, "sse": boolean},
    {
        "groups": boolean,
        "rejections": boolean,
        "digest": boolean,
        "collections": boolean,
        "packed": boolean,
    },
)
LIMITS = ("maxOpsPerPush", "maxPullOps", "maxBodyBytes", "maxEntityBytes", "maxDepth")
conflict = record(
    {
        "collection": collection,
        "entityId": entity_id,
        "clientOp": _operation(_check_pushed),
        "serverState": record(
            {"entityVersion": uint, "entityCbor": bytes_or_null},
            {"schemaVersion": uint},
            _check_server_state,
        ),
    },
    {"reason": one_of("stale", "group")},
    _check_conflict,
)
error_details = record(
    {},
    {"history": history, "supported": list_of(version), "lastOpId": uint, "limit": uint},
    _check_history,
)

snapshot_request = record({}, {"through": uint, "after": snapshot_after})
snapshot_place = record({"through": uint}, {"after": snapshot_after})
operation_kind = record(
    {
        "dbId": db_id,
        "deviceId": author,
        "collection": collection,
        "opType": one_of("PUT", "DELETE"),
    },
    {"schemaVersion": uint, "hasTx": boolean, "hasTimestampMs": boolean},
)
COLUMNS = (
    *("kindIndexes", "revisions", "opIds", "entityIdSizes", "entityIds", "txs", "timestampsMs"),
    *("shapeIndexes", "entitySizes", "entities"),
)
entity_shape = record(
    {"keys": list_of(text, SHAPE_KEYS_MAX), "values": list_of(octets, SHAPE_KEYS_MAX)},
    {"idIndex": uint},
)
packed_fields = record(
    {
        "packed": record(
            {"kinds": list_of(operation_kind)},
            {"shapes": list_of(entity_shape, SHAPES_MAX), **{name: octets for name in COLUMNS}},
        ),
        "nextCursor": uint,
        "hasMore": boolean,
    },
    {
        "head": uint,
        "purgedThrough": uint,
        "snapshot": snapshot_place,
        "ops": list_of(_operation(_check_pulled)),
    },
)


def packed_page(reader):
    """A packed page as the plain one that says the same."""
    page = packed_fields(reader)
    if "ops" in page:
        raise Malformed("both forms", ".packed")
    page["ops"] = _named(".packed", unpack, page.pop("packed"))
    _check_pull_response(page)
    return page


MESSAGES = {
    "SyncOperation": _operation(_check_operation),
    "HandshakeRequest": record(
        {"dbId": db_id, "deviceId": device_id},
        {
            "clientInfo": record({}, {"platform": text, "appVersion": text}),
            "protocol": version,
            "replicaId": id16,
            "lastOpId": uint,
            "epoch": id16,
        },
    ),
    "HandshakeResponse": record(
        {"serverCursor": uint, "capabilities": capabilities},
        {
            "protocol": version,
            "epoch": id16,
            "history": history,
            "lastOpId": uint,
            "limits": record({name: positive for name in LIMITS}),
            "counts": map_of(collection, uint),
            "scope": text,
            "purgedThrough": uint,
        },
        _check_history,
    ),
    "PullRequest": record(
        {"dbId": db_id, "sinceCursor": uint},
        {
            "limit": positive,
            "deviceId": device_id,
            "replicaId": id16,
            "epoch": id16,
            "collections": list_of(collection),
            "packed": positive,
            "snapshot": snapshot_request,
        },
    ),
    "PackedPullResponse": packed_page,
    "PullResponse": record(
        {"ops": list_of(_operation(_check_pulled)), "nextCursor": uint, "hasMore": boolean},
        {"head": uint, "purgedThrough": uint, "snapshot": snapshot_place},
        _check_pull_response,
    ),
    "PushRequest": record(
        {"dbId": db_id, "deviceId": device_id, "ops": list_of(_operation(_check_pushed))},
        {"epoch": id16, "replicaId": id16, "sinceCursor": uint},
        _check_push_request,
    ),
    "PushResponse": record(
        {"acknowledgedUpToOpId": uint, "conflicts": list_of(conflict)},
        {
            "committed": list_of(record({"opId": positive, "entityVersion": uint})),
            "rejected": list_of(record({"opId": positive, "code": text, "message": text})),
            "headBefore": uint,
            "head": uint,
            "purgedThrough": uint,
        },
        _check_push_response,
    ),
    "VerifyRequest": record({"dbId": db_id, "cursor": uint, "digest": exactly(32)}),
    "VerifyResponse": record(
        {"match": boolean}, {"collections": map_of(collection, exactly(32))}, _check_verify_response
    ),
    "ErrorResponse": record(
        {"code": text, "message": text}, {"retryAfterMs": uint, "details": error_details}
    ),
}


def is_packed(data):
    """Whether a page is in the packed form."""
    reader = Reader(data)
    keys = []
    for _ in range(reader.map_size()):
        keys.append(reader.text())
        reader.skip()
    return "packed" in keys


def read_message(name, data):
    """The known fields of a message; `Malformed` if it breaks a rule."""
    reader = Reader(data)
    value = MESSAGES[name](reader)
    reader.end()
    return value
