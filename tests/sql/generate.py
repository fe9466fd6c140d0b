"""Typed expressions made at random, for tests/sql/compare.py.

There is no list of signatures: calls are drawn from our own table of functions, with any arguments,
and our planner says which of them have a type. What it takes is drawn again, and is an argument of
deeper calls. Rows have values at the edges of their types.
"""

import collections
import struct

from sql import expressions

COLUMNS = {
    **{"bo": "BOOLEAN", "bp": "BOOLEAN", "ti": "TINYINT", "tj": "TINYINT", "sm": "SMALLINT", "i": "INT", "j": "INT"},
    **{"l": "BIGINT", "m": "BIGINT", "f": "FLOAT", "g": "FLOAT", "d": "DOUBLE", "e": "DOUBLE", "s": "STRING"},
    **{"u": "STRING", "v": "STRING", "b": "BINARY", "c": "BINARY", "da": "DATE", "db": "DATE", "ts": "TIMESTAMP"},
    **{"tt": "TIMESTAMP", "nz": "TIMESTAMP_NTZ", "ny": "TIMESTAMP_NTZ", "p": "DECIMAL(10,2)", "q": "DECIMAL(38,10)"},
    **{"k": "DECIMAL(38,0)", "r": "DECIMAL(4,4)", "w": "DECIMAL(18,6)", "o": "DECIMAL(38,38)"},
}
CASTS = (
    *("BOOLEAN", "TINYINT", "SMALLINT", "INT", "BIGINT", "FLOAT", "DOUBLE", "STRING", "BINARY", "DATE", "TIMESTAMP"),
    *("TIMESTAMP_NTZ", "DECIMAL(10,2)", "DECIMAL(38,10)", "DECIMAL(5,0)", "DECIMAL(38,38)", "DECIMAL(20,3)"),
)

# ---- rows ----

WORDS = [
    *("", " ", "a", "abc", "ABC", "a.b.c", "..", "Straße", "ΌΔΥΣΣΕΎΣ", "σς Σ", "İıI", "日本語", "😀x", "é", "e\u0301", "ﬁ", "ǅ"),
    *("  padded  ", "tab\there", "a\nb", "%", "_", "a%c", "a_c", "\\", "'", '"', "x" * 40, "\x7f", "\u00a0x", "\ufeff", "\x00"),
    *("true", "f", "YES", "0", "2024", "12", "-5", "1e3", "1.50", "NaN", "-Infinity", "2024-02-29", "2024-03-31 02:30:00"),
    *("2024-10-27 02:30:00.25", "1883-11-18 12:00:00", "0001-01-01", "-0001-12-31", "+12345-06-07", "2024-01-02T03:04:05Z"),
    *("2024-01-02 03:04:05+05:30", "2024-01-02 03:04:05 America/New_York", "9999-12-31 23:59:59.999999", "1900-01-01"),
]
EDGE_DAYS = [0, 1, -1, 19724, 19782, -25567, -141428, -719162, 2932896, 106751989, -106751989, 2**31 - 1, -(2**31)]
EDGE_MICROS = [
    *(0, 1, -1, 999_999, 1704189600123456, 1704189600000000, -62135596800000000, 253402300799999999, 2**63 - 1, -(2**63)),
    *(1711846799000000, 1711846800000000, 1729990800000000, 1729994400000000, -2208988800000000, -2717640000000000),
    *(-9223372036854775807 + 10**12, 9223372036854775807 - 10**12, -9223000000000000000, -9223000000000000001),
]


def number_text(draw):
    sign = draw.choice(["", "", "-", "+"])
    digits = "".join(draw.choice("0123456789") for _ in range(draw.choice([1, 2, 5, 10, 19, 20, 39])))
    point = draw.choice(["", "", ".", ".5", ".005", ".99999999999999999999"])
    return sign + digits + point + draw.choice(["", "", "", "e5", "E-3", "e300", "d", "f"])


def time_text(draw):
    year = draw.choice([draw.randrange(1, 10000), draw.randrange(1880, 2040), draw.randrange(1880, 2040)])
    day = f"{year:04}-{draw.randrange(1, 13):02}-{draw.randrange(1, 32):02}"
    time = f"{draw.randrange(24):02}:{draw.randrange(60):02}:{draw.randrange(60):02}"
    zone = draw.choice(["", "", "", "Z", "+01:00", "-12:34", " UTC", " Europe/Berlin"])
    return draw.choice([day, f"{day} {time}", f"{day}T{time}.{draw.randrange(10**6)}", f"{day} {time}{zone}"])


def word(draw):
    return draw.choice([draw.choice(WORDS), draw.choice(WORDS), number_text(draw), time_text(draw)])


def integer(draw, bits):
    limit = 2 ** (bits - 1)
    edge = draw.choice([0, 1, -1, 2, 7, -7, 10, 60, 100, limit - 1, -limit, limit - 2, limit // 2, limit // 10])
    return draw.choice([edge, draw.randrange(-limit, limit), draw.randrange(-limit, limit) >> draw.randrange(bits)])


def double(draw):
    bits = struct.unpack("<d", draw.randbytes(8))[0]
    near = round(draw.uniform(-1e5, 1e5), draw.randrange(5))
    number = draw.choice([draw.choice(expressions.DOUBLES[1:]), near, near, bits, float(integer(draw, 64))])
    return number if number == number else float("nan")


def real(draw):
    bits = struct.unpack("<f", draw.randbytes(4))[0]
    number = draw.choice([draw.choice(expressions.FLOATS[1:]), round(draw.uniform(-1e4, 1e4), 2), bits])
    return struct.unpack("<f", struct.pack("<f", number))[0] if number == number else float("nan")


def unscaled(draw, precision):
    digits = draw.choice([1, 2, 3, 5, precision // 2 or 1, precision])
    limit = 10 ** min(digits, precision)
    return draw.choice([0, limit - 1, 1 - limit, draw.randrange(1 - limit, limit), 5 * (limit // 10), -5 * (limit // 10)])


def value(draw, kind):
    """Dates are days, timestamps microseconds, decimals unscaled."""
    name = kind.split("(")[0]
    if draw.random() < 0.12:
        return None
    if name == "BOOLEAN":
        return draw.random() < 0.5
    if name in ("TINYINT", "SMALLINT", "INT", "BIGINT"):
        return integer(draw, {"TINYINT": 8, "SMALLINT": 16, "INT": 32, "BIGINT": 64}[name])
    if name in ("FLOAT", "DOUBLE"):
        return real(draw) if name == "FLOAT" else double(draw)
    if name == "STRING":
        return word(draw)
    if name == "BINARY":
        # No character that its first byte says is longer than the text: Spark reads what is behind it.
        data = bytes(byte for byte in draw.randbytes(draw.randrange(8)) if byte < 0xC2 or byte > 0xF4)
        return draw.choice([word(draw).encode(), data])
    if name == "DATE":
        return draw.choice([draw.choice(EDGE_DAYS), draw.randrange(-30000, 40000), draw.randrange(-(10**6), 10**7)])
    if name == "DECIMAL":
        return unscaled(draw, int(kind.split("(")[1].split(",")[0]))
    near = draw.randrange(-3 * 10**9, 3 * 10**9) * 10**6
    return draw.choice([draw.choice(EDGE_MICROS), near, near + draw.randrange(10**6), draw.randrange(-(2**63), 2**63)])


# ---- literals ----


def quoted(text):
    return "'" + "".join(f"\\u{ord(c):04X}" if c < " " or c == "\x7f" else "\\" + c if c in "'\\" else c for c in text) + "'"


def day_text(draw):
    return f"{draw.choice([draw.randrange(1, 10000), 1969, 2024]):04}-{draw.randrange(1, 13):02}-{draw.randrange(1, 29):02}"


def literal(draw):
    day, time = day_text(draw), f"{draw.randrange(24):02}:{draw.randrange(60):02}:{draw.randrange(60):02}"
    return draw.choice([
        "NULL", "TRUE", "FALSE", str(integer(draw, 32)), str(draw.randrange(-3, 4)), str(draw.randrange(20)), f"{integer(draw, 8)}Y",
        f"{integer(draw, 16)}S", f"{integer(draw, 64)}L", "2.5", "-0.05", "1000000.000", "12345678901234567.25",
        "0.000000000000000001", f"{integer(draw, 16)}.{draw.randrange(1000):03}", "0D", "-0.0D", "1.5D", "1e30",
        "2.5F", "-0.0F", f"{draw.uniform(-99, 99):.3f}D", quoted(word(draw)), quoted(word(draw)), f"DATE '{day}'",
        f"TIMESTAMP '{day} {time}Z'", f"TIMESTAMP '{day} {time}.123456+01:00'", f"TIMESTAMP_NTZ '{day} {time}'", "X''", "X'41C3A9FF'",
    ])


UNITS = "year quarter month week DAY hour Minute second millisecond microsecond yyyy mm dd".split()
PATTERNS = ["%", "", "_", "a%", "%.%", "%b%", "a_c", r"%\\%", r"\\_%", "__", "%\u00e9%", "-%", "2024-%", "%0"]
# What a function needs as a literal: random ones are nearly never right.
SPECIAL = {
    ("date_trunc", 0): lambda draw: quoted(draw.choice(UNITS)),
    ("like", 1): lambda draw: "'" + draw.choice(PATTERNS) + "'",
    ("round", 1): lambda draw: str(draw.choice([0, 1, 2, 3, 10, 16, -1, -2, -5, -19, 40, -40])),
    ("floor", 1): lambda draw: str(draw.choice([0, 1, 2, -1, -3, 10])),
    ("ceil", 1): lambda draw: str(draw.choice([0, 1, 2, -1, -3, 10])),
    ("split_part", 1): lambda draw: quoted(draw.choice([".", "-", "", "b", "ab", " ", ":"])),
}
SIZE_MAX = 400  # characters of an expression


class Leaf:
    """Or a whole expression: its text, its type, whether it needs no parentheses."""

    def __init__(self, text, kind, is_literal=False, is_plain=False, depth=0):
        self.text, self.kind, self.is_literal, self.depth = text, kind, is_literal, depth
        self.inner = text if is_plain else f"({text})"

    def shape(self):
        return self.kind.rstrip("!").split("(")[0] + ("'" if self.is_literal else "")


def call(function, arguments):
    inner = [argument.inner for argument in arguments]
    form, symbol = function["form"], function["symbol"]
    if form == "call":
        return f"{function['name']}({', '.join(argument.text for argument in arguments)})"
    if form == "prefix":
        return f"{symbol} {inner[0]}"
    if form == "infix":
        rest = f" ESCAPE {inner[2]}" if len(inner) > 2 else ""
        return f"{inner[0]} {symbol} {inner[1]}{rest}"
    if form == "postfix":
        return f"{inner[0]} {symbol}"
    if form == "in":
        return f"{inner[0]} IN ({', '.join(inner[1:])})"
    text = "CASE"
    for k in range(0, len(inner) - 1, 2):
        text += f" WHEN {inner[k]} THEN {inner[k + 1]}"
    return text + (f" ELSE {inner[-1]}" if len(inner) % 2 else "") + " END"


class Generator:
    """`plan` says of texts which types they have: [type, or "! " and a reason]."""

    def __init__(self, draw, functions, plan):
        self.draw, self.functions, self.plan = draw, functions, plan
        self.shapes = collections.defaultdict(list)  # what was taken, by function
        self.columns = [Leaf(name, kind, is_plain=True) for name, kind in COLUMNS.items()]
        self.pool = collections.defaultdict(list)  # (depth, type without its parameters)
        for _ in range(6):
            self.level(1, 800)
        self.pool.clear()

    def leaf(self):
        """A column or a literal."""
        return self.draw.choice(self.columns) if self.draw.random() < 0.7 else None

    def argument(self, shape, depth):
        """One of the shape and of at most that depth, if there is one."""
        kind = shape.rstrip("'")
        if shape.endswith("'"):
            return self.draw.choice(self.literals.get(kind) or [None])
        for level in range(depth, 0, -1):
            if self.pool[level, kind] and self.draw.random() < 0.75:
                return self.draw.choice(self.pool[level, kind])
        return self.draw.choice([column for column in self.columns if column.shape() == kind] or [None])

    def any_argument(self, depth):
        if depth > 0 and self.draw.random() < 0.5:
            levels = [entries for (level, _), entries in self.pool.items() if level <= depth and entries]
            if levels:
                return self.draw.choice(self.draw.choice(levels))
        if self.draw.random() < 0.3:
            return self.draw.choice(self.draw.choice(list(self.literals.values())))
        return self.draw.choice(self.columns)

    def candidate(self, depth):
        """The shapes of the arguments, and the text."""
        if self.draw.random() < 0.15:
            of = self.any_argument(depth - 1)
            word = "try_cast" if self.draw.random() < 0.3 else "CAST"
            return None, f"{word}({of.text} AS {self.draw.choice(CASTS)})"
        function = self.draw.choice(self.functions)
        name, shapes = function["name"], None
        if self.shapes[name] and self.draw.random() < 0.8:
            shapes = self.draw.choice(self.shapes[name])
            deep = self.draw.randrange(len(shapes)) if shapes else 0
            arguments = [self.argument(shape, depth - 1 if k == deep else self.draw.randrange(depth))
                         for k, shape in enumerate(shapes)]  # fmt: skip
        else:
            most = function["max"] if function["max"] >= 0 else max(function["min"], 2) + self.draw.randrange(3)
            count = self.draw.randrange(function["min"], most + 1)
            arguments = [self.any_argument(depth - 1) for _ in range(count)]
        for k in range(len(arguments)):
            special = SPECIAL.get((name, k))
            if special and self.draw.random() < 0.95:
                arguments[k] = Leaf(special(self.draw), "SPECIAL", True, True)
        if None in arguments:
            return None
        return function, call(function, arguments), tuple(argument.shape() for argument in arguments)

    def level(self, depth, count):
        """Expressions of one depth, which are kept for the next one."""
        texts = list(dict.fromkeys(literal(self.draw) for _ in range(120)))
        self.literals = collections.defaultdict(list)
        for text, kind in zip(texts, self.plan(texts)):
            if not kind.startswith("!"):
                entry = Leaf(text, kind, True, not text.startswith("-"))
                self.literals[entry.shape().rstrip("'")].append(entry)
        self.literals["VOID"] = [Leaf("NULL", "VOID", True, True)]
        candidates = [one for one in (self.candidate(depth) for _ in range(count)) if one and len(one[1]) < SIZE_MAX]
        found = []
        for one, kind in zip(candidates, self.plan([one[1] for one in candidates])):
            if kind.startswith("!"):
                continue
            entry = Leaf(one[1], kind, depth=depth)
            self.pool[depth, entry.shape()].append(entry)
            found.append(entry)
            if one[0] is not None and all(not shape.startswith("SPECIAL") for shape in one[2]):
                self.shapes[one[0]["name"]].append(one[2])
        return found

    def round(self, count):
        """About as many expressions, of depth 1 to 5; and the rows for them."""
        self.pool.clear()
        found = []
        for depth in range(1, 6):
            found += self.level(depth, count * 2 // 5)
        return self.draw.sample(found, min(count, len(found)))


def rows(draw, count):
    return [[value(draw, kind) for kind in COLUMNS.values()] for _ in range(count)]
