"""TimescaleDB: hypertables with a chunk a day, older ones in the columnstore."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import ClassVar

from analytics.storage.engines.days import Daily
from analytics.storage.engines.interface import RELATIONS, State, StoredDay

# With the least age that can be set, one day: the day before yesterday is the newest that is packed.
YOUNGEST_PACKED_DAYS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Timescale(Daily):
    """The engine of a database whose spans are in hypertables."""

    name: ClassVar[str] = "timescaledb"
    has_columnstore: ClassVar[bool] = True
    makes_days: ClassVar[bool] = True

    def ensure_days(self, days: Collection[date]) -> int:  # noqa: ARG002  chunks are made as rows arrive
        return 0

    def unpack_freely(self) -> None:
        # A late child moves the mark of a parent that may be in the columnstore. The server refuses a transaction that
        # unpacks 100,000 rows for that, which spans of a busy day can need.
        self._value("SELECT set_config('timescaledb.max_tuples_decompressed_per_dml_transaction', '0', true)")

    def forget_days(self) -> None:
        """Nothing is known of days: a chunk that is gone is made again by the next row."""

    def days(self, relation: str) -> list[StoredDay]:
        rows = self._rows(
            """
            WITH chunks AS (
                SELECT (range_start AT TIME ZONE 'UTC')::date AS day, chunk_schema, chunk_name,
                    format('%%I.%%I', chunk_schema, chunk_name) AS name, is_compressed
                FROM timescaledb_information.chunks
                WHERE hypertable_schema = 'public' AND hypertable_name = %(relation)s
            )
            SELECT day, name, sizes.total_bytes, packed.before_compression_total_bytes, CASE
                WHEN NOT is_compressed THEN 'rows'
                WHEN _timescaledb_functions.chunk_status_text(name::regclass) @> ARRAY['PARTIAL'] THEN 'both'
                ELSE 'columns' END
            FROM chunks
            JOIN chunks_detailed_size(%(relation)s::regclass) AS sizes USING (chunk_schema, chunk_name)
            LEFT JOIN chunk_columnstore_stats(%(relation)s::regclass) AS packed USING (chunk_schema, chunk_name)
            ORDER BY day
            """,
            {"relation": relation},
        )
        return [
            StoredDay(relation=relation, day=day, table=table, bytes=size, bytes_before=before, state=State(state))
            for day, table, size, before, state in rows
        ]

    def compress_day(self, relation: str, day: date) -> bool:
        there: bool = self._value("SELECT observatory_compress_day(%s, %s)", [relation, day])
        return there

    def packed_days(self, days: Collection[date]) -> set[date]:
        # The look takes 2 ms, and no job packs days this young: spans that come in time are spared it.
        newest = datetime.now(UTC).date() - timedelta(days=YOUNGEST_PACKED_DAYS)
        if not (old := sorted(day for day in days if day <= newest)):
            return set()
        rows = self._rows(
            """
            SELECT DISTINCT (range_start AT TIME ZONE 'UTC')::date FROM timescaledb_information.chunks
            WHERE hypertable_schema = 'public' AND hypertable_name = ANY(%s::text[]) AND is_compressed
                AND (range_start AT TIME ZONE 'UTC')::date = ANY(%s::date[])
            """,
            [list(RELATIONS), old],
        )
        return {day for (day,) in rows}
