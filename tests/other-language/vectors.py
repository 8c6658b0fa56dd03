"""Checks `cbor.py` and `messages.py` against the vectors of the protocol: python3 vectors.py DIRECTORY

Prints `ok FILE: N` for each file or `FAILED FILE: NAME: why` for each vector, and exits 0 only when
all hold.
"""

import sys

sys.dont_write_bytecode = True

import hashlib
import json
from pathlib import Path

from cbor import Malformed, encode
from messages import read_message

MODULUS = 2**256


def from_json(value):
    """A value as the vectors write it: bytes are {"$bytes": hex}."""
    if isinstance(value, list):
        return [from_json(item) for item in value]
    if isinstance(value, dict):
        if list(value) == ["$bytes"]:
            return bytes.fromhex(value["$bytes"])
        return {key: from_json(item) for key, item in value.items()}
    return value


def content_of(op):
    return [op[k] for k in ("collection", "entityId", "opType", "entityVersion", "entityCbor")]


def digest_input_of(entity):
    return [entity[k] for k in ("collection", "entityId", "entityVersion", "entityCbor")]


def check_message(vector):
    data = bytes.fromhex(vector["cbor"])
    if "error" in vector:
        try:
            read_message(vector["message"], data)
        except Malformed:
            return None
        return "accepted, though it must be refused"
    value = from_json(vector["value"])
    try:
        read = read_message(vector["message"], data)
    except Malformed as error:
        return f"refused: {error}"
    if read != value:
        return f"read as {read}"
    # Packed pages are only read here.
    is_written = vector["canonical"] and vector["message"] != "PackedPullResponse"
    if is_written and encode(value) != data:
        return f"written as {encode(value).hex()}"
    return None


def check_content_hash(vector):
    content = encode(content_of(from_json(vector["operation"])))
    if content.hex() != vector["cbor"]:
        return f"content is {content.hex()}"
    return _differs(hashlib.sha256(content).hexdigest(), vector["sha256"])


def check_digest(vector):
    if "entities" in vector:
        total = 0
        for entity in vector["entities"]:
            hashed = hashlib.sha256(encode(digest_input_of(from_json(entity)))).digest()
            if hashed.hex() != entity["sha256"]:
                return f"hash of {entity['entityId']} is {hashed.hex()}"
            total += int.from_bytes(hashed, "big")
        return _differs(f"{total % MODULUS:064x}", vector["digest"])
    a, b = int(vector["a"], 16), int(vector["b"], 16)
    results = [f"{(a + b) % MODULUS:064x}", f"{(a - b) % MODULUS:064x}"]
    return _differs(results, [vector["sum"], vector["difference"]])


def _differs(actual, expected):
    return None if actual == expected else f"{actual} instead of {expected}"


CHECKS = {"content-hash.json": check_content_hash, "digest.json": check_digest}


def main(directory):
    files = sorted(Path(directory).glob("*.json"))
    failed = 0 if files else 1
    for file in files:
        vectors = json.loads(file.read_text("utf-8"))
        check = CHECKS.get(file.name, check_message)
        reasons = [(vector["name"], check(vector)) for vector in vectors]
        wrong = [(name, why) for name, why in reasons if why is not None]
        failed += len(wrong)
        for name, why in wrong:
            print(f"FAILED {file.name}: {name}: {why}")
        if not wrong:
            print(f"ok {file.name}: {len(vectors)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
