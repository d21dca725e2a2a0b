"""What the drivers have in common: running the program as a user would, with nothing of the user's settings."""

import os
import shlex
import subprocess

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
SKIPPED = 77
REMOVED = ("DVRTRACE_OPTIONS", "NO_COLOR", "PAGER", "LESS", "COLUMNS", "LINES", "XDG_CONFIG_HOME")


def environment(tool):
    """The environment for a run; `dvrtrace` on the command line is the program under test."""
    env = {name: value for name, value in os.environ.items() if name not in REMOVED}
    env["PATH"] = os.path.dirname(os.path.abspath(tool)) + os.pathsep + env.get("PATH", "")
    env.update({"LC_ALL": "C.UTF-8", "TERM": "dumb", "TZ": "UTC", "HOME": "/nonexistent", "ROOT": ROOT,
                "FIXTURES": os.path.join(ROOT, "fixtures"), "CLOUD": os.path.join(ROOT, "fixtures", "two-computes")})
    return env


def run_words(tool, line, cwd):
    """Runs a line whose first word is `dvrtrace`; no shell looks at it."""
    words = shlex.split(line)
    if words[:1] != ["dvrtrace"]:
        raise ValueError(f"expected a line that begins with 'dvrtrace', found: {line}")
    return subprocess.run([os.path.abspath(tool)] + words[1:], cwd=cwd, env=environment(tool), text=True, timeout=240,
                          stdin=subprocess.DEVNULL, capture_output=True, errors="backslashreplace", check=False)


def indented(text, prefix="    | "):
    return "".join(prefix + line + "\n" for line in text.splitlines())
