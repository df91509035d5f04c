"""Timestamps and durations: reading, writing and their parts."""

from functools import lru_cache
from typing import TYPE_CHECKING, Final

from lambent.cel.errors import Fault
from lambent.cel.operators import duration, timestamp
from lambent.cel.registry import function
from lambent.cel.values import Duration, Timestamp

if TYPE_CHECKING:
    from datetime import datetime, tzinfo

_SECOND: Final = 1_000_000_000
_EPOCH_ORDINAL: Final = 719_163  # of 1970-01-01 in the proleptic Gregorian calendar
_UNITS: Final = {
    "ns": 1, "us": 1000, "µs": 1000, "μs": 1000, "ms": 1_000_000,
    "s": _SECOND, "m": 60 * _SECOND, "h": 3600 * _SECOND,
}  # fmt: skip


@function("timestamp", "string -> timestamp", "A point of time in RFC 3339, such as `2024-05-01T12:00:00Z`.")
def timestamp_from_string(text: str) -> Timestamp:
    import re
    from datetime import datetime

    match = re.fullmatch(
        r"(\d{4}-\d\d-\d\d)[Tt](\d\d:\d\d:\d\d)(?:\.(\d{1,9})\d*)?([Zz]|[+-]\d\d:\d\d)", text, re.ASCII
    )
    if match is None:
        raise Fault("conversion", "the string is not an RFC 3339 time")
    day, clock, fraction, zone = match.groups()
    try:
        moment = datetime.fromisoformat(f"{day}T{clock}{'+00:00' if zone in 'Zz' else zone}")
    except ValueError:
        raise Fault("conversion", "the string is not a time in range") from None
    local_seconds = (
        (moment.toordinal() - _EPOCH_ORDINAL) * 86400 + moment.hour * 3600 + moment.minute * 60 + moment.second
    )
    offset = moment.utcoffset()
    seconds = local_seconds - (int(offset.total_seconds()) if offset else 0)
    return timestamp(seconds * _SECOND + int((fraction or "0").ljust(9, "0")))


@function("timestamp", "int -> timestamp", "A point of time in seconds since 1970.")
def timestamp_from_int(seconds: int) -> Timestamp:
    return timestamp(seconds * _SECOND)


@function("int", "timestamp -> int", "Seconds since 1970.")
def int_from_timestamp(moment: Timestamp) -> int:
    return moment.nanos // _SECOND


@function("int", "duration -> int", "Whole seconds.")
def int_from_duration(span: Duration) -> int:
    return _whole(span.nanos, _SECOND)


@function("string", "timestamp -> string", "The time in RFC 3339, in UTC, with as many decimals as needed.")
def string_from_timestamp(moment: Timestamp) -> str:
    return _utc(moment).isoformat()[:19] + _fraction(moment.nanos % _SECOND) + "Z"


@function("string", "duration -> string", "Seconds with as many decimals as needed, such as `1.5s`.")
def string_from_duration(span: Duration) -> str:
    whole, rest = divmod(abs(span.nanos), _SECOND)
    return f"{'-' * (span.nanos < 0)}{whole}{_fraction(rest)}s"


def _fraction(nanos: int) -> str:
    return f".{nanos:09d}".rstrip("0") if nanos else ""


@function("duration", "string -> duration", "A span such as `90s`, `1h30m` or `-1.5h`.")
def duration_from_string(text: str) -> Duration:
    import re

    sign, rest = (-1, text[1:]) if text[:1] == "-" else (1, text[1:] if text[:1] == "+" else text)
    if rest == "0":
        return Duration(0)
    pieces = re.findall(r"(\d*)(?:\.(\d*))?(ns|us|µs|μs|ms|s|m|h)", rest, re.ASCII)
    if not re.fullmatch(r"(?:(?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+", rest, re.ASCII) or len(rest) > 64:
        raise Fault("conversion", "the string is not a duration")
    total = 0
    for whole, decimals, unit in pieces:
        total += int(whole or 0) * _UNITS[unit]
        if decimals:
            total += int(decimals) * _UNITS[unit] // 10 ** len(decimals)
    return duration(sign * total)


@function("duration", "int -> duration", "A span of so many seconds.")
def duration_from_int(seconds: int) -> Duration:
    return duration(seconds * _SECOND)


def _whole(nanos: int, unit: int) -> int:
    """Whole units, truncated toward zero."""
    return nanos // unit if nanos >= 0 else -(-nanos // unit)


@function("getHours", "duration -> int", "Whole hours.")
def duration_hours(span: Duration) -> int:
    return _whole(span.nanos, 3600 * _SECOND)


@function("getMinutes", "duration -> int", "Whole minutes.")
def duration_minutes(span: Duration) -> int:
    return _whole(span.nanos, 60 * _SECOND)


@function("getSeconds", "duration -> int", "Whole seconds.")
def duration_seconds(span: Duration) -> int:
    return _whole(span.nanos, _SECOND)


@function("getMilliseconds", "duration -> int", "The milliseconds beyond the whole seconds.")
def duration_milliseconds(span: Duration) -> int:
    return _whole(span.nanos, 1_000_000) - 1000 * _whole(span.nanos, _SECOND)


@lru_cache(maxsize=256)
def _zone(name: str) -> "tzinfo":
    """A zone by name (`Europe/Berlin`) or offset (`+02:00`)."""
    import re
    from datetime import timedelta, timezone
    from zoneinfo import ZoneInfo

    match = re.fullmatch(r"([+-]?)(\d\d):(\d\d)", name, re.ASCII)
    if match:
        minutes = int(match[2]) * 60 + int(match[3])
        if minutes < 24 * 60:
            return timezone(timedelta(minutes=-minutes if match[1] == "-" else minutes))
    try:
        return ZoneInfo(name)
    except (OSError, ValueError, LookupError):
        raise Fault("argument", "unknown time zone") from None


def _utc(moment: Timestamp) -> "datetime":
    """The time in UTC, without its fraction of a second."""
    from datetime import UTC, datetime, timedelta

    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=moment.nanos // _SECOND)


def _local(moment: Timestamp, zone: str) -> "datetime":
    whole = _utc(moment)
    if zone == "UTC":
        return whole
    try:
        return whole.astimezone(_zone(zone))
    except (OverflowError, ValueError):
        raise Fault("arithmetic", "timestamp out of range") from None


@function("getFullYear", "timestamp -> int", "The year in UTC.")
@function("getFullYear", "timestamp string -> int", "The year in a zone.")
def full_year(moment: Timestamp, zone: str = "UTC") -> int:
    return _local(moment, zone).year


@function("getMonth", "timestamp -> int", "The month in UTC, January is 0.")
@function("getMonth", "timestamp string -> int", "The month in a zone, January is 0.")
def month(moment: Timestamp, zone: str = "UTC") -> int:
    return _local(moment, zone).month - 1


@function("getDate", "timestamp -> int", "The day of the month in UTC, from 1.")
@function("getDate", "timestamp string -> int", "The day of the month in a zone, from 1.")
def date(moment: Timestamp, zone: str = "UTC") -> int:
    return _local(moment, zone).day


@function("getDayOfMonth", "timestamp -> int", "The day of the month in UTC, from 0.")
@function("getDayOfMonth", "timestamp string -> int", "The day of the month in a zone, from 0.")
def day_of_month(moment: Timestamp, zone: str = "UTC") -> int:
    return _local(moment, zone).day - 1


@function("getDayOfWeek", "timestamp -> int", "The day of the week in UTC, Sunday is 0.")
@function("getDayOfWeek", "timestamp string -> int", "The day of the week in a zone, Sunday is 0.")
def day_of_week(moment: Timestamp, zone: str = "UTC") -> int:
    return _local(moment, zone).isoweekday() % 7


@function("getDayOfYear", "timestamp -> int", "The day of the year in UTC, from 0.")
@function("getDayOfYear", "timestamp string -> int", "The day of the year in a zone, from 0.")
def day_of_year(moment: Timestamp, zone: str = "UTC") -> int:
    return _local(moment, zone).timetuple().tm_yday - 1


@function("getHours", "timestamp -> int", "The hour in UTC.")
@function("getHours", "timestamp string -> int", "The hour in a zone.")
def hours(moment: Timestamp, zone: str = "UTC") -> int:
    return _local(moment, zone).hour


@function("getMinutes", "timestamp -> int", "The minute in UTC.")
@function("getMinutes", "timestamp string -> int", "The minute in a zone.")
def minutes(moment: Timestamp, zone: str = "UTC") -> int:
    return _local(moment, zone).minute


@function("getSeconds", "timestamp -> int", "The second in UTC.")
@function("getSeconds", "timestamp string -> int", "The second in a zone.")
def seconds(moment: Timestamp, zone: str = "UTC") -> int:
    return _local(moment, zone).second


@function("getMilliseconds", "timestamp -> int", "The millisecond in UTC.")
@function("getMilliseconds", "timestamp string -> int", "The millisecond in a zone.")
def milliseconds(moment: Timestamp, _zone_name: str = "UTC") -> int:
    return moment.nanos % _SECOND // 1_000_000
