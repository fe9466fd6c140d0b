"""The documents of the corpus: those that show one fact each, every truncation and every wrong
type of a plain document, and random ones by the grammar of the fuzzer."""

import json

from fuzz_spark import messages

# What stands in the place of any value.
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


def nested_tree(columns):
    tree = {}
    for path, its_type in columns:
        level = tree
        for name in path[:-1]:
            level = level.setdefault(name, {})
        level[path[-1]] = its_type
    return tree


def scalar(random, its_type):
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
    tree = nested_tree(columns)
    for _ in range(600):
        one = document(random, tree)
        made.append(one if random.random() < 0.6 else messages.mutated(random, one))
    return [one for one in dict.fromkeys(made) if len(one) < 120000]
