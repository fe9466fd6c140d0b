"""The schemas and documents of the corpus of arrays, maps and the structs in them.

A type is "INT", {"array": TYPE}, {"map": TYPE} or {"struct": [[NAME, TYPE], …]}; a schema is a list of
[PATH, TYPE], as in schemas.json."""

import json

import documents
from fuzz_spark import messages


def array(of):
    return {"array": of}


def mapped(of):
    return {"map": of}


def struct(**fields):
    return {"struct": [list(field) for field in fields.items()]}


PAIR = struct(k="INT", n="STRING")
WHOLE = [
    [["a"], "INT"],
    [["s", "k"], "INT"],
    [["s", "n"], "INT"],
    [["s", "t"], "STRING"],
    [["r"], array(struct(k="INT", n="INT"))],
    [["m"], mapped("INT")],
    [["z"], "INT"],
]
PLAYER = struct(
    puuid="STRING", kills="INT", win="BOOLEAN", items=array("INT"), perks=struct(id="INT", v=array(PAIR))
)
SCHEMAS = {
    "whole": WHOLE,
    "arrays": [
        [["i"], array("INT")],
        [["t"], array("STRING")],
        [["b"], array(array("INT"))],
        [["r"], array(PAIR)],
        [["z"], "INT"],
    ],
    "maps": [
        [["m"], mapped("INT")],
        [["p"], mapped(PAIR)],
        [["q"], mapped(array("STRING"))],
        [["mm"], mapped(mapped("INT"))],
        [["z"], "INT"],
    ],
    "match": [
        [["metadata", "matchId"], "STRING"],
        [["info", "queueId"], "INT"],
        [["info", "participants"], array(PLAYER)],
        [["info", "teams"], array(struct(id="INT", bans=array(struct(c="INT")), o=mapped(PAIR)))],
        [["z"], "INT"],
    ],
    "deep": [
        [["s", "a"], array(struct(b=struct(c=struct(d="INT", e=array(array("STRING"))), f="INT")))],
        [["s", "m"], mapped(array(mapped(struct(x="INT", y=struct(x="INT")))))],
        [["s", "z"], "INT"],
        [["z"], "INT"],
    ],
    "scalars": [
        *[[[f"a{at}"], array(kind)] for at, kind in enumerate(
            ["TINYINT", "SMALLINT", "BIGINT", "FLOAT", "DOUBLE", "DECIMAL(9,2)", "BOOLEAN", "BINARY",
             "DATE", "TIMESTAMP", "TIMESTAMP_NTZ"])],
        [["s"], array(struct(f="FLOAT", d="DOUBLE", c="DECIMAL(38,10)", bin="BINARY", day="DATE",
                             ts="TIMESTAMP", ntz="TIMESTAMP_NTZ", t8="TINYINT", ok="BOOLEAN"))],
        [["z"], "INT"],
    ],
}

PLAIN = {
    "whole": '{"a":1,"s":{"k":1,"n":2,"t":"x"},"r":[{"k":1,"n":2},null,{"n":3}],"m":{"x":1,"y":2},"z":9}',
    "arrays": '{"i":[1,null,3],"t":["a",5,{"q":[1]}],"b":[[1,2],[],null,[3]],'
    '"r":[{"k":1,"n":"x"},{}],"z":9}',
    "maps": '{"m":{"b":1,"a":null,"b":3},"p":{"x":{"k":1,"n":"y"},"w":{}},"q":{"e":["f",null],"":[]},'
    '"mm":{"g":{"h":1},"i":{}},"z":9}',
    "match": '{"metadata":{"matchId":"EUW1_1"},"info":{"queueId":420,"participants":[{"puuid":"p0",'
    '"kills":3,"win":true,"items":[1,2],"perks":{"id":5,"v":[{"k":1,"n":"a"}]},"x":{"y":[1]}},'
    '{"puuid":"p1","items":[]}],"teams":[{"id":100,"bans":[{"c":1},{"c":2}],"o":{"b":{"k":1}}}]},"z":9}',
    "deep": '{"s":{"a":[{"b":{"c":{"d":1,"e":[["x","y"],[]]},"f":2}}],"m":{"u":[{"v":{"x":1,"y":{"x":2}}},'
    '{}],"w":null},"z":3},"z":9}',
}

FACTS = {
    "whole": [
        *['{"r":[{"k":"x","n":1},{"k":2}]}', '{"r":[{"k":1},"x",{"k":2}],"z":1}', '{"r":[null],"m":{}}'],
        *['{"r":[],"m":{"a":"x","b":2},"z":1}', '{"r":{"k":1},"m":[1],"z":1}', '{"r":5,"m":5,"z":1}'],
        *['{"r":"","m":"","s":"","z":1}', '{"m":{"b":1,"a":2,"b":3}}', '[{"a":1}]', "null", "5", '"x"'],
        *['{"r":[{"k":1}],"r":[{"k":2}]}', '{"r":[{"k":1}],"r":["x"]}', '{"r":[{"k":1}],"r":null}'],
        *['{"r":[{"k":1}],"r":[{"k":tru}]}', '{"m":{"a":1},"m":{"a":"x"}}', '{"m":{"a":1},"m":{}}'],
        *[f'{{"a":1,"s":{{"k":1,"n":{bad},"z":9}}' for bad in ["}", "tru}", "1x}", "01}", "[01]}"]],
        *['{"a":1,"s":{"t":"\\q"},"z":9}', '{"a":1,"m":{"x":1,"y":tru},"z":9}', '{k:1}'],
        *['{"a":1,"s":{"k":1,},"z":9}', '{"a":1,"r":[{"k":1}},"z":9}', '{"a":1,"r":[{"k":1},{"k":2],"z":9}'],
        *['{"z":9,"a":1,"s":{"k":tru', '{"a":1,"s":{"k":1,"n":1', '{"a":1,"r":[{"k":1},],"z":9}'],
        *['{"a":1,"r":[{"k":1},tru,{"k":2}],"z":9}', '{"a":1,"r":[tru],"z":9}', '{"a":1,"r":[01],"z":9}'],
        *['{"a":1,"r":[{"k":1}],"z":9}}', '{"a":1,"r":[{"k":1}]}x', '{"r":[{"k":1}]}{"a":2}'],
        *['{"r":[{"k":1,"k":"x"}],"z":1}', '{"r":[{"k":1,"k":null}],"z":1}', '{"r":[{"k":1,"k":2}],"z":1}'],
        *['{"r":[{"r":[{"k":5}]},"x",{"r":[{"k":6}]}],"z":1}', '{"r":["x",{"k":2,"r":[{"k":7}]}],"z":1}'],
        *['{"r":[[{"k":1}]],"z":1}', '{"r":[{"k":[1]},{"n":{"k":2}}],"z":1}', '{"r":[1,[2,{"z":3}]],"z":1}'],
        *['{"m":{"a":{"z":3}},"z":1}', '{"m":{"z":[1,{"a":4}]},"z":1}', '{"m":{"a":null,"a":1}}'],
        *["{'r':[{'k':1}],'m':{'\\u0061':1},\"z\":1}", '{"m":{"\\ud800":1,"\\u0000":2,"":3}}'],
        '{"m":{"' + "y" * 300 + '":1,"' + "k" * 50001 + '":2},"z":1}',
        '{"m":{"' + "\u00e9" * 50000 + '":1},"z":1}',
    ],
    "arrays": [
        *['{"i":[1,"2",3],"z":1}', '{"i":[1,2.0],"z":1}', '{"b":[[1],["x"],[2]],"z":1}', '{"i":[[1]],"z":1}'],
        *['{"b":[1],"z":1}', '{"b":[[1],2],"i":[2]}', '{"b":[[1,"x",{"b":[[7]]}],[2]],"z":1}'],
        *['{"i":["x",{"i":[5]},[{"i":[6]}]],"z":1}', '{"i":[1,2', '{"i":[1,2]', '{"i":[1,2]]', '{"i":[,]}'],
        *['{"t":[tru],"z":1}', '{"t":[{"a":tru}],"z":1}', '{"t":[{"a":1,],"i":[1],"z":1}', '{"t":["\\q"],"z":1}'],
        *['{"t":["a","\\q","b"],"i":[1],"z":1}', '{"t":[NaN,1.50,-0,1e5,[1, 2],{"a" : 1}],"z":1}'],
        '{"t":["x",{"i":tru,"z":5}],"i":[1],"z":2}',
        '{"t":[[{"i":tru,"z":5},6],7],"i":[1],"z":2}',
        '{"r":[{"n":{"q":tru,"k":5},"k":6}],"i":[1],"z":2}',
        '{"r":[{"n":[{"q":tru,"k":5},null,{"k":8}],"k":6}],"i":[1],"z":2}',
        '{"r":[{"k":1,"n":"a",},{"k":2}],"i":[1],"z":2}',
        '{"i":[' + ",".join(["1"] * 3000) + '],"z":1}',
        '{"b":[' + ",".join(["[1,2]"] * 500) + '],"z":1}',
        '{"t":[' + ",".join(['"\u00e9x"'] * 500) + '],"z":1}',
    ],
    "maps": [
        *['{"p":{"a":{"k":1},"a":{"n":"x"},"b":5},"z":1}', '{"p":{"a":{"k":"x"},"b":{"k":2}},"z":1}'],
        *['{"q":{"a":["x"],"b":"y"},"z":1}', '{"mm":{"a":{"b":1},"c":{"d":"x"}},"z":1}', '{"m":[],"z":1}'],
        '{"p":{"a":{"n":{"q":tru,"k":5},"k":6},"b":{"k":7}},"m":{"u":1},"z":2}',
        '{"p":{"a":{"n":[{"q":tru,"k":5},null,{"k":8}],"k":6},"b":{"k":7}},"m":{"u":1},"z":2}',
        '{"p":{"a":{"n":[{"q":tru},{"n":{"q":tru}}],"k":6},"b":{"k":7}},"m":{"u":1},"z":2}',
        '{"p":{"a":{"n":[{"q":tru},{"n":{"q":tru},"k":3},null,{"k":4}]}}},"m":{"u":1},"z":2}',
        '{"p":{"a":{"n":[{"q":tru},{"n":{"q":tru},"k":3}}]}}},"m":{"u":1},"z":2}',
        '{"m":{"a":1,"\\u0061":2,"\u00e9":3,"e\u0301":4,"\\ud83d\\ude00":5}}',
    ],
    "match": [
        *['{"info":{"participants":[{"puuid":"a"},"x"],"queueId":1},"z":1}', '{"info":{"participants":5}}'],
        *['{"info":{"participants":[{"items":["x"],"kills":1}],"queueId":1},"z":1}', '{"info":5,"z":1}'],
        '{"info":{"participants":[{"perks":{"id":1,"v":[{"k":1}]},"perks":{"id":2}}]},"z":1}',
        '{"info":{"participants":[{"perks":{"id":1,"v":[{"k":1}]},"perks":5}]},"z":1}',
        '{"info":{"participants":[{"perks":{"id":1,"v":[{"k":1}]},"perks":null}]},"z":1}',
        '{"info":{"participants":[{"perks":{"id":1,"v":[{"k":1}]},"perks":{"id":2,}}]},"z":1}',
        '{"info":{"participants":[{"perks":{"id":1,"v":[{"k":1}]},"perks":{"id":2,"v":[5]}}]},"z":1}',
        '{"info":{"participants":[{"perks":{"id":1,},"kills":2},{"kills":3}],"queueId":1},"z":1}',
        '{"info":{"participants":[{"kills":1}],"queueId":1},"info":{"queueId":2},"z":1}',
        '{"info":{"participants":[{"kills":1}],"queueId":1},"info":{"participants":[{"kills":2}],},"z":1}',
        '{"info":{"participants":[{"kills":1,"items":[1]}]},"info":{"participants":[{"kills":tru}]}},"z":1}',
    ],
}
DEPTHS = [5, 993, 994, 995, 996, 997, 998, 999, 1000, 1001]


def spans(text):
    """Where the values of a plain document are, elements of arrays too."""
    decoder = json.JSONDecoder()
    for at in range(1, len(text)):
        if text[at - 1] not in ":[," or text[at] == "]":
            continue
        try:
            _, end = decoder.raw_decode(text, at)
        except ValueError:
            continue
        if end < len(text) and text[end] != ":":
            yield at, end


def systematic(text):
    yield text
    for size in range(len(text)):
        yield text[:size]
    for at, end in spans(text):
        for wrong in documents.WRONG:
            if len(wrong) < 400 or at % 3 == 0:
                yield text[:at] + wrong + text[end:]
        for depth in DEPTHS:
            yield text[:at] + "[" * depth + "]" * depth + text[end:]
            yield text[:at] + '{"q":' * depth + "1" + "}" * depth + text[end:]
        yield text[:at] + text[at:end] + ',"q":' + text[at:end] + text[end:]
        yield text[:at] + text[at:end] + "," + text[at:end] + text[end:]
    for at, character in enumerate(text):
        if character in '{}[]:,"':
            yield text[:at] + text[at + 1 :]
            yield text[:at] + character + text[at:]


def awkward_scalars(schema):
    values = [*documents.NUMBERS, *documents.WRONG]
    for texts in (documents.NUMBER_TEXTS, documents.DATES, documents.BINARIES):
        values += [f'"{text}"' for text in texts]
    for path, _ in schema:
        for value in dict.fromkeys(values):
            if path[0].startswith("a") and len(value) < 200:
                yield f'{{"{path[0]}":[{value}],"z":1}}'
                yield f'{{"{path[0]}":[null,{value},{value}],"z":1}}'


# ---- random ones ----

NAMES = ["a", "b", "k", "n", "s", "q", "id", "A", "a.b", "c d", "\u00e9", "value", "x_1", "key"]
KEYS = ["a", "b", "a", "", "k", "\\u0061", "\u00e9", "c d", "\\ud83d\\ude00", "null", "0"]
KINDS = [
    *["INT", "INT", "STRING", "STRING", "BIGINT", "BOOLEAN", "DOUBLE", "TIMESTAMP", "DATE", "BINARY"],
    *["DECIMAL(9,2)", "FLOAT", "TINYINT", "SMALLINT", "TIMESTAMP_NTZ"],
]


def draw_type(random, depth):
    kind = random.random()
    if depth == 0 or kind < 0.3:
        return random.choice(KINDS)
    if kind < 0.55:
        return array(draw_type(random, depth - 1))
    if kind < 0.7:
        return mapped(draw_type(random, depth - 1))
    names = random.sample(NAMES, random.randint(1, 4))
    return {"struct": [[name, draw_type(random, depth - 1)] for name in names]}


def draw_schema(random):
    """At least one array or map; objects of the root are paths, as the query's cut schema has them."""
    columns = []
    for name in random.sample(NAMES, random.randint(1, 4)):
        kind = draw_type(random, random.randint(0, 4))
        add_paths(columns, [name], kind)
    if not any("array" in kind or "map" in kind for _, kind in columns if isinstance(kind, dict)):
        columns.append([["list"], array(draw_type(random, 2))])
    return columns


def add_paths(columns, path, kind):
    if isinstance(kind, dict) and "struct" in kind:
        for name, field in kind["struct"]:
            add_paths(columns, [*path, name], field)
    else:
        columns.append([path, kind])


def draw_value(random, kind):
    chance = random.random()
    if chance < 0.02:
        return random.choice(documents.WRONG).encode()
    if chance < 0.03:
        return messages.value_of_any_kind(random)
    if chance < 0.08:
        return b"null"
    if not isinstance(kind, dict):
        return draw_scalar(random, kind)
    if "struct" in kind:
        return draw_object(random, kind["struct"])
    if "array" in kind:
        return draw_array(random, kind["array"])
    members = [
        b'"' + random.choice(KEYS).encode() + b'":' + draw_value(random, kind["map"])
        for _ in range(random.choice([0, 1, 2, 3]))
    ]
    return b"{" + b",".join(members) + b"}"


def draw_scalar(random, kind):
    """One that fits, mostly: an odd one in an array hides the rest."""
    if random.random() < 0.04:
        return documents.scalar(random, kind)
    name = kind.partition("(")[0]
    if name == "STRING":
        return messages.text(random) if random.random() < 0.3 else b'"' + random.choice(KEYS).encode() + b'"'
    made = {
        "BOOLEAN": lambda: random.choice(["true", "false"]),
        "DOUBLE": lambda: random.choice(["-0.0", "-0", "NaN", "1.5", '"NaN"', "1e300", "-Infinity", "7"]),
        "FLOAT": lambda: random.choice(["-0.0", "3.5", "16777217", "+INF", "0.1"]),
        "DATE": lambda: random.choice(['"2024-01-02"', '"2024"', '"1969-12-31"']),
        "TIMESTAMP": lambda: random.choice(['"2024-01-02T03:04:05.678901Z"', "1704189600", '"1960-01-01"']),
        "TIMESTAMP_NTZ": lambda: random.choice(['"2024-01-02T03:04:05.678901"', '"1960-01-01"']),
        "BINARY": lambda: random.choice(['""', '"YWJj"', '"AAE="']),
        "DECIMAL": lambda: random.choice(["1.005", "-0.01", '"1,2"', "12345", "0"]),
    }.get(name, lambda: str(random.choice([0, 1, -1, 7, 100, 127])))()
    return made.encode()


def draw_array(random, kind):
    count = random.choice([0, 1, 2, 2, 3, 9])
    space = messages.space(random) if random.random() < 0.2 else b""
    joined = (b"," + space).join(space + draw_value(random, kind) + space for _ in range(count))
    return b"[" + joined + b"]"


def draw_object(random, fields):
    names = [name for name, _ in fields if random.random() < 0.8]
    random.shuffle(names)
    kinds = dict((name, kind) for name, kind in fields)
    if names and random.random() < 0.2:
        names.append(random.choice(names))
    members = [(name, draw_value(random, kinds[name])) for name in names]
    if random.random() < 0.2:
        odd = (random.choice(NAMES), messages.value_of_any_kind(random))
        members.insert(random.randint(0, len(members)), odd)
    made = b",".join(b'"' + name.encode() + b'":' + value for name, value in members)
    if random.random() < 0.02:
        made += random.choice([b",", b"]", b"}", b":", b" x"])
    return b"{" + made + b"}"


def root_fields(columns):
    tree = documents.nested_tree([[path, json.dumps(kind)] for path, kind in columns])

    def fields(level):
        return [
            [name, {"struct": fields(kind)} if isinstance(kind, dict) else json.loads(kind)]
            for name, kind in level.items()
        ]

    return fields(tree)


def schemas(random):
    made = dict(SCHEMAS)
    for number in range(40):
        made[f"drawn {number}"] = draw_schema(random)
    return made


def generate(random, name, columns):
    """Bytes, in an order that stays the same."""
    made = [text.encode() for text in FACTS.get(name, [])]
    if name in PLAIN:
        made += [text.encode() for text in systematic(PLAIN[name])]
    if name == "scalars":
        made += [text.encode() for text in awkward_scalars(columns)]
    fields = root_fields(columns)
    for _ in range(150 if name.startswith("drawn") else 400):
        one = draw_object(random, fields)
        made.append(one if random.random() < 0.7 else messages.mutated(random, one))
    return [one for one in dict.fromkeys(made) if len(one) < 110000]
