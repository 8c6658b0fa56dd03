"""CBOR (RFC 8949) as docs/protocol.md, section 4, has it: a deterministic encoder and a strict reader.

The reader is asked for what a message must have at each place and refuses anything else. It trusts no
declared length, and it steps over values it is not asked for without understanding them.
"""

import math
import struct
from datetime import datetime, timedelta, timezone

INT_MAX = 2**53 - 1
SKIP_DEPTH_MAX = 64

UNSIGNED, NEGATIVE, BYTES, TEXT, ARRAY, MAP, TAG, SIMPLE = range(8)
FALSE, TRUE, NULL = b"\xf4", b"\xf5", b"\xf6"
EPOCH_1970 = datetime(1970, 1, 1, tzinfo=timezone.utc)


class Malformed(Exception):
    """Bytes that break a rule; `path` names the field, as in `ops[3].entityVersion`."""

    def __init__(self, reason, path=""):
        super().__init__(f"{path or 'message'}: {reason}")
        self.reason = reason
        self.path = path


class Raw(bytes):
    """Encoded CBOR, written as it is."""


class Pairs(list):
    """A map as (key, value) pairs: written in this order, whatever it is, duplicates too."""


def head(major, argument):
    """The initial bytes of an item, in the shortest form."""
    if argument < 24:
        return bytes([major << 5 | argument])
    for info, size in ((24, 1), (25, 2), (26, 4), (27, 8)):
        if argument < 1 << (8 * size):
            return bytes([major << 5 | info]) + argument.to_bytes(size, "big")
    raise ValueError("an argument has at most 64 bits")


def encode(value):
    """Deterministic CBOR of a message or an entity."""
    if isinstance(value, Raw):
        return bytes(value)
    if value is None:
        return NULL
    if isinstance(value, bool):
        return TRUE if value else FALSE
    if isinstance(value, int):
        return _encode_int(value)
    if isinstance(value, float):
        return _encode_float(value)
    if isinstance(value, bytes):
        return head(BYTES, len(value)) + value
    if isinstance(value, str):
        text = value.encode("utf-8")
        return head(TEXT, len(text)) + text
    if isinstance(value, datetime):
        return _encode_date(value)
    if isinstance(value, Pairs):
        return head(MAP, len(value)) + b"".join(encode(k) + encode(v) for k, v in value)
    if isinstance(value, dict):
        pairs = sorted((encode(k), encode(v)) for k, v in value.items())
        return head(MAP, len(pairs)) + b"".join(k + v for k, v in pairs)
    if isinstance(value, (list, tuple)):
        return head(ARRAY, len(value)) + b"".join(encode(item) for item in value)
    raise TypeError(f"{type(value).__name__} has no CBOR here")


def _encode_int(value):
    if -INT_MAX <= value <= INT_MAX:
        return head(UNSIGNED, value) if value >= 0 else head(NEGATIVE, -1 - value)
    tag, magnitude = (2, value) if value >= 0 else (3, -1 - value)
    return head(TAG, tag) + encode(magnitude.to_bytes((magnitude.bit_length() + 7) // 8, "big"))


def _encode_float(value):
    if math.isnan(value):
        return b"\xf9\x7e\x00"
    if value == 0 and math.copysign(1, value) < 0:
        return b"\xf9\x80\x00"
    if value.is_integer() and abs(value) <= INT_MAX:
        return _encode_int(int(value))
    for initial, form in ((b"\xf9", ">e"), (b"\xfa", ">f")):
        try:
            packed = struct.pack(form, value)
        except OverflowError:
            continue
        if struct.unpack(form, packed)[0] == value:
            return initial + packed
    return b"\xfb" + struct.pack(">d", value)


def _encode_date(value):
    milliseconds = (value - EPOCH_1970) // timedelta(milliseconds=1)
    if milliseconds % 1000 == 0:
        return head(TAG, 1) + _encode_int(milliseconds // 1000)
    return head(TAG, 1) + b"\xfb" + struct.pack(">d", milliseconds / 1000)


class Reader:
    """Reads one item after the other from `data`."""

    def __init__(self, data):
        self.data = data
        self.position = 0

    @property
    def remaining(self):
        return len(self.data) - self.position

    def take(self, size):
        if size > self.remaining:
            raise Malformed("truncated")
        self.position += size
        return self.data[self.position - size : self.position]

    def end(self):
        if self.remaining:
            raise Malformed("trailing bytes")

    def _head(self, shortest=True):
        initial = self.take(1)[0]
        major, info = initial >> 5, initial & 31
        if info < 24:
            return major, info, info
        if info == 31:
            raise Malformed("indefinite length")
        if info > 27:
            raise Malformed("reserved encoding")
        argument = int.from_bytes(self.take(1 << (info - 24)), "big")
        if shortest and major != SIMPLE and head(major, argument)[0] != initial:
            raise Malformed("not in the shortest form")
        return major, info, argument

    def _expect(self, wanted):
        major, _, argument = self._head()
        if major != wanted:
            raise Malformed("unexpected type")
        return argument

    def uint(self):
        value = self._expect(UNSIGNED)
        if value > INT_MAX:
            raise Malformed("integer out of range")
        return value

    def int(self):
        major, _, argument = self._head()
        if major not in (UNSIGNED, NEGATIVE):
            raise Malformed("unexpected type")
        value = argument if major == UNSIGNED else -1 - argument
        if abs(value) > INT_MAX:
            raise Malformed("integer out of range")
        return value

    def bytes(self):
        return bytes(self.take(self._expect(BYTES)))

    def text(self):
        raw = self.take(self._expect(TEXT))
        try:
            return bytes(raw).decode("utf-8")
        except UnicodeDecodeError:
            raise Malformed("text is not UTF-8") from None

    def array_size(self):
        return self._size(ARRAY, 1)

    def map_size(self):
        return self._size(MAP, 2)

    def _size(self, major, items_each):
        size = self._expect(major)
        if size * items_each > self.remaining:
            raise Malformed("a declared length is larger than the input")
        return size

    def boolean(self):
        raw = self.take(1)
        if raw not in (FALSE, TRUE):
            raise Malformed("unexpected type")
        return raw == TRUE

    def null_follows(self):
        """Whether the next item is null; if so, steps over it."""
        if self.remaining and self.data[self.position : self.position + 1] == NULL:
            self.position += 1
            return True
        return False

    def skip(self, depth=1):
        """Steps over one well-formed item of definite length, whatever it is."""
        major, info, argument = self._head(shortest=False)
        if major in (BYTES, TEXT):
            self.take(argument)
        elif major in (ARRAY, MAP):
            self._skip_items(argument * (2 if major == MAP else 1), depth)
        elif major == TAG:
            self._skip_items(1, depth)
        elif major == SIMPLE and info == 24 and argument < 32:
            raise Malformed("reserved encoding")

    def _skip_items(self, count, depth):
        if depth > SKIP_DEPTH_MAX:
            raise Malformed("nested too deep")
        if count > self.remaining:
            raise Malformed("a declared length is larger than the input")
        for _ in range(count):
            self.skip(depth + 1)
