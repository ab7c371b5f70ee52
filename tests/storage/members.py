"""Run code as different users of a group, each time in a new process.

The users may be unable to read the Python installation. So a server process imports all modules as
root, and forks a process for each call.
"""

import json
import os
import subprocess
import sys
from contextlib import contextmanager
from typing import NamedTuple

import pytest
from project_under_test import ONE, TEMPLATE

ANNA, BEN, STRANGER, GROUP = 61001, 61002, 61003, 61000
only_root = pytest.mark.skipif(
    os.name == "nt" or os.geteuid() != 0, reason="only root can become other users"
)

SERVER = f"""
import contextlib, io, json, os, sys, tempfile, traceback
sys.path.insert(0, {str(TEMPLATE)!r})
from checkpoint import load, save, figures
from checkpoint.cli import main
from checkpoint.storage import session
import numpy as np

def command(*words):
    sys.argv[1:] = words
    with contextlib.suppress(SystemExit):
        main()

def become(act):
    for number, file in enumerate(files, 1):
        os.dup2(file.fileno(), number)
    sys.stdout, sys.stderr = open(1, "w", closefd=False), open(2, "w", closefd=False)
    os.umask(act["umask"])
    os.setgroups(act["groups"])
    os.setgid(act["groups"][0] if act["groups"] else act["uid"])
    os.setuid(act["uid"])
    os.environ["USER"] = str(act["uid"])
    os.chdir(act["project"] + "/notebooks")
    exec(act["code"])

os.chdir(sys.argv[1] + "/notebooks")
with contextlib.redirect_stdout(io.StringIO()):
    save({ONE!r}, {{"a": 0, "figures/x.json": 1, "n": np.arange(3)}})
    load({ONE!r})["n"]
    command("status")
for line in sys.stdin:
    session.forget()
    files = tempfile.TemporaryFile("w+"), tempfile.TemporaryFile("w+")
    child = os.fork()
    if child == 0:
        failed = 0
        try:
            become(json.loads(line))
        except BaseException:
            traceback.print_exc()
            failed = 1
        sys.stdout.flush(), sys.stderr.flush()
        os._exit(failed)
    _, status = os.waitpid(child, 0)
    said = [file.seek(0) or file.read() for file in files]
    print(json.dumps([os.waitstatus_to_exitcode(status), *said]), flush=True)
"""


class Done(NamedTuple):
    """The exit status and the output of a call."""

    returncode: int
    stdout: str
    stderr: str


@contextmanager
def members(warm):
    """Yield a function that runs code as a user; root first saves in `warm` to import modules."""
    command = [sys.executable, "-W", "ignore::DeprecationWarning", "-c", SERVER, str(warm)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:

        def act(project, uid, code, groups=(GROUP,), umask=0o022):
            order = {"project": str(project), "uid": uid, "code": code, "umask": umask}
            process.stdin.write(json.dumps({**order, "groups": list(groups)}) + "\n")
            process.stdin.flush()
            return Done(*json.loads(process.stdout.readline()))

        yield act
        process.stdin.close()


def hand_to(folder, uid, gid):
    """Give a folder and its contents to a user and a group, writable for both."""
    for path in (folder, *folder.rglob("*")):
        os.chown(path, uid, gid)
        path.chmod(0o2775 if path.is_dir() else 0o664)
