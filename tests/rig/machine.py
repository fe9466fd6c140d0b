"""A machine to try packages and services on: the root of this one under an overlay in memory, with
processes, mounts and control groups of its own. Nothing that is done in it is left afterwards. The
network is this machine's, so that a broker on loopback is reached.

It needs root with the right to mount (CAP_SYS_ADMIN)."""

import itertools
import os
import pathlib
import shlex
import subprocess
import time

numbers = itertools.count()

# Run in namespaces of its own. /proc/sys and /sys are read-only, and the services that belong to real
# hardware are left out, so that an init in there can't touch this machine.
SETUP = """
set -eu
mount -t tmpfs tmpfs {directory}
mkdir {directory}/upper {directory}/work {root}
mount -t overlay overlay -o lowerdir=/,upperdir={directory}/upper,workdir={directory}/work {root}
mount -t proc proc {root}/proc
mount --bind {root}/proc/sys {root}/proc/sys
mount -o remount,bind,ro {root}/proc/sys
mount -t sysfs -o ro sysfs {root}/sys
mount -t cgroup2 cgroup2 {root}/sys/fs/cgroup
mount -t tmpfs tmpfs {root}/run
mount -t tmpfs tmpfs {root}/tmp
mount -t tmpfs -o mode=755 tmpfs {root}/dev
mkdir {root}/dev/shm {root}/dev/pts
for node in null zero full random urandom tty; do
    touch {root}/dev/$node
    mount --bind /dev/$node {root}/dev/$node
done
ln -s /proc/self/fd {root}/dev/fd
ln -s pts/ptmx {root}/dev/ptmx
exec chroot {root} /bin/sh -c {init}
"""
SYSTEMD = """
rm -rf /usr/sbin/policy-rc.d /etc/systemd/system && mkdir /etc/systemd/system
for unit in sys-kernel-debug.mount sys-kernel-tracing.mount sys-kernel-config.mount \
    sys-fs-fuse-connections.mount dev-hugepages.mount dev-mqueue.mount \
    proc-sys-fs-binfmt_misc.automount systemd-udevd.service systemd-udev-trigger.service \
    systemd-modules-load.service systemd-sysctl.service systemd-timesyncd.service; do
    ln -s /dev/null /etc/systemd/system/$unit
done
exec env -i container=test PATH=/usr/bin:/bin:/usr/sbin:/sbin \
    /lib/systemd/systemd --system --unit=basic.target --log-target=journal
"""


def cgroup2():
    """Where the control groups of version 2 are mounted here."""
    for line in pathlib.Path("/proc/mounts").read_text().splitlines():
        _, place, kind, *_ = line.split()
        if kind == "cgroup2":
            return pathlib.Path(place)
    raise RuntimeError("no control groups of version 2 are mounted")


class Machine:
    """Use as a context. With `systemd`, that is its init, and it is up when the context begins."""

    def __init__(self, directory, systemd=False):
        directory.mkdir(parents=True)
        self._directory = directory
        self._systemd = systemd
        self._group = cgroup2() / f"esports-machine-{os.getpid()}-{next(numbers)}"
        self._outer = None
        self.pid = None  # of its init, as seen from here

    def __enter__(self):
        self._group.mkdir()
        setup = SETUP.format(
            directory=self._directory,
            root=self._directory / "root",
            init=shlex.quote(SYSTEMD if self._systemd else "exec sleep infinity"),
        )
        enter = f"echo $$ >{self._group}/cgroup.procs; exec unshare -mpfuiC sh -c {shlex.quote(setup)}"
        with open(self._directory.with_suffix(".log"), "wb") as log:
            self._outer = subprocess.Popen(
                ["sh", "-c", enter], stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        try:
            self._wait_up()
        except BaseException:
            self.__exit__()
            raise
        return self

    def _wait_up(self):
        children = pathlib.Path(f"/proc/{self._outer.pid}/task/{self._outer.pid}/children")
        deadline = time.monotonic() + 60
        while True:
            found = children.read_text().split() if self._outer.poll() is None else []
            self.pid = int(found[0]) if found else None
            if self.pid and self._is_up():
                return
            log = self._directory.with_suffix(".log").read_text()
            assert self._outer.poll() is None, f"the machine did not start (root?):\n{log}"
            assert time.monotonic() < deadline, f"the machine is not up after 60 s:\n{log}"
            time.sleep(0.05)

    def _is_up(self):
        command = pathlib.Path(f"/proc/{self.pid}/cmdline").read_bytes()
        if not self._systemd:
            return command.startswith(b"sleep")
        return command.startswith(b"/lib/systemd") and (
            self.try_run("systemctl", "is-system-running").stdout.strip() in ("running", "degraded")
        )

    def __exit__(self, *_):
        if self.pid:
            os.kill(self.pid, 9)  # and with it everything that runs in there
        self._outer.kill()
        self._outer.wait()
        for _ in range(100):
            groups = [path for path, *_ in os.walk(self._group, topdown=False)]
            try:
                for group in groups:
                    os.rmdir(group)
                return
            except OSError:  # a process of it is still on its way out
                time.sleep(0.05)

    def _enter(self, *command):
        spaces = ["-m", "-p", "-u", "-i", "-C", "-r", "-w"]
        return ["nsenter", "-t", str(self.pid), *spaces, *map(str, command)]

    def try_run(self, *command, timeout=60):
        environment = {"PATH": "/usr/bin:/bin:/usr/sbin:/sbin", "LC_ALL": "C", "HOME": "/root"}
        return subprocess.run(
            self._enter(*command),
            env={**environment, "DEBIAN_FRONTEND": "noninteractive"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout,
        )

    def run(self, *command, timeout=60):
        """Its output; it must succeed."""
        done = self.try_run(*command, timeout=timeout)
        assert done.returncode == 0, f"{command}: {done.returncode}\n{done.stdout}{done.stderr}"
        return done.stdout

    def put(self, source, place):
        """A copy of a file of this machine."""
        subprocess.run(
            self._enter("sh", "-c", 'cat >"$0"', place), stdin=open(source, "rb"), check=True
        )

    def append(self, place, text):
        subprocess.run(
            self._enter("sh", "-c", 'cat >>"$0"', place), input=text, text=True, check=True
        )

    def changes(self):
        """Every file that was made or changed in there, or is gone, except scratch space."""
        upper = self._directory / "upper"
        command = ["nsenter", "-t", str(self.pid), "-m", "find", upper, "-not", "-type", "d"]
        found = subprocess.run(map(str, command), capture_output=True, text=True, check=True).stdout
        return sorted("/" + str(pathlib.Path(line).relative_to(upper)) for line in found.splitlines())

    def show(self, unit, *properties):
        """{property: value} of a unit."""
        lines = self.run("systemctl", "show", unit, "-p", ",".join(properties)).splitlines()
        return dict(line.split("=", 1) for line in lines)

    def wait_unit(self, unit, timeout=60, **wanted):
        """Until the unit's properties are as wanted: wanted(NRestarts="1")."""
        deadline = time.monotonic() + timeout
        while (found := self.show(unit, *wanted)) != wanted:
            if time.monotonic() > deadline:
                log = self.try_run("journalctl", "-u", unit, "-n", "40", "--no-pager").stdout
                raise AssertionError(f"{unit} is {found}, not {wanted}, after {timeout} s:\n{log}")
            time.sleep(0.05)
