"""The rows and expressions whose values record.py records.

Columns have the types that their first letters say: bo, ti, sm, i, j, l, m, f, d, e, s, u, da (a
date), ts (a timestamp), nz (one without a time zone), p and q (decimals).
"""

import datetime
import random

INT_MAX, LONG_MAX = 2**31 - 1, 2**63 - 1
NAN, INF = float("nan"), float("inf")

COLUMNS = {
    "bo": "BOOLEAN",
    "ti": "TINYINT",
    "sm": "SMALLINT",
    "i": "INT",
    "j": "INT",
    "l": "BIGINT",
    "m": "BIGINT",
    "f": "FLOAT",
    "d": "DOUBLE",
    "e": "DOUBLE",
    "s": "STRING",
    "u": "STRING",
    "da": "DATE",
    "ts": "TIMESTAMP",
    "nz": "TIMESTAMP_NTZ",
    "p": "DECIMAL(10,2)",
    "q": "DECIMAL(38,10)",
    "active": "BOOLEAN",
    "total_games": "INT",
    "total_wins": "INT",
    "match_duration": "INT",
    "win_rate": "DOUBLE",
    "kda_ratio": "DOUBLE",
    "avg_kills": "DOUBLE",
    "avg_deaths": "DOUBLE",
    "avg_assists": "DOUBLE",
    "status": "STRING",
    "first_name": "STRING",
    "last_name": "STRING",
}

INTS = [None, 0, 1, -1, 2, 3, -7, 60, 100, INT_MAX, -INT_MAX - 1, 1234567]
LONGS = [
    *(None, 0, 1, -1, 5, -7, 999, 1000, LONG_MAX, -LONG_MAX - 1, INT_MAX + 1, 1704189600000),
    *(9 * 10**18, 9223372036854775, -9223372036854775, 9223372036854776, -9223372036854776),
    *(2**53 + 1, 9223372036854, 9223372036855, -9223372036855),
]
DOUBLES = [
    *(None, 0.0, -0.0, 1.0, -1.0, 0.5, 1.5, 2.5, -2.5, 1.005, 2.675, 0.285, 100.0, 1e-7, 1e7),
    *(NAN, INF, -INF, 1e30, -1e30, 2e23, 5e-324, 1.7976931348623157e308, 2147483647.9, -0.49, 1e22),
    *(123456.789, 0.1, 1 / 3, 2 / 3, 1e15, 1e16, 99.995, 33.335, 1704189600.123456, 9.2e18, 3e9),
    *(-129.7, 40000.5, 1e-5, 12345.675, 4.35, 1.0000000000000002, 9007199254740993.0),
]
FLOATS = [
    *(None, 0.0, -0.0, 1.0, 1.1, 0.1, 16777216.0, 3.4028234663852886e38, 1.401298464324817e-45),
    *(NAN, INF, -INF, 1e10, 2.5, -3.75, 0.001, 1e-4, 1.17549435e-38, 33554432.0, 2.0**31, 123456.7),
    *(1e22, 9.999999e9, 8.5e-40, 2.0**62, 2.0**63, 1.2345679e20, 0.3, 1e7, 9999999.0),
]
NUMBER_TEXTS = [
    *("0", "1", "-1", "12.7", "12.", "-.5", ".5", ".", "", " ", "+", "-", "1e2", "1E+2", "1.5e-3"),
    *("1d", "1.5f", "0x1p3", "0X.8P1", "0x1", "inf", "+inf", "-inf", "Infinity", "-Infinity", "nan"),
    *("NaN", "+NaN", "-nan", "infinit", "1 2", " 42 ", "\t7\n", "\u00a07", "7\x7f", "\x007", "+5"),
    *("--5", "127", "128", "-128", "-129", "32768", "2147483647", "2147483648", "-2147483648"),
    *("9223372036854775807", "9223372036854775808", "-9223372036854775808", "1.9.9", "1,000", "0x"),
    *("99999999999", "1e400", "-1e400", "1e-400", "1e", "e5", "1.0", "001", "-0", "-0.0", "1.e1"),
    *("123456789012345678901234567890", "0.1234567890123456789012345678901234567890", "1_000"),
    *("12345678.995", "12345678.994999999999999999999", "99999999.995", "1e7", "1e8", "-1e-3"),
    *("1e9999999999", "0e50", "0e37", "1e-200", "0.005", "-0.005", "1d5"),
]
TRUTH_TEXTS = [
    *("t", "true", "TRUE", "tRue", "y", "YES", "1", "f", "false", "n", "No", "0", " true "),
    *("on", "off", "truee", "2", "\u00a0true"),
]
TIME_TEXTS = [
    *("2024-01-02", "2024", "2024-01", "2024-1-2", " 2024-1-2 ", "2024-02-30", "2024-02-29"),
    *("2024-01-02x", "2024-01-02T", "2024-01-02Tx", "2024-01-02 10", "2024-01x", "+2024-01-02"),
    *("-2024-01-02", "0000-01-01", "19000", "1900000", "99999999-01-01", "9999999-01-01", "202"),
    *("5881580-07-11", "5881580-07-12", "-5877641-06-23", "-5877641-06-22", "2024--1", "2024-01-"),
    *("2024-01-02 10:00", "2024-01-02 10:00:00", "2024-01-02T10:00:00Z", "2024-01-02 10:00:00.5"),
    *("2024-01-02 10:00:00.1234567", "2024-01-02T10:00:00+02:00", "2024-01-02 24:00:00"),
    *("2024-01-02 10:00:00 Europe/Paris", "2024-01-02 10:00:00 PST", "294247-01-10 04:00:54.775807"),
    *("294247-01-10 04:00:54.775808", "-290308-12-21 19:59:05.224192", "2024-01-02 10:00:00 nowhere"),
    *("1969-12-31 23:59:59.999999", "2024-13-01", "2024-00-10", "2024-01-00", "1582-10-10"),
]
OTHER_TEXTS = [
    *("a", "abc", "ABC", "Straße", "日本語", "a.b.c", "a..b", ".a", "a.", "  padded  ", "xxabcxx"),
    *("finished", "live", "14.23.5", "é", "e\u0301", "😀x", "İ", "ὈΔΥΣΣΕΎΣ", "tab\there", "a\nb"),
    *("%", "_", "a%c", "abcdefghijklmnop", "abcdefghijklmnopq", "abcdefghijklmnoq", "\x7f", "ǅ"),
]
TEXTS = [None, *NUMBER_TEXTS, *TRUTH_TEXTS, *TIME_TEXTS, *OTHER_TEXTS]
DAYS = [None, 0, 1, -1, 19724, 11016, -719529, -719528, 2932896, 2932897, -25567, 106751989]
# Two more days are a timestamp in UTC, but not in every zone.
DAYS += [106751992, -106751989, -106751992, 2**31 - 1, -(2**31), 19782, 47, -141428]
MICROS = [
    *(None, 0, 1, -1, 1704189600000000, 1704189600123456, 1704189600120000, -62135596800000000),
    *(253402300799999999, 253402300800000000, LONG_MAX, -LONG_MAX - 1, -62167219200000001),
    *(951782399999999, 951782400000000, 1709164800000000, 4107542400000000, -11676096000000001),
    *(43200000000, 86399999999, 1711846799000000, 1711846800000000, 1729990800000000),
]
CENTS = [None, 0, 1, -1, 50, 12345, -12345, 9999999999, -9999999999, 100, 250, 3276800, 214748364800]
CENTS = [value if value is None or abs(value) < 10**10 else 10**10 - 1 for value in CENTS]
UNITS = [
    *(None, 0, 1, 1000, -1, 10**10, 25 * 10**9, 10**38 - 1, -(10**38) + 1, 3 * 10**19, 128 * 10**10),
    *(2**63 * 10**10, (2**64 + 5) * 10**10, 12345, 5 * 10**7, 170418960012345600000, 99995 * 10**6),
]
NAMES = [None, "", "Lee", "Sang-hyeok", "李", " "]


def rows():
    """Values as they are recorded: dates are days, timestamps microseconds, decimals unscaled."""
    draw = random.Random(16)
    count = len(TEXTS)
    shuffled = draw.sample(TEXTS, count)
    pools = {
        "bo": [None, True, False],
        "ti": [None, 0, 1, -1, 127, -128, 7, -50],
        "sm": [None, 0, 1, -1, 32767, -32768, 300, -7],
        "l": LONGS,
        "m": LONGS,
        "f": FLOATS,
        "d": DOUBLES,
        "e": DOUBLES,
        "da": DAYS,
        "ts": MICROS,
        "nz": MICROS,
        "p": CENTS,
        "q": UNITS,
        "active": [None, True, False],
        "total_games": [None, 0, 3, 7, 800, -2],
        "total_wins": [None, 0, 1, 2, 799],
        "match_duration": [None, 0, 59, 60, -61, 3599, INT_MAX, -INT_MAX - 1],
        "win_rate": [None, None, 55.5, 0.0],
        "kda_ratio": [None, None, None, 2.25, NAN],
        "avg_kills": [None, 1.25, 3.5, 0.0, 1e300],
        "avg_deaths": [None, 0.0, -0.0, 2.0, 3.0, -1.0, NAN, 0.7],
        "avg_assists": [None, 2.75, 7.1, INF],
        "status": [None, "finished", "live", "finishe", "Finished", ""],
        "first_name": NAMES,
        "last_name": NAMES,
    }
    for k in range(count):
        row = {"s": TEXTS[k], "u": shuffled[k], "i": INTS[k % 12], "j": INTS[k // 12 % 12]}
        for name, values in pools.items():
            # Each value at least once, if there are enough rows; then any.
            row[name] = values[k] if k < len(values) else draw.choice(values)
        yield [row[name] for name in COLUMNS]


NUMBERS = "ti sm i l f d".split()
SCALARS = ["bo", *NUMBERS, "s", "da", "ts", "p", "q"]
CAST_TYPES = (
    "BOOLEAN TINYINT SMALLINT INT BIGINT FLOAT DOUBLE DECIMAL(10,2) DECIMAL(38,10) DECIMAL(5,0)"
    " STRING DATE TIMESTAMP"
).split()

BUILT_IN = [
    "CAST(match_duration / 60 AS INT)",
    "status = 'finished'",
    "CASE WHEN total_games > 0 AND win_rate IS NULL"
    " THEN ROUND(total_wins / total_games * 100, 2) ELSE win_rate END",
    "CASE WHEN kda_ratio IS NULL AND avg_deaths > 0"
    " THEN ROUND((avg_kills + avg_assists) / avg_deaths, 2)"
    " WHEN kda_ratio IS NULL AND avg_deaths = 0 THEN 99.99D ELSE kda_ratio END",
    "CASE WHEN active THEN 'active' WHEN NOT active THEN 'inactive' ELSE 'unknown' END",
    "CONCAT_WS(' ', first_name, last_name)",
    "total_games > 0",
]


def expressions():
    yield from BUILT_IN
    for column in SCALARS:
        for target in CAST_TYPES:
            # Always null in Spark.
            if not (column == "da" and target not in ("DATE", "STRING", "TIMESTAMP")):
                yield f"CAST({column} AS {target})"
            if column != "da" or target in ("DATE", "STRING", "TIMESTAMP"):
                yield f"TRY_CAST({column} AS {target})"
    for target in ("BOOLEAN", "TINYINT", "INT", "STRING", "BINARY", "DATE", "TIMESTAMP_NTZ"):
        yield f"TRY_CAST(nz AS {target})"
    yield "CAST(s AS TIMESTAMP_NTZ)"
    yield "TRY_CAST(s AS TIMESTAMP_NTZ)"
    yield "TRY_CAST(TRY_CAST(d AS DECIMAL(38,38)) AS INT)"
    yield "TRY_CAST(CAST(CAST(s AS DECIMAL(38,20)) AS DECIMAL(18,16)) AS TINYINT)"
    yield "CAST(CAST(l AS FLOAT) AS DOUBLE)"
    yield "CAST(l AS FLOAT) * 1.5D"
    yield "timestamp_seconds(CAST(l AS FLOAT))"
    yield "CAST(nz AS STRING)"
    yield "CAST(nz AS DATE)"
    yield "CAST(nz AS TIMESTAMP)"
    yield "CAST(ts AS TIMESTAMP_NTZ)"
    yield "CAST(da AS TIMESTAMP_NTZ)"
    for left, right in ["ii", "ij", "lm", "de", "fd", "il", "if", "ld", "su", "si", "sd", "id"]:
        for operator in "= <=> < <= > >= + - * / %".split():
            yield f"{left} {operator} {right}"
    for one in ["bo = i", "bo = s", "s = da", "s = ts", "da = ts", "da < ts", "p = i", "p < d"]:
        yield one
    for one in ["i > 2.5", "q = p", "p < q", "i <=> NULL", "s <=> NULL", "bo < (i > 0)", "ti + ti"]:
        yield one
    for one in ["ti * sm", "sm - ti", "ti % sm", "i DIV j", "l DIV m", "ti DIV sm", "-ti", "-sm"]:
        yield one
    for one in ["-i", "-l", "-f", "-d", "-s", "abs(ti)", "abs(i)", "abs(l)", "abs(f)", "abs(d)"]:
        yield one
    for one in ["i + 1", "i + 1L", "i * 1.5D", "i / 0", "i % 0", "l + 1", "i + NULL", "s + 1"]:
        yield one
    yield from [
        "bo AND i > 0",
        "bo OR i > 0",
        "NOT bo",
        "bo AND NULL",
        "bo OR NULL",
        "i IS NULL",
        "s IS NOT NULL",
        "i IN (1, 2, 100)",
        "i IN (1, NULL)",
        "i IN (j, 3)",
        "s IN ('a', 'abc', u)",
        "i IN ('1', 60)",
        "d IN (0, e, 1.5D)",
        "i NOT IN (1, j)",
        "NULL IN (1)",
        "i BETWEEN 0 AND j",
        "i <> j",
        "s != u",
        "i IS DISTINCT FROM j",
        "CASE WHEN i > 0 THEN i END",
        "CASE WHEN i > 0 THEN i ELSE l END",
        "CASE WHEN i > 0 THEN 1L ELSE 2.5F END",
        "CASE WHEN i > 0 THEN i ELSE 2.5 END",
        "CASE WHEN i > 0 THEN i ELSE 'x' END",
        "CASE WHEN i > 0 THEN da ELSE ts END",
        "CASE WHEN bo THEN 'yes' WHEN i > 5 THEN s WHEN j IS NULL THEN u END",
        "CASE i WHEN 0 THEN 'zero' WHEN 1 THEN 'one' ELSE 'many' END",
        "CASE WHEN bo THEN ti WHEN NOT bo THEN sm ELSE NULL END",
        "CASE WHEN i > 0 THEN p ELSE q END",
        "if(bo, i, j)",
        "if(bo, s, NULL)",
        "if(i > j, d, f)",
        "coalesce(i, j, 7)",
        "coalesce(i, l)",
        "coalesce(s, u)",
        "coalesce(NULL, d, 0)",
        "coalesce(i)",
        "nvl(s, 'none')",
        "ifnull(i, 0)",
        "nullif(s, '')",
        "nullif(i, 0)",
        "nullif(l, 0)",
        "nullif(d, e)",
        "nullif(s, u)",
        "nullif(i, NULL)",
        "greatest(i, j)",
        "greatest(i, 1)",
        "greatest(d, e)",
        "greatest(s, u)",
        "greatest(i, l, d)",
        "greatest(bo, true)",
        "greatest(da, ts)",
        "least(i, j)",
        "least(d, e)",
        "least(s, u, 'm')",
        "least(i, NULL)",
        "least(p, q)",
        "greatest('a', 1)",
        "concat(s, u)",
        "concat(s, '_', i)",
        "concat(first_name, last_name, status)",
        "concat(d, f)",
        "concat()",
        "s || '-' || bo",
        "concat_ws('.', s, u)",
        "concat_ws('', first_name, i, last_name)",
        "concat_ws(first_name, 'a', 'b')",
        "concat_ws(NULL, 'a')",
        "concat_ws('-')",
        "concat_ws(', ', s)",
        "concat_ws('abc', da, ts, p)",
        "round(d)",
        "round(d, 1)",
        "round(d, 2)",
        "round(d, 15)",
        "round(d, 16)",
        "round(d, -1)",
        "round(d, -3)",
        "round(d, 400)",
        "round(d, NULL)",
        "round(d * 100, 1)",
        "round(e / 3, 3)",
        "round(f, 2)",
        "round(f)",
        "round(f, -2)",
        "round(i, -1)",
        "round(i, 2)",
        "round(ti, -1)",
        "round(sm, -2)",
        "round(l, -3)",
        "round(l, -18)",
        "round(l, -19)",
        "round(l, -20)",
        "round(s, 1)",
        "round(avg_kills / 0.7D, 2)",
        "floor(d)",
        "floor(f)",
        "floor(i)",
        "floor(l)",
        "floor(s)",
        "ceil(d)",
        "ceil(l)",
        "ceiling(f)",
        "upper('abcÄ')",
        "upper(status)",
        "lower(status)",
        "trim(s)",
        "btrim(s)",
        "ltrim(s)",
        "rtrim(s)",
        "trim(i)",
        "length(s)",
        "length(i)",
        "substring(s, 2)",
        "substring(s, 1, 3)",
        "substring(s, 0, 2)",
        "substring(s, -2)",
        "substring(s, -5, 3)",
        "substring(s, i, j)",
        "substring(s, 2, -1)",
        "substring(s, -2147483647, 2147483647)",
        "substring(s, 2, 2147483647)",
        "substring(i, 2)",
        "substr(s, 3, 2)",
        "split_part(s, '.', 1)",
        "split_part(s, '.', 2)",
        "split_part(s, '.', 5)",
        "split_part(s, '.', -1)",
        "split_part(s, '.', -2)",
        "split_part(s, '', 1)",
        "split_part(s, '', 2)",
        "split_part(s, 'bc', 2)",
        "split_part(s, u, 1)",
        "startswith(s, 'a')",
        "startswith(s, u)",
        "startswith(s, '')",
        "startswith(i, 1)",
        "endswith(s, 'c')",
        "contains(s, 'b')",
        "contains(s, '')",
        "timestamp_millis(l)",
        "timestamp_millis(i)",
        "timestamp_millis(m) IS NULL",
        "timestamp_seconds(l)",
        "timestamp_seconds(d)",
        "timestamp_seconds(i)",
        "timestamp_seconds(f)",
        "timestamp_micros(l)",
        "coalesce(timestamp_millis(l), timestamp_seconds(m))",
        "CASE WHEN l < 5 THEN timestamp_millis(m) END",
        "bo AND timestamp_millis(l) IS NULL",
        "if(bo, timestamp_millis(l), timestamp_seconds(m))",
        "unix_millis(ts)",
        "unix_seconds(ts)",
        "to_timestamp(s)",
        "to_timestamp(da)",
        "to_timestamp(l)",
        "unix_timestamp(s)",
        "unix_timestamp(ts)",
        "unix_timestamp(da)",
        "unix_timestamp(ts) - unix_timestamp(da)",
        "to_date(s)",
        "to_date(ts)",
        "year(da)",
        "year(ts)",
        "year(s)",
        "month(da)",
        "month(ts)",
        "day(da)",
        "day(ts)",
        "dayofmonth(ts)",
        "hour(ts)",
        "hour(s)",
        "hour(da)",
        "minute(ts)",
        "second(ts)",
        "date_trunc('YEAR', ts)",
        "date_trunc('quarter', ts)",
        "date_trunc('MONTH', ts)",
        "date_trunc('WEEK', ts)",
        "date_trunc('DAY', ts)",
        "date_trunc('HOUR', ts)",
        "date_trunc('MINUTE', ts)",
        "date_trunc('SECOND', ts)",
        "date_trunc('MILLISECOND', ts)",
        "date_trunc('MICROSECOND', ts)",
        "date_trunc('day', s)",
        "date_trunc(NULL, ts)",
        "CAST(timestamp_millis(l) AS DATE)",
        "round((i + j) / greatest(j, 1), 2)",
        "s LIKE 'a%'",
        "s LIKE '%.%'",
        "s LIKE 'a_c'",
        "s LIKE '%'",
        "s LIKE ''",
        r"s LIKE '\\%'",
        r"s LIKE '%\\_%'",
        "s LIKE '_'",
        "s LIKE '%b%c%'",
        "s NOT LIKE '%a%'",
        "i LIKE '1%'",
        "s LIKE 'a/_c' ESCAPE '/'",
        "s LIKE '%/%%' ESCAPE '/'",
        "s LIKE 'a%%c' ESCAPE '%'",
        "s LIKE '__c' ESCAPE '_'",
        "s LIKE '%éé%' ESCAPE 'é'",
        "s NOT LIKE '%//%' ESCAPE '/'",
        "upper(s)",
        "lower(s)",
        "lower(concat(s, 'Σ'))",
        "lower(concat('AΣ', s))",
        "upper(CAST(X'41C3EDA0BDF09F9880F490808041ED80E28028' AS STRING))",
        "substring(CAST(s AS BINARY), 2, 3)",
        "substring(CAST(s AS BINARY), greatest(i, -7), greatest(j, -7))",
        "substring(CAST(s AS BINARY), -3)",
        "startswith(CAST(s AS BINARY), X'61')",
        "endswith(CAST(s AS BINARY), CAST(u AS BINARY))",
        "contains(CAST(s AS BINARY), 'b')",
        "CAST(s AS BINARY) LIKE 'a%'",
        "concat(CAST(s AS BINARY), X'00', CAST(u AS BINARY))",
        "concat(CAST(s AS BINARY), 'x')",
        "split_part(s, '.', i)",
        "split_part(s, '.', 0D)",
        "to_timestamp(bo)",
        "unix_seconds(da)",
        "unix_millis(s)",
        "s >= CAST(i AS DECIMAL(10,0))",
        "s = CAST(q AS DECIMAL(38,0))",
        "s < p",
        "0 <= CAST(q AS DECIMAL(38,38))",
        "CAST(p AS DECIMAL(38,38)) = 1",
        "CASE WHEN TRUE THEN 1 WHEN bo THEN NULL END",
        "CASE WHEN bo THEN NULL WHEN TRUE THEN 1 END",
        "CASE WHEN NULL THEN 1 END",
        "if(NULL, 1, 2)",
        "coalesce(CAST(q AS DECIMAL(38,0)), 23330.304)",
        "unix_timestamp(nz)",
        "hour(nz)",
        "minute(nz)",
        "year(nz)",
        "ts = nz",
        "coalesce(nz, ts)",
        "da < nz",
    ]


# ---- time zones ----

ZONES = ["Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe"]
ZONE_COLUMNS = {"s": "STRING", "da": "DATE", "ts": "TIMESTAMP", "nz": "TIMESTAMP_NTZ"}
# Around gaps and overlaps, also at midnight and of half an hour, changes of the standard time, and
# before there was one.
CLOCKS = [
    *("2024-03-31 01:59:59", "2024-03-31 02:00:00", "2024-03-31 02:30:00.5", "2024-03-31 03:00:00"),
    *("2024-10-27 01:59:59", "2024-10-27 02:30:00", "2024-10-27 03:00:00", "2024-03-10 02:30:00"),
    *("2024-03-10 03:00:00", "2024-11-03 01:30:00", "2024-11-03 00:59:59.999999"),
    *("2024-04-07 01:30:00", "2024-04-07 01:59:59", "2024-04-07 02:00:00", "2024-10-06 02:15:00"),
    *("2024-10-06 02:30:00", "1893-03-31 23:53:28", "1893-04-01 00:03:00", "1883-11-18 12:03:57"),
    *("1883-11-18 11:58:00", "1945-10-15 00:00:00", "1941-10-01 00:00:00", "1906-01-01 00:15:00"),
    *("1854-06-28 00:00:00", "1870-01-01 00:00:00", "1895-02-01 00:00:00", "1981-03-01 00:15:00"),
    *("1916-05-01 00:00:00", "1945-05-24 02:30:00", "1980-04-06 02:30:00", "2037-10-25 02:30:00"),
    *("2100-03-28 02:30:00", "2100-07-01 12:00:00", "1000-02-28 00:00:00", "1582-10-10 12:00:00"),
    *("0001-01-01 00:00:00", "1969-12-31 23:59:59.999999", "1970-01-01 00:00:00"),
    *("9999-12-31 23:59:59.999999", "2024-06-15 00:00:00", "2024-06-30 23:30:00"),
    *("2024-01-01 00:29:59", "2023-12-31 13:30:00"),
]
ZONE_TEXTS = [
    *("2024-03-31 02:30:00Z", "2024-03-31 02:30:00 Europe/Berlin", "2024-10-27 02:30:00+05:30"),
    *("2024-03-31", "x", "2024-03-31 02:30:00 nowhere"),
]


def zone_rows():
    """The same clock as a text, a day, a moment (of a zone some hours away), and without a zone."""
    start = datetime.datetime(1970, 1, 1)
    for number, clock in enumerate(CLOCKS):
        time = datetime.datetime.fromisoformat(clock) - start
        micros = (time.days * 86400 + time.seconds) * 10**6 + time.microseconds
        for hours in (1, -4.5, 10.5) if number % 3 == 0 else (1 + number % 12,):
            yield [clock, time.days, micros - int(hours * 3600 * 10**6), micros]
    for text in ZONE_TEXTS:
        yield [text, None, None, None]
    for micros in (9223371936000000000, -9223371936000000000):  # the last ones before Spark throws
        yield [None, micros // 86400000000, micros, micros]


def zone_expressions():
    for column in "s da ts nz".split():
        for target in ("TIMESTAMP", "TIMESTAMP_NTZ", "DATE", "STRING"):
            yield f"CAST({column} AS {target})"
        for function in "unix_timestamp hour minute second year day to_date to_timestamp".split():
            yield f"{function}({column})"
    for unit in "year quarter month week day hour minute second millisecond microsecond".split():
        yield f"date_trunc('{unit}', ts)"
    yield from ["date_trunc('DAY', nz)", "date_trunc('HOUR', s)", "date_trunc('MONTH', da)"]
    yield from ["concat(ts, '|', nz)", "concat_ws(' ', ts, da)", "ts = da", "ts < nz", "s = ts"]
    yield from ["da >= nz", "s <=> nz", "greatest(da, ts)", "coalesce(nz, ts)", "ts IN (da, nz)"]
    yield from ["CASE WHEN ts > da THEN da ELSE nz END", "unix_seconds(ts)", "CAST(ts AS DOUBLE)"]
    yield from ["CAST(ts AS BIGINT)", "TRY_CAST(s AS TIMESTAMP)", "ts BETWEEN da AND nz"]
