"""Reads processes from the kernel."""

import subprocess
import time
from collections.abc import Callable
from pathlib import Path


def processes(session_of: "subprocess.Popen[bytes]") -> dict[int, tuple[int, str]]:
    """Living descendants of a process: pid to parent and command line."""
    everyone: dict[int, tuple[int, str]] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            state, parent = (folder / "stat").read_text().rpartition(")")[2].split()[:2]
            command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if state != "Z":
            everyone[int(folder.name)] = (int(parent), command)
    found: dict[int, tuple[int, str]] = {}
    grown = {session_of.pid}
    while grown:
        grown = {pid for pid, (parent, _) in everyone.items() if parent in grown}
        found |= {pid: everyone[pid] for pid in grown}
    return found


def eventually(wanted: Callable[[], bool], seconds: float) -> bool:
    """Whether it becomes true within this number of seconds."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if wanted():
            return True
        time.sleep(0.2)
    return False
