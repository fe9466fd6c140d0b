"""The program with the libraries of Debian 13 (scripts/setup-test.sh makes their root): a librdkafka
that logs in at Kafka 4 by SCRAM, gets tokens by OIDC, and knows topics by their ids."""

from .paths import ROOT
from .program import Program

LIBRARIES = ROOT / ".cache" / "debian-13"

# Run in mounts of its own. The root has only its system; everything else is this machine's, at the same
# places, so that the program finds its files and leaves its results where a story looks.
ENTER = """
set -eu
root=$0 authority=$1
shift
for place in /*; do
    case $place in /usr | /lib* | /bin | /sbin | /etc) continue ;; esac
    [ -d "$place" ] || continue
    mkdir -p "$root$place"
    mount --rbind "$place" "$root$place"
done
[ -z "$authority" ] || mount --bind "$authority" "$root/etc/ssl/certs/ca-certificates.crt"
exec chroot "$root" "$@"
"""


class Debian13(Program):
    """`authority`: a PEM file of the only authorities that are trusted there."""

    def __init__(self, binary, directory, authority=""):
        super().__init__(binary, directory)
        self._enter = ["unshare", "-m", "sh", "-c", ENTER, LIBRARIES, authority]

    def start(self, *arguments, under=(), **options):
        return super().start(*arguments, under=[*self._enter, *under], **options)
