#!/usr/bin/env python3
"""measure.py RESULT.json COMMAND...: runs a command and writes down what its whole process tree took.

    wall_s       from start to the exit of the command itself
    cpu_s        user and system time of every process below us
    rss_peak_mb  most memory that they held together, looked at every 20 ms
    busy_s       CPU time of the whole machine meanwhile: how much others disturbed the run

Children that outlive their parent (a JVM and its launcher) are adopted and counted, which is why
this is a process of its own."""

import ctypes
import json
import os
import sys
import time

PR_SET_CHILD_SUBREAPER = 36


def machine_busy_s():
    """user, nice, system, irq, softirq and steal time since boot"""
    with open("/proc/stat") as file:
        ticks = [int(word) for word in file.readline().split()[1:9]]
    return (sum(ticks) - ticks[3] - ticks[4]) / os.sysconf("SC_CLK_TCK")


def resident_kb(pid):
    try:
        with open(f"/proc/{pid}/status") as file:
            for line in file:
                if line.startswith("VmRSS:"):
                    return int(line.split()[1])
    except OSError:
        pass  # it is gone
    return 0


def children(pid):
    try:
        with open(f"/proc/{pid}/task/{pid}/children") as file:
            direct = [int(word) for word in file.read().split()]
        # A process may have been started by any thread of its parent.
        for thread in os.listdir(f"/proc/{pid}/task"):
            if int(thread) != pid:
                with open(f"/proc/{pid}/task/{thread}/children") as file:
                    direct += [int(word) for word in file.read().split()]
        return direct
    except OSError:
        return []


def tree_resident_kb():
    total, todo = 0, children(os.getpid())
    while todo:
        pid = todo.pop()
        total += resident_kb(pid)
        todo += children(pid)
    return total


def main():
    result, command = sys.argv[1], sys.argv[2:]
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    busy_s, started = machine_busy_s(), time.monotonic()
    pid = os.fork()
    if pid == 0:
        os.execvp(command[0], command)

    wall_s = exit_code = None
    cpu_s, peak_kb = 0.0, 0
    while True:
        try:
            ended, status, usage = os.wait4(-1, os.WNOHANG)
        except ChildProcessError:
            break
        if ended == 0:
            peak_kb = max(peak_kb, tree_resident_kb())
            time.sleep(0.02)
            continue
        cpu_s += usage.ru_utime + usage.ru_stime
        if ended == pid:
            wall_s = time.monotonic() - started
            exit_code = os.waitstatus_to_exitcode(status)

    figures = {
        "wall_s": round(wall_s, 3),
        "cpu_s": round(cpu_s, 2),
        "rss_peak_mb": round(peak_kb / 1024, 1),
        "busy_s": round(machine_busy_s() - busy_s, 2),
        "exit_code": exit_code,
    }
    with open(result, "w") as file:
        json.dump(figures, file)
    sys.exit(exit_code if exit_code >= 0 else 1)


if __name__ == "__main__":
    main()
