#!/usr/bin/python3
"""The rooms of the program: src/rooms.txt compared with what the sources include.

rooms.py            checks: each room is in the table, and includes what the table allows and no
                    less; no circle of modules, no header that is never included; the picture in
                    ARCHITECTURE.md is of this table; the files and functions that it and
                    docs/internals/ name are there
rooms.py --write    prints the picture into ARCHITECTURE.md

A room is a folder below src/. A module is a .h with its .c, in one room."""

import pathlib
import re
import sys
import textwrap

ROOT = pathlib.Path(__file__).resolve().parents[1]
SOURCE = ROOT / "src"
TABLE = SOURCE / "rooms.txt"
MAP = ROOT / "ARCHITECTURE.md"
INCLUDE = re.compile(r'^#include "([^"]+)\.h"', re.M)
PICTURE = re.compile(r"(<!-- rooms: [^\n]*-->\n```text\n)(.*?)(```\n)", re.S)
CODE = (".c", ".h", ".y", ".re")  # of .y Bison makes a .c and a .h, of .re re2c a .c
FULL = 21  # modules in one room
MARGIN = 26  # columns of the picture in front of what is inside a room
FREE = {"base": (), "core": ("base",)}  # floors that each floor may include by default; others:
FREE_ABOVE = ("base", "core")


def floor_of(room):
    return room.split("/")[0]


def read_table():
    """{room: (what is inside, [rooms that it may include])}, lowest first, and what is wrong."""
    rooms, faults = {}, []
    for number, line in enumerate(TABLE.read_text().splitlines(), 1):
        if not line or line.startswith("#"):
            continue
        room, inside, arrows = (part.strip() for part in line.split("|"))
        faults += [f"{TABLE.name}:{number}: {room} may include {lower}, which must be listed above it"
                   for lower in arrows.split() if lower not in rooms]
        rooms[room] = (inside, arrows.split())
    return rooms, faults


def read_modules():
    """{module: (lines, modules that it includes)}; a module is the path of its files without
    their ending. Files that the build makes do not count."""
    files = sorted(path for path in SOURCE.rglob("*.*") if path.suffix in CODE)
    names = {str(path.relative_to(SOURCE).with_suffix("")) for path in files}
    modules = {}
    for path in files:
        name = str(path.relative_to(SOURCE).with_suffix(""))
        text = path.read_text()
        lines, included = modules.get(name, (0, set()))
        found = {other for other in INCLUDE.findall(text) if other in names and other != name}
        modules[name] = (lines + text.count("\n"), included | found)
    return modules


def room_of(module):
    return module.rsplit("/", 1)[0] if "/" in module else ""  # "": main.c, above all


def circles(modules):
    """Groups of modules that include one another, by Tarjan's algorithm without recursion."""
    order, low, stack, found = {}, {}, [], []
    for start in modules:
        if start in order:
            continue
        work = [(start, iter(sorted(modules[start][1])))]
        order[start] = low[start] = len(order)
        stack.append(start)
        while work:
            module, others = work[-1]
            for other in others:
                if other not in order:
                    order[other] = low[other] = len(order)
                    stack.append(other)
                    work.append((other, iter(sorted(modules[other][1]))))
                    break
                if other in stack:
                    low[module] = min(low[module], order[other])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[module])
                if low[module] == order[module]:
                    at = stack.index(module)
                    if len(stack) - at > 1:
                        found.append(sorted(stack[at:]))
                    del stack[at:]
    return found


def arrow_faults(rooms, modules):
    used, faults = set(), []
    for module, (_, included) in modules.items():
        room = room_of(module)
        if room and room not in rooms:
            faults.append(f"src/{room}: is not a room of {TABLE.name}")
            continue
        for other in sorted(included):
            target = room_of(other)
            used.add((room, target))
            free = floor_of(target) in FREE.get(floor_of(room), FREE_ABOVE)
            if room and target != room and not free and target not in rooms[room][1]:
                faults.append(f"{module}: {room} may not include {other}.h ({TABLE.name})")
    for room, (_, arrows) in rooms.items():
        faults += [f"{TABLE.name}: {room} does not include {target}: take it out"
                   for target in arrows if (room, target) not in used]
        count = sum(room_of(module) == room for module in modules)
        if not 0 < count <= FULL:
            faults.append(f"src/{room}: {count} modules; a room has 1 to {FULL}")
    return faults


def picture(rooms, modules):
    """The rooms of each floor, highest first, so that every arrow points down."""
    text, floor = "", None
    for room in reversed(rooms):
        inside, arrows = rooms[room]
        if floor_of(room) != floor:
            floor = floor_of(room)
            text += ("\n" if text else "") + floor + "\n"
        lines = sum(count for module, (count, _) in modules.items() if room_of(module) == room)
        name = room.removeprefix(floor).lstrip("/") or "(itself)"
        text += f"  {name:<16}{lines:>6,}  {inside}\n"
        if arrows:
            shown = ", ".join(arrow.removeprefix(floor + "/") for arrow in arrows)
            text += textwrap.fill(shown, 120, initial_indent=f"{'':<{MARGIN}}→ ",
                                  subsequent_indent=f"{'':<{MARGIN}}  ", break_on_hyphens=False) + "\n"
    return text


def is_true(shown, now):
    """The same rooms and arrows; numbers of lines may be off by a tenth, so that not every commit
    has to print the picture again."""
    number = re.compile(r"(?<=  )([\d,]+)(?=  )")

    def counts(text):
        return [int(one.replace(",", "")) for one in number.findall(text)]

    def blank(text):
        return [line.split() for line in number.sub("#", text).splitlines()]

    return blank(shown) == blank(now) and all(
        abs(a - b) <= max(50, b // 10) for a, b in zip(counts(shown), counts(now)))


def name_faults():
    """Files, by the end of their path, and functions that the texts name and the sources do not have."""
    files = [str(path.relative_to(ROOT)) for folder in ("src", "tests", "scripts", "docs", "bench")
             for path in (ROOT / folder).rglob("*.*")]
    code = "\n".join(path.read_text() for path in sorted(SOURCE.rglob("*.[ch]")))
    functions = set(re.findall(r"\b(\w+)\(", code))
    for text in (MAP, *sorted((ROOT / "docs" / "internals").glob("*.md"))):
        for name in re.findall(r"`([^`\n]+)`", text.read_text()):
            called = re.fullmatch(r"(\w+)\(\)", name)
            is_file = re.fullmatch(r"[\w/.-]+\.(?:c|h|js|py|proto|txt)", name)
            if called and called.group(1) not in functions:
                yield f"{text.name}: there is no function {name}"
            elif is_file and not any(f"/{file}".endswith(f"/{name}") for file in files):
                yield f"{text.name}: there is no file {name}"


def main():
    rooms, faults = read_table()
    modules = read_modules()
    faults += arrow_faults(rooms, modules)
    faults += ["modules that include one another: " + ", ".join(one) for one in circles(modules)]
    faults += name_faults()
    included = set().union(*(others for _, others in modules.values()))
    faults += [f"{module}.h: nobody includes it" for module in sorted(modules.keys() - included)
               if (SOURCE / f"{module}.h").exists() and not (SOURCE / f"{module}.c").exists()]
    text = MAP.read_text()
    found = PICTURE.search(text)
    if found is None:
        faults.append(f"{MAP.name}: has no place for the picture of the rooms")
    elif "--write" in sys.argv:
        MAP.write_text(text[:found.start(2)] + picture(rooms, modules) + text[found.end(2):])
    elif not is_true(found.group(2), picture(rooms, modules)):
        faults.append(f"{MAP.name}: the picture of the rooms is an old one: scripts/rooms.py --write")
    count = len({room_of(module) for module in modules} - {""})
    print("\n".join(faults) or f"{len(modules)} modules in {count} rooms keep to {TABLE.name}")
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
