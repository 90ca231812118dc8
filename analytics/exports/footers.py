"""The footer of a Parquet file of many row groups, made of the footers of files of one row group each.

A footer is a struct in Thrift's compact protocol (https://github.com/apache/parquet-format). It is read into fields,
and written back as it was but for what tells of places in the file.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

MAGIC = b"PAR1"
_LENGTH_BYTES = 4
_TRUE, _FALSE, _BYTE, _I16, _I32, _I64, _DOUBLE, _BINARY, _LIST, _STRUCT = 1, 2, 3, 4, 5, 6, 7, 8, 9, 12
_LONG_LIST = 15
_LARGEST_I16 = 0x7FFF
# Field numbers of the format.
_ROWS, _ROW_GROUPS = 3, 4
_COLUMNS, _GROUP_OFFSET, _ORDINAL = 1, 5, 7
_CHUNK_OFFSET, _METADATA, _OFFSET_INDEX, _COLUMN_INDEX = 2, 3, 4, 6
_PAGES = (9, 10, 11, 14)  # data, index and dictionary pages, bloom filter
Struct = dict[int, tuple[int, Any]]  # field number -> type and value


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """The footer of a file of one row group, and by how much its pages lie further behind in the whole file."""

    footer: bytes
    moved: int


def footer_of(file: bytes) -> bytes:
    """Return the footer of a whole Parquet file."""
    length = int.from_bytes(file[-len(MAGIC) - _LENGTH_BYTES : -len(MAGIC)], "little")
    return file[-len(MAGIC) - _LENGTH_BYTES - length : -len(MAGIC) - _LENGTH_BYTES]


def pages_of(file: bytes) -> bytes:
    """Return what lies between the magic number and the footer of a whole Parquet file."""
    return file[len(MAGIC) : -len(MAGIC) - _LENGTH_BYTES - len(footer_of(file))]


def joined(groups: Iterable[Group]) -> bytes:
    """Return what stands behind the pages of all row groups: their footer, its length, the magic number."""
    whole: Struct = {}
    rows = 0
    written: list[bytes] = []
    for group in groups:
        one = _Reader(group.footer).struct()
        whole = whole or one
        rows += one[_ROWS][1]
        for row_group in one[_ROW_GROUPS][1][1]:
            row_group[_ORDINAL] = (_I16, len(written) & _LARGEST_I16)
            written.append(_written(_STRUCT, _moved(row_group, group.moved)))
    whole[_ROWS] = (_I64, rows)
    whole[_ROW_GROUPS] = (_LIST, (_STRUCT, written))
    footer = _written(_STRUCT, whole)
    return footer + len(footer).to_bytes(_LENGTH_BYTES, "little") + MAGIC


def _moved(row_group: Struct, by: int) -> Struct:
    _move(row_group, (_GROUP_OFFSET,), by)
    for chunk in row_group[_COLUMNS][1][1]:
        _move(chunk, (_CHUNK_OFFSET, _OFFSET_INDEX, _COLUMN_INDEX), by)
        _move(chunk[_METADATA][1], _PAGES, by)
    return row_group


def _move(struct: Struct, fields: Iterable[int], by: int) -> None:
    for field in fields:
        kind, place = struct.get(field, (_I64, 0))
        if place:  # 0: not said
            struct[field] = (kind, place + by)


class _Reader:
    """Reads values one after the other."""

    def __init__(self, octets: bytes) -> None:
        self.octets = octets
        self.place = 0

    def struct(self) -> Struct:
        found: Struct = {}
        field = 0
        while head := self._byte():
            kind = head & 0x0F
            field = field + (head >> 4) if head >> 4 else self._whole()
            found[field] = (kind, self._value(kind))
        return found

    def _value(self, kind: int) -> Any:
        if kind in (_TRUE, _FALSE):
            return kind == _TRUE
        return _READ[kind](self)

    def _byte(self) -> int:
        self.place += 1
        return self.octets[self.place - 1]

    def _varint(self) -> int:
        number = shift = 0
        while (byte := self._byte()) & 0x80:
            number |= (byte & 0x7F) << shift
            shift += 7
        return number | byte << shift

    def _whole(self) -> int:
        zigzag = self._varint()
        return (zigzag >> 1) ^ -(zigzag & 1)

    def _take(self, length: int) -> bytes:
        self.place += length
        return self.octets[self.place - length : self.place]

    def _binary(self) -> bytes:
        return self._take(self._varint())

    def _double(self) -> bytes:
        return self._take(8)

    def _list(self) -> tuple[int, list[Any]]:
        head = self._byte()
        length = self._varint() if head >> 4 == _LONG_LIST else head >> 4
        kind = head & 0x0F
        if kind in (_TRUE, _FALSE):
            return kind, [self._byte() == _TRUE for _ in range(length)]
        return kind, [self._value(kind) for _ in range(length)]


_READ: Mapping[int, Any] = {
    _BYTE: _Reader._byte,  # noqa: SLF001  the table of the class above
    _I16: _Reader._whole,  # noqa: SLF001
    _I32: _Reader._whole,  # noqa: SLF001
    _I64: _Reader._whole,  # noqa: SLF001
    _DOUBLE: _Reader._double,  # noqa: SLF001
    _BINARY: _Reader._binary,  # noqa: SLF001
    _LIST: _Reader._list,  # noqa: SLF001
    _STRUCT: _Reader.struct,
}


def _varint(number: int) -> bytes:
    octets = bytearray()
    while number > 0x7F:  # noqa: PLR2004  seven bits a byte
        octets.append(number & 0x7F | 0x80)
        number >>= 7
    octets.append(number)
    return bytes(octets)


def _zigzag(number: int) -> bytes:
    return _varint(number << 1 if number >= 0 else (-number << 1) - 1)


def _written(kind: int, value: Any) -> bytes:
    if isinstance(value, bytes):  # a double, a text, or a struct that was written already
        return _varint(len(value)) + value if kind == _BINARY else value
    if kind == _STRUCT:
        return b"".join(_fields(value)) + b"\0"
    if kind == _LIST:
        return _written_list(*value)
    return bytes([value]) if kind == _BYTE else _zigzag(value)


def _fields(struct: Struct) -> Iterator[bytes]:
    last = 0
    for field, (kind, value) in sorted(struct.items()):
        told = (_TRUE if value else _FALSE) if kind in (_TRUE, _FALSE) else kind
        step = field - last
        yield bytes([step << 4 | told]) if 0 < step <= 15 else bytes([told]) + _zigzag(field)  # noqa: PLR2004  four bits
        if kind not in (_TRUE, _FALSE):
            yield _written(kind, value)
        last = field


def _written_list(kind: int, values: list[Any]) -> bytes:
    if kind in (_TRUE, _FALSE):
        items = bytes(_TRUE if value else _FALSE for value in values)
    else:
        items = b"".join(_written(kind, value) for value in values)
    short = len(values) < _LONG_LIST
    return (
        bytes([len(values) << 4 | kind]) if short else bytes([_LONG_LIST << 4 | kind]) + _varint(len(values))
    ) + items
