"""Where things are in the tree."""

import pathlib
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
JARS = ROOT / ".cache" / "jars"
RIG = ROOT / "tests" / "rig"
GEN = ROOT / "build" / "release" / "tests" / "tools" / "gen"


def java_home():
    script = ROOT / "scripts" / "java-home.sh"
    return subprocess.run([script], check=True, capture_output=True, text=True).stdout.strip()
