"""Awkward messages: JSON records by a grammar that knows where Spark's reader is odd, and mutations
of them and of the conformance corpus. All randomness comes from one random.Random."""

import base64
import gzip
import pathlib

import spark_job

CORPUS = pathlib.Path(__file__).resolve().parents[1] / "conformance"

SPACES = [" ", "\t", "\n", "\r", "  ", " \n\t"]
ODD_SPACES = ["\f", "\v", "\u00a0", "\ufeff", "\x00", "/**/", "//x\n", "#c\n"]
REGIONS = ["Europe/Paris", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "Etc/GMT+5"]
ZONES = [
    *["Z", "z", " Z", "UTC", "GMT", "UT", "UTC+1", "GMT-02:30", "UT+18:00", "UTC+18:01", "Zulu"],
    *["+1", "-01", "+01:00", "+1:00", "+01:0", "+0100", "+01:02:03", "+010203", "-00:00", "+18:00"],
    *["-18:00", "+18:00:01", "+19", "+", "-", "+01:60", "+01:", "+001:00", " +02:00", "  +02:00"],
    *["PST", "EST", "CET", "IST", "utc", "gmt", "Europe/paris", "Mars/Base", "[UTC]", "+02:00[X]"],
    *REGIONS,
    *[f" {region}" for region in REGIONS],
]
INVALID_UTF8 = [
    *[b"\x80", b"\xbf", b"\xc0\xaf", b"\xc1\xbf", b"\xc3", b"\xe0\x80\xaf", b"\xe2\x82", b"\xff"],
    *[b"\xed\xa0\x80", b"\xed\xbf\xbf", b"\xf0\x80\x80\xaf", b"\xf0\x9f\x98", b"\xf4\x90\x80\x80"],
    *[b"\xf8\x88\x80\x80\x80", b"\xfe", b"\xe2\x28\xa1", b"\xf0\x28\x8c\xbc", b"\xc3\xc3\xa9"],
]
ESCAPES = [
    *["\\n", "\\t", "\\r", "\\b", "\\f", "\\/", "\\\\", '\\"', "\\u0041", "\\u00e9", "\\u20AC"],
    *["\\ud83d\\ude00", "\\uD83D\\uDE00", "\\u0000", "\\u001f", "\\u007f", "\\u2028", "\\ufeff"],
    *["\\ud83d", "\\ude00", "\\ud83d\\u0041", "\\ude00\\ud83d", "\\uffff", "\\ufffd", "\\u00e9"],
]
# Jackson takes the low byte of each UTF-16 unit for a hexadecimal digit.
ESCAPES += ["\\u12b𝄞", "\\u004\u0130", "\\u\u0661\u0661\u0661\u0661"]
ESCAPES += ["\\ud8b𝄞", "\\u00𝄰𝄰"]
BAD_ESCAPES = ["\\u12", "\\u", "\\u12G4", "\\x41", "\\'", "\\0", "\\a", "\\U0041", "\\ "]
BAD_ESCAPES += ["\\\n", "\\", "\\😀", "\\u😀", "\\u1😀", "\\é", "\\u\u0660é"]
CHARACTERS = list("abcXYZ 019-_.,:;/\\'#%*?[]{}^=|~<>&$!@`()+") + ["é", "ß", "€", "\u2028", "漢"]
CHARACTERS += ["😀", "𝄞", "\x7f", "\u0080", "\ufeff", "\ufffd", "\uffff", "\u0301"]
WORDS = ["", " ", "finished", "running", "null", "true", "NaN", "Infinity", "-INF", "0", "007"]
WORDS += ["1e3", "__HIVE_DEFAULT_PARTITION__", "..", ".", "a/b", "a=b", "Mid", "ADC", "active"]
WORDS += ["Finished"]
LITERALS = ["null", "true", "false", "NaN", "Infinity", "-Infinity", "+Infinity", "-INF", "+INF"]
BAD_LITERALS = ["INF", "nan", "True", "nul", "nulll", "truefalse", "undefined", "-NaN", "+NaN"]
BAD_LITERALS += ["abc", "-Inf", "None", "TRUE", "infinity", "-infinity", "+", "-", "", "@"]
BAD_LITERALS += ["\\", "'", '"']
BAD_NUMBERS = ["01", "-01", "00", "+1", ".5", "1.", "1.e5", "1e", "1e+", "1E-", "--1", "- 1"]
BAD_NUMBERS += ["0x10", "1_0", "1,5", "1.5.2", "1e5e5", "1e1.5", "12abc", "1-2", "1f", "1d"]
BAD_NUMBERS += ["1L", "-.5"]
EDGES = [0, 1, 59, 60, 61, 2**31 - 1, 2**31, 2**32, 2**53, 2**53 + 1, 2**63 - 1, 2**63, 2**64]
EDGES += [9223372036854, 9223372036855, 1705329000, 1705329000000, 10**18, 10**19, 2208988800]


def integer(random):
    kind = random.random()
    if kind < 0.4:
        number = random.choice(EDGES) + random.randint(-1, 1)
        return str(number if random.random() < 0.5 else -number)
    if kind < 0.45:
        return "-0"
    digits = random.choice([1, 2, 3, 4, 9, 10, 11, 18, 19, 20, 30])
    if kind < 0.46:
        digits = random.choice([400, 999, 1000, 1001, 1002])
    sign = random.choice(["", "", "-"])
    return sign + str(random.randint(10 ** (digits - 1), 10**digits - 1))


def real(random):
    kind = random.random()
    if kind < 0.3:  # any double at all, with as many digits as it takes or more
        bits = random.getrandbits(64)
        value = float.fromhex(f"0x1.{bits & (2**52 - 1):013x}p{random.randint(-1080, 1023)}")
        text = repr(value) if random.random() < 0.6 else f"{value:.{random.randint(0, 25)}e}"
        return random.choice(["", "-"]) + text.replace("e+", random.choice(["e", "e+", "E"]))
    if kind < 0.5:  # about two decimals, where rounding is decided
        return f"{random.choice(['', '-'])}{random.randint(0, 2000)}.{random.randint(0, 99999):05d}"
    if kind < 0.6:
        return random.choice(["1e400", "-1e400", "1e-400", "-1e-400", "4.9e-324", "2.4e-324"])
    if kind < 0.7:
        zeros = ["-0.0", "0.0", "-0e5", "0e0", "-0.0e-3"]
        return random.choice([*zeros, "1e3", "1.50", "1e-7", "1e22"])
    if kind < 0.72:
        return f"0.{'0' * random.randint(1, 400)}{random.randint(1, 10**18)}"
    whole = str(random.randint(0, 10 ** random.randint(1, 20)))
    part = "." + "".join(random.choices("0123456789", k=random.randint(1, 22)))
    power = random.choice(["e", "E"]) + random.choice(["", "+", "-"]) + str(random.randint(0, 330))
    parts = random.choice([part, power, part + power])
    return random.choice(["", "-"]) + whole + parts


def number(random):
    return random.choice([integer, real])(random)


def text(random, quote='"'):
    """A string token, mostly valid."""
    if random.random() < 0.2:
        pieces = [random.choice(WORDS)]
    else:
        pieces = []
        for _ in range(random.choice([0, 1, 1, 2, 3, 5, 9])):
            kind = random.random()
            if kind < 0.7:
                pieces.append(random.choice(CHARACTERS).replace("\\", "\\\\"))
            elif kind < 0.93:
                pieces.append(random.choice(ESCAPES))
            elif kind < 0.96:
                pieces.append(random.choice(BAD_ESCAPES))
            elif kind < 0.97:
                pieces.append(chr(random.randint(0, 31)))
            else:
                pieces.append(random.choice(INVALID_UTF8))
    if random.random() < 0.01:
        pieces.append(random.choice(CHARACTERS[:4]) * random.choice([300, 5000, 40000]))
    inner = b"".join(piece if isinstance(piece, bytes) else piece.encode() for piece in pieces)
    inner = inner.replace(quote.encode(), b"\\" + quote.encode()) if quote == "'" else inner
    return quote.encode() + inner + quote.encode()


def digits(random, low, high, width):
    """Mostly a number between, with the usual digits."""
    if random.random() < 0.05:
        return str(random.choice([low - 1, high + 1, 99, 0, 100]))
    value = str(random.randint(low, high))
    return value.zfill(width) if random.random() < 0.85 else value


def timestamp(random):
    """What is between the quotes."""
    parts = random.choice([1, 2, 3, 4, 5, 6, 6, 6, 6, 6, 6])
    year = str(random.randint(1970, 2037))
    if random.random() < 0.15:
        years = ["0000", "0001", "1582", "1899", "1900", "9999", "10000", "+2024", "-0001", "-2024"]
        years += ["+12345", "294247", "294248", "-290308", "-290309", "20240115", "24", "024"]
        years += ["1705329000"]
        year = random.choice(years)
    made = year
    if parts > 1:
        made += "-" + digits(random, 1, 12, 2)
    if parts > 2:
        made += "-" + digits(random, 1, 28 if random.random() < 0.9 else 31, 2)
    if parts > 3:
        made += random.choice(["T", "T", "T", " ", " ", "t", "  ", "-", ""])
        made += digits(random, 0, 23, 2)
    if parts > 4:
        made += ":" + digits(random, 0, 59, 2)
    if parts > 5:
        made += ":" + digits(random, 0, 59, 2)
        if random.random() < 0.5:
            made += random.choice([".", ".", ".", ".", ","])
            made += "".join(random.choices("0123456789", k=random.choice([0, 1, 3, 6, 7, 9, 12])))
    if parts > 5 or random.random() < 0.1:
        if random.random() < 0.6:
            made += random.choice(ZONES)
    if random.random() < 0.04:
        made = made.partition("T")[2] or made  # a time of today
    if random.random() < 0.1:
        made = random.choice([" ", "\\t", "\\u0000", "\\u001f", "\u00a0", "\\n "]) + made
    if random.random() < 0.1:
        made += random.choice([" ", "\\t", "\\u0000", "\\u007f", "  ", " PM", "x", "\u3000"])
    if random.random() < 0.05:
        at = random.randint(0, len(made))
        made = made[:at] + random.choice(list("0-:T. Z+/\u0661")) + made[at:]
    return made


def space(random):
    kind = random.random()
    if kind < 0.9:
        return b""
    return random.choice(SPACES if kind < 0.999 else ODD_SPACES).encode()


def nested(random, depth=0):
    """An object or array with anything in it."""
    if random.random() < 0.01 and depth == 0:
        levels = random.choice([100, 997, 998, 999, 1000, 1001])
        opening, closing = random.choice([(b"[", b"]"), (b'{"a":', b"}")])
        return opening * levels + b"1" + closing * levels
    items = random.choice([0, 1, 1, 2, 3])
    made = []
    is_object = random.random() < 0.5
    for _ in range(items):
        item = value_of_any_kind(random, depth + 1)
        if is_object:
            name = random.choice(["a", "b", "a b", "é", ""])
            item = key(random, name) + b":" + space(random) + item
        made.append(space(random) + item + space(random))
    inner = b",".join(made)
    if random.random() < 0.03:
        inner += random.choice([b",", b"]", b"}", b":", b" x"])
    return (b"{" + inner + b"}") if is_object else (b"[" + inner + b"]")


def value_of_any_kind(random, depth=0):
    kind = random.random()
    if kind < 0.25:
        return number(random).encode()
    if kind < 0.5:
        return text(random, "'" if random.random() < 0.1 else '"')
    if kind < 0.75 and depth < 4:
        return nested(random, depth)
    if kind < 0.92 or depth > 3:
        return random.choice(LITERALS).encode()
    if kind < 0.96:
        return random.choice(BAD_LITERALS).encode()
    return random.choice(BAD_NUMBERS).encode()


def long_name(random):
    """A partition value about as long as a directory's name can be."""
    character = random.choice(["a", "é", ":", "😀", "%", "\\u0001"])
    unit = {"a": 1, "é": 2, "😀": 4}.get(character, 3)
    count = (248 + random.randint(-3, 3)) // unit
    return ('"' + character * count + "a" * random.randint(0, 3) + '"').encode()


def value(random, kind, name):
    """A value for a column of this type: half of the time one that fits."""
    if name in ("status", "role") and random.random() < 0.05:
        return long_name(random)
    if random.random() < 0.2:
        return value_of_any_kind(random)
    if kind in ("int", "bigint"):
        return integer(random).encode()
    if kind == "double":
        if random.random() < 0.2:
            words = ["NaN", "Infinity", "+Infinity", "+INF", "-Infinity", "-INF"]
            words += ["INF", "nan", "1.5"]
            word = random.choice(words)
            return f'"{word}"'.encode() if random.random() < 0.6 else word.encode()
        return number(random).encode()
    if kind == "boolean":
        return random.choice([b"true", b"false", b"true", b"false", b"null", b'"true"', b"0", b"1"])
    if kind == "timestamp":
        if random.random() < 0.15:
            return integer(random).encode()
        return b'"' + timestamp(random).encode() + b'"'
    return text(random, "'" if random.random() < 0.05 else '"')


def key(random, name):
    kind = random.random()
    if kind < 0.93:
        return f'"{name}"'.encode()
    if kind < 0.95:
        return f"'{name}'".encode()
    if kind < 0.98 and name:
        at = random.randrange(len(name))
        return f'"{name[:at]}\\u{ord(name[at]):04x}{name[at + 1 :]}"'.encode()
    odd = [f'"{name.upper()}"', f'"{name} "', f'"{name}', name, f'"{name}\\x"', '""']
    return random.choice(odd).encode()


def columns(kind):
    """[(name, type)] of a record."""
    return [tuple(column.split()) for column in spark_job.JOBS[kind][1].split(",")]


def record(random, kind):
    """One object: a few awkward members among plain ones."""
    known = columns(kind)
    chosen = random.sample(known, random.choice([1, 2, 3, 5, 8, len(known)]))
    if random.random() < 0.85 and known[0] not in chosen:
        chosen.insert(0, known[0])
    if random.random() < 0.15:
        chosen.append(random.choice(chosen))  # twice
    awkward = random.choice([1, 1, 2, 3, len(chosen)])
    odd = set(random.sample(range(len(chosen)), min(awkward, len(chosen))))
    if random.random() < 0.3:
        chosen.insert(random.randint(0, len(chosen)), ("unknown", "any"))
    members = []
    for index, (name, its_type) in enumerate(chosen):
        made = value(random, its_type, name) if index in odd else plain(random, its_type)
        name = key(random, name) if index in odd else f'"{name}"'.encode()
        separator = b":" if random.random() < 0.998 else random.choice([b"", b"=", b",", b"::"])
        members.append(
            space(random) + name + space(random) + separator + space(random) + made + space(random)
        )
    comma = b"," if random.random() < 0.99 else random.choice([b",,", b"", b";", b" "])
    tail = b"" if random.random() < 0.98 else b","
    return space(random) + b"{" + comma.join(members) + tail + b"}" + trailing(random)


def plain(random, its_type):
    if its_type in ("int", "bigint"):
        return str(random.choice([0, 1, 3, 7, 32, 59, 800, 1834, -61])).encode()
    if its_type == "double":
        return random.choice([b"0", b"0.0", b"-0.0", b"4.25", b"3", b"1.005", b"null"])
    if its_type == "boolean":
        return random.choice([b"true", b"false"])
    if its_type == "timestamp":
        return b'"2024-03-05T12:34:56Z"'
    return b'"%d"' % random.randint(0, 99)


def trailing(random):
    if random.random() < 0.95:
        return b""
    behind = [b" ", b"\n", b"x", b"}", b"]", b'{"match_id":"2"}', b",", b"\x00", b"\xff", b"null"]
    return random.choice(behind)


def whole(random):
    """A value whose root is not an object, or is hidden by something before it."""
    kind = random.randrange(5)
    if kind == 0:
        blanks = [b"", b" ", b"\t\r\n", b"\x00", b"\f", b"\x0b", b" \x1f"]
        return random.choice([None, *blanks, b"\xc2\xa0", b"\xef\xbb\xbf"])
    if kind == 1:
        return space(random) + value_of_any_kind(random) + trailing(random)
    inner = b'{"match_id":"m","player_id":"p","status":"s","role":"r"}'
    if kind == 2:
        before = [b"\xef\xbb\xbf", b"\x00", b"\xc2\xa0", b"x", b",", b"[", b"[ ", b"]"]
        return random.choice(before) + inner
    if kind == 3:
        coding = random.choice(["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-be"])
        return inner.decode().encode(coding)
    return b"[" + inner + random.choice([b"]", b"", b"," + inner + b"]"])


def mutated(random, message):
    """One to three changes to its bytes."""
    message = bytearray(message)
    for _ in range(random.choice([1, 1, 1, 2, 3])):
        at = random.randint(0, len(message))
        to = min(len(message), at + random.choice([1, 1, 2, 4, 16]))
        kind = random.randrange(7)
        if kind == 0:
            del message[at:to]
        elif kind == 1:
            meaning = b'{}[]:,"\'\\0123456789eE+-.truefalsnN \t\n\x00/'
            message[at:at] = bytes([random.choice(meaning)])
        elif kind == 2 and at < len(message):
            message[at] = random.randrange(256)
        elif kind == 3:
            message[at:at] = message[at:to]
        elif kind == 4:
            message[at:at] = random.choice(INVALID_UTF8)
        elif kind == 5:
            message[at:to] = value_of_any_kind(random)
        elif random.random() < 0.3:
            del message[at:]
        else:
            other = random.choice([*ESCAPES, *BAD_ESCAPES, *LITERALS, *BAD_LITERALS]).encode()
            message[at:at] = other
    return bytes(message)


def corpus(kind):
    """The messages of the conformance corpus that are of a size to be mutated."""
    with gzip.open(CORPUS / kind / "input.tsv.gz", "rt") as lines:
        values = [line.rstrip("\n").split("\t")[2] for line in lines]
    messages = [base64.b64decode(value) for value in values if value != "\\N"]
    return [message for message in messages if len(message) < 4000]


def generate(random, kind, count):
    """`count` messages (bytes or None)."""
    seeds = corpus(kind)
    made = []
    for _ in range(count):
        way = random.random()
        if way < 0.65:
            made.append(record(random, kind))
        elif way < 0.75:
            made.append(mutated(random, record(random, kind)))
        elif way < 0.96:
            made.append(mutated(random, random.choice(seeds)))
        else:
            made.append(whole(random))
    return made
