"""`python -m config.lifeline COMMAND…`: run a command that ends when the process that started it ends.

A supervisor that is killed cannot end its children; on Linux the kernel does it.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def follow_parent() -> None:
    """Ask the kernel for SIGTERM when our parent dies. Elsewhere than on Linux this does nothing."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


if __name__ == "__main__":
    follow_parent()
    os.execvp(sys.argv[1], sys.argv[1:])
