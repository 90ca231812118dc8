"""Personal data in the texts of a span: found by detectors in linear time, and masked, hashed or removed."""

from analytics.ingest.redaction.redactor import UNREDACTED, Redactor
from analytics.ingest.redaction.texts import redaction_key

__all__ = ["UNREDACTED", "Redactor", "redaction_key"]
