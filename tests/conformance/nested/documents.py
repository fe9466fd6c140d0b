"""The documents of the corpus: those that show one fact each, every truncation and every wrong
type of a plain document, and random ones by the grammar of the fuzzer."""

import json

from fuzz_spark import messages

# These replace any value.
WRONG = [
    *["null", "true", "false", "0", "-0", "7", "1e1", "1.0", "1.50", "NaN", "+INF", "-Infinity"],
    *['""', '"x"', '"1"', '"true"', "'q'", "{}", "[]", "[{}]", '{"k":5}', '[{"k":5}]', "[1,[2]]"],
    *['{"k":{"k":5}}', "tru", "trux", "nul", "01", "1x", "0x1", "-", "+1", "1.", "1e", "@", ""],
    *['"\\q"', '"\\u12"', '"a\tb"', '"\\ud800"', '"\\u0041"', "{k:1}", '{"k":1,}', '{"k":1]', "[1}"],
    *['{"k"}', '{"k":}', '{"k" 1}', '{,}', "{{}}", "[1,]", "[,1]", '{"k":tru}', '{"k":01}', "}", "]"],
    *[",", ":", "{", "[", '{"k":', '{"n":1x}', '{"n":[1x]}', '{"k":1,"k":"x"}', '{"n":9,"n":01}'],
    *["9" * 1000, "9" * 1001, "1." + "5" * 999, "1." + "5" * 1000, "[" + "9" * 1001 + "]"],
    *['{"q":' + "9" * 1001 + "}", '{"q":"\\q"}', '{"q":"a\nb"}', '{"q":{"q":tru}}', '{"q":[01]}'],
    *['"' + "y" * 300 + '"', '{"' + "k" * 50000 + '":1}', '{"' + "k" * 50001 + '":1}'],
]
DEPTHS = [5, 994, 995, 996, 997, 998, 999, 1000, 1001]

PLAIN = {
    "paths": '{"id":"i","a":1,"s":{"k":2,"n":3,"t":{"x":"X","u":{"d":1.5,"v":{"w":4}},"y":"Y"}},'
    '"m":{"at":"2024-03-05T12:34:56Z","ok":true},"z":9}',
    "identifier": '{"meta":{"head":{"id":"i","n":1},"v":"V"},"r":2}',
    "one": '{"s":{"k":2}}',
    "keys": '{"a.b":1,"c d":{"a.b":2,"\u00e9":3},"\u00e9":{"E":4,"e":5},'
    '"a_key_that_is_longer_than_one_comparison":{"a_key_that_is_longer_than_one_comparison":6,'
    '"a_key_that_is_longer_than_one_comparisoN":7}}',
}

FACTS = {
    "paths": [
        *['{"s":{"k":2},"s":{"n":3}}', '{"s":{"k":2},"s":5}', '{"s":{"k":2},"s":null}'],
        *['{"s":{"k":2},"s":""}', '{"s":{"k":2},"s":[{"k":3}]}', '{"s":{"k":2},"s":{}}'],
        *['{"s":{"k":2},"s":{"k":"x"}}', '{"s":{"k":2},"s":{"n":3,}}', '{"s":{"k":2},"s":{"n":tru}}'],
        *['{"s":{"k":2},"s":{"n":3,},"z":1}', '{"s":{"k":2,"k":"x"},"z":1}'],
        '{"s":{"k":2,"t":{"x":"a"}},"s":{"k":4,"t":{"y":"b"},"t":{"x":"c",}},"z":1}',
        '{"s":{"k":2,"t":{"x":"a"}},"s":{"k":4,"t":{"y":"b"},"t":{"x":"c",},}},"z":1}',
        '{"s":{"t":{"x":"a","u":{"d":1}}},"s":{"t":{"u":{"v":{"w":1,}}}},"z":1}',
        '{"s":{"t":{"x":"a","u":{"d":1}},"t":{"u":{"v":{"w":1,}}}},"z":1}',
        *['{"s":{"k":1,},"z":9}', '{"s":{"k":1,"n":tru},"z":9}', '{"s":{"k":1,"n":1x},"z":9}'],
        *['{"s":{"k":1,"n":01},"z":9}', '{"s":{"k":1,"n":[01]},"z":9}', '{"a":1,"s":{"k":1,"n":}}'],
        *['{"z":9,"a":1,"s":{"k":tru', '{"a":1,"s":{"k":1,"n":1', '{"a":1,"q":{"k":1,"n":1'],
        *['{"a":1,"s":{"k":1,"n":1}', '{"a":1,"s":{"k":1}}}', '{"a":1,"s":{"k":1}}x'],
        *['{"a":1,"s":{"k":1}}{"a":2}', '{"a":1,"s":{"t":{"x":"\\q"}},"z":9}', "{'s':{'k':1},'z':9}"],
        *['{"a":1,"s":{"q":"\\q"},"z":9}', '{"a":1,"s":{"q":tru},"z":9}', '{"a":1,"s":{"q":01},"z":9}'],
        *['{"a":1,"s":{"q":"a\tb"},"z":9}', '{"a":1,"s":{"q":[{]},"k":3},"z":9}'],
        *['{"s":{"t":[{"x":"a"}],"k":1},"z":9}', '{"s":{"t":"","k":1},"z":9}', '{"s":[],"z":9}'],
        *['{"s":[{"k":1}],"a":2,"z":9}', '{"s":{"s":{"k":1}},"z":9}', '{"k":1,"n":2,"z":9}'],
        *['[{"a":1}]', "[]", "null", "5", '"x"', "", " ", "\n", '{"s":{"k":1}', '{"s"', '{"s":{', "{"],
        *['{"\\u0073":{"\\u006b":3},"z":1}', '{"S":{"k":3},"s":{"K":4},"z":1}', '{"s":{"k\\u0000":3}}'],
        *['{"s":{"":3,"k":4},"":5,"z":1}', "{\"s\":{'k':4,k:5},\"z\":1}", '{"s":{"k":1 "n":2},"z":1}'],
        *['{"s" :\n{ "k"\t: 1 , "n" :2 } , "z": 1 }', '{"s":{"k":1}"z":1}', '{"s":{"k":1};"z":1}'],
        *['{"s":{"k":1/**/},"z":1}', '{"s":{"k":1}//\n,"z":1}', '\ufeff{"s":{"k":1}}'],
        *['{"m":{"at":1704189600,"ok":1},"z":1}', '{"m":{"at":"24:00:00","ok":"true"},"z":1}'],
        '{"s":{"t":{"x":{"a":"\\u0041","a":1.50},"y":[1e5,NaN,null]}},"z":1}',
        '{"s":{"t":{"x":{"a":tru},"y":"b"},"n":1},"z":1}',
        '{"s":{"t":{"x":{"a":1,},"y":"b"},"n":1},"z":1}',
        '{"s":{"t":{"x":[1,2,"y":"b"},"n":1},"z":1}',
    ],
    "identifier": [
        *['{"meta":{"head":{"id":"a"}},"meta":{"head":{"n":2}}}', '{"meta":{"head":{"id":null}}}'],
        *['{"meta":{"head":5},"r":1}', '{"meta":5,"r":1}', '{"meta":{"head":{"id":tru}},"r":1}'],
        *['{"meta":{"head":{"id":"\\q"}},"r":1}', '{"meta":{"head":{"id":"a",}},"r":1}', '{"r":1}'],
        *['{"meta":null,"r":1}', '{"meta":{},"r":1}', '{"meta":{"head":null},"r":1}'],
        '{"meta":{"head":{"id":"a"}},"meta":{"head":{"id":"b",},"v":"w"},"r":1}',
    ],
    "keys": [
        *['{"a":{"b":1}}', '{"c d":{"a":{"b":1}}}', '{"\\u00e9":{"\\u0065":3,"E":4}}'],
        '{"e\\u0301":{"e":3}}',
    ],
}


def spans(text):
    """Where the values of a plain document are."""
    decoder = json.JSONDecoder()
    for at in range(len(text)):
        if at > 0 and text[at - 1] == ":":
            try:
                _, end = decoder.raw_decode(text, at)
            except ValueError:
                continue
            yield at, end


def systematic(schema):
    text = PLAIN[schema]
    yield text
    for size in range(len(text)):
        yield text[:size]
    for at, end in spans(text):
        for wrong in WRONG:
            yield text[:at] + wrong + text[end:]
        for depth in DEPTHS:
            yield text[:at] + "[" * depth + "]" * depth + text[end:]
            yield text[:at] + '{"q":' * depth + "1" + "}" * depth + text[end:]
        yield text[:at] + text[at:end] + ',"q":' + text[at:end] + text[end:]
    for at, character in enumerate(text):
        if character in '{}:,"':
            yield text[:at] + text[at + 1 :]
            yield text[:at] + character + text[at:]


NUMBERS = [
    *["0", "-0", "1", "-1", "127", "128", "-128", "-129", "200", "255", "256", "-256", "32767"],
    *["32768", "-32768", "-32769", "40000", "65535", "2147483647", "2147483648", "-2147483648"],
    *["4294967296", "9223372036854775807", "9223372036854775808", "-9223372036854775808"],
    *["123.445", "-0.005", "0.005", "0.004999", "999.995", "999.994", "-999.995", "12345", "1e2"],
    *["1E2", "1e+2", "12e-1", "1.0", "2.50", "0.1", "1e-2", "1e-3", "5e-3", "5e-11", "4e-11", "0e5"],
    *["1e400", "-1e400", "1e-400", "3.5e38", "3.4028235e38", "3.4028236e38", "16777217", "0.0e-9"],
    *["3.4028235677973366e38", "3.40282356779733661e38", "1.17549435e-38", "1.4e-45", "7e-46"],
    *["7.0064923216240853e-46", "7.0064923216240854e-46", "7.0064923216240862e-46", "-0.0", "-0e3"],
    *["16777217.0", "16777218.9999", "16777219", "33554434", "33554435.0", "9007199791611905"],
    *["0.50000002980232238769531250", "0.50000002980232238769531251", "1.00000017881393432617187499"],
    *["1.000000178813934326171875", "1.00000017881393432617187501", "8388608.5", "8388609.5"],
    *["9007199254740993", "36028799166447617", "99999999999999999999", "179769313486231570e291"],
    *["340282356779733661637539395458142568447", "340282356779733661637539395458142568448"],
    *["99999.995", "99999.994", "123456789", "999999999", "999999999.4", "999999999.5", "1000000000"],
    *["99999999999999.99995", "99999999999999.9999", "99999999999999", "1234567890123456789012345678"],
    *["9999999999999999999999999999.9999999999", "9999999999999999999999999999.99999999995"],
    *["0.99999999999999999999999999999999999999", "0.999999999999999999999999999999999999995"],
    *["0.000000000000000000000000000000000000005", "0.0000000000000000000000000000000000000049"],
    *["1e27", "1e28", "1e-38", "5e-39", "1e37", "1e38", "12345678901234567890.10", "1" + "0" * 40],
    *["0." + "0" * 60 + "1", "9" * 39, "9" * 38, "0" + "." + "9" * 999, "1." + "0" * 998 + "1"],
    *["NaN", "Infinity", "+Infinity", "-Infinity", "+INF", "-INF", "-NaN", "INF", "-1e0", "1e0"],
]
NUMBER_TEXTS = [
    *["1", "12.3", "1e2", "1,234.5", "1,2,3", ",", ",,1", "1,", "-1,0.5,0", " 1", "1 ", "+1", "-", "+"],
    *[".5", "5.", ".", "-.5e1", "1e", "1e+", "1e+2", "1E-2", "1e0000000002", "1e00000000000002"],
    *["1e12345678901", "0e5", "1d", "0x1", "1_0", "NaN", "nan", "Infinity", "+Infinity", "-Infinity"],
    *["INF", "+INF", "-INF", "inf", "1.1", "true", "null", "١٢", "--1", "1-", "1.2.3", "1e2e3", "e5"],
    *["999.995", "-0.005", "\\u0031", "1\\u002c2", "9" * 40, "0" * 60 + "1", "1" + "," * 70 + "2"],
    *["0." + "0" * 37 + "49", "1e-2147483648", "0e2147483647", "1e-99", "1e2147483648"],
]
DATES = [
    *["2024", "2024-01", " 2024-1-2 ", "2024-01-02T10Z", "2024-01-02 junk", "2024-01-02x", "19000"],
    *["2024-02-30", "2024-02-29", "2023-02-29", "1582-10-10", "0000-01-01", "-0001-01-01", "0001-01-01"],
    *["+2024-01-02", "-2024-01-02", "2024-13-01", "2024-00-01", "2024-01-00", "2024-001-01", "2024-1-"],
    *["2024-", "2024--1", "2024-01-02-", "2024-01-02T", "2024-01T", "2024 ", "2024T", "24-01-02", "202"],
    *["123", "-123", "+5", "0", "-0", "-", "+", "20240115", "-20240115", "-00200000", "-00141427"],
    *["-00141428", "-00719164", "-00719165", "-00719163", "2147483647", "-2147483648", "2147483648"],
    *["99999999", "5881580-07-11", "5881580-07-12", "-5877641-06-23", "-5877641-06-22", "9999999-01-01"],
    *["12345678-01-01", "1234567-01-01", "2024-01-02GMT", "20GMT24-01-02", "GMT", "12GMT3", "2024GMT"],
    *["2024-01-02 GMT", "\\u00092024-01-02\\u007f", "2024-01-02\\u00a0", "2024-01-02\\n", "12 ", " 12"],
    *["\\u0031", "١٢", "٢٠٢٤-01-02", "2024-01-02T10:00:00Z", "10:00", "T10:00", "10:00:00", "1e3"],
    *["2024-01-02 10:00:00", "2024-01-02T10:00:00.123456789", "2024-01-02T10:00:00+02:00", "12-1-1"],
    *["2024-01-02T10", "2024-01-02 10:0", "2024-01-02T24:00:00", "2024-01-02T10:00:60", "294247-01-10"],
    *["294247-01-10T04:00:54.775807", "294247-01-10T04:00:54.775808", "-290308-12-21T19:59:05.224192"],
    *["-290308-12-21T19:59:05.224191", "999999-01-01", "-999999-12-31", "1969-12-31T23:59:59.999999"],
    *["2024-01-02T10:00:00 Europe/Paris", "2024-01-02T10:00:00UTC", "2024-01-02T10:00:00.", "00-00"],
    *["1705329000", "1705329000000", "2024-01-02T10:00:00,5", "2024-01-02T1:2:3.4", "", " ", "\\u0000"],
]
BINARIES = [
    *["", "YWJj", "YWJj\\n", "YW Jj", " YWJj", "YWJj ", "YWJ", "YWJ=", "YW==", "YW=", "YW", "Y", "Y=", "="],
    *["==", "====", "Y===", "YWJjZA==", "YWJjZA==YWJj", "YWJjZA== YWJj", "YQ==YQ==", "-_", "-_-_", "+/+/"],
    *["YW\\u004aj", "YW\\u003d\\u003d", "\\u003d", "\\u003dYWJj", "Y\\u003dJj", "YW\\u003d", "\\u0020YWJj"],
    *["Y\\u0020WJ", "YW\\nJj", "YWJ\\nj", "YW\nJj", "\nYWJj", "\tYWJj\t", "YWJj\x01YWJj", "Y\nWJ", "YWJ\\q"],
    *["\\q", "\\u12", "YW\\", "é", "YéJj", "YWJé", "YWJj漢", "😀", "Y😀", "YWJ😀", "\\ud83d\\ude00", "YWJ\\u00e9"],
    *["YWJj\\/", "YWJ\\/", "\\/\\/\\/\\/", "YWJ'", "A" * 64, "A" * 400, "YW=J", "YW=\\u003d", "YW=\\q", "Y\\"],
    *["YQ=", "YQ=x", "YQ==x", "AAAA\\u0000", "\\u0000AAAA", "AA\\u0000AA", "YWJj\x7f", "\x7f", "YW\x00J"],
    *["A" * 50000, "Y\\u003d\\u003dA", "Y\\u003dAA", "AA=\\n", "AA\\u003d="],
]


def typed(schema, columns):
    """Every awkward value as that of each column, with members behind it that show where Spark
    continued."""
    values = [*NUMBERS, *WRONG]
    for texts in (NUMBER_TEXTS, DATES, BINARIES):
        values += [f'"{text}"' for text in texts]
    values += [f"'{text}'" for text in BINARIES]
    for path, _ in columns:
        if path == ["z"] or path == ["s", "z"]:
            continue
        for value in dict.fromkeys(values):
            member = f'"{path[-1]}":{value}'
            if schema == "types":
                yield f'{{{member},"z":1,"i":2}}'
            elif len(value) < 100:
                yield f'{{"s":{{"v":{{{member},"i":2}},"z":3}},"z":1}}'


def nested_tree(columns):
    tree = {}
    for path, its_type in columns:
        level = tree
        for name in path[:-1]:
            level = level.setdefault(name, {})
        level[path[-1]] = its_type
    return tree


def quoted(random, texts):
    return b'"' + random.choice(texts).encode() + b'"'


def scalar(random, its_type):
    """Of the types that the fuzzer does not know, one that fits as often as not."""
    kind = its_type.partition("(")[0]
    if kind in ("TINYINT", "SMALLINT", "FLOAT", "DECIMAL") and random.random() < 0.8:
        if random.random() < 0.6:
            return messages.number(random).encode()
        return random.choice(NUMBERS).encode()
    if kind in ("DATE", "TIMESTAMP_NTZ"):
        if random.random() < 0.5:
            return b'"' + messages.timestamp(random).encode() + b'"'
        return quoted(random, DATES)
    if kind == "BINARY":
        return quoted(random, BINARIES)
    return messages.value(random, its_type.lower(), "x")


def value(random, kind):
    if not isinstance(kind, dict):
        return scalar(random, kind)
    chance = random.random()
    if chance < 0.86:
        return document(random, kind)
    if chance < 0.9:
        return b"[" + document(random, kind) + random.choice([b"]", b"}", b",1]"])
    if chance < 0.95:
        return random.choice(WRONG).encode()
    return messages.value_of_any_kind(random)


def document(random, tree):
    names = random.sample(list(tree), random.randint(0, len(tree)))
    if names and random.random() < 0.25:
        names.append(random.choice(names))
    members = []
    for name in names:
        members.append((name, value(random, tree[name])))
    if random.random() < 0.3:
        other = random.choice(["q", "k", "s", "id", "a.b"])
        members.insert(random.randint(0, len(members)), (other, messages.value_of_any_kind(random)))
    joined = b",".join(
        messages.space(random) + messages.key(random, name) + b":" + messages.space(random) + made
        for name, made in members
    )
    if random.random() < 0.03:
        joined += random.choice([b",", b"]", b"}", b":", b" x"])
    return b"{" + joined + b"}"


def generate(random, schema, columns):
    """Bytes, in an order that stays the same."""
    made = [text.encode() for text in FACTS.get(schema, [])]
    if schema in PLAIN:
        made += [text.encode() for text in systematic(schema)]
    if "types" in schema:
        made += [text.encode() for text in typed(schema, columns)]
    tree = nested_tree(columns)
    for _ in range(600):
        one = document(random, tree)
        made.append(one if random.random() < 0.6 else messages.mutated(random, one))
    return [one for one in dict.fromkeys(made) if len(one) < 120000]
