"""What the drivers have in common: running the program as a user would, with nothing of the user's settings."""

import argparse
import difflib
import os
import shlex
import subprocess
import sys

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


class Golden:
    """Files that say what the program says: compared, or with DVRTRACE_UPDATE=1 in the environment written anew."""

    def __init__(self):
        self.update, self.wrong = os.environ.get("DVRTRACE_UPDATE", "") not in ("", "0"), 0

    def refuse(self, message):
        print(message)
        self.wrong += 1

    def hold(self, path, found, wanted, messages=""):
        """What the file holds, what it should; `messages` help to understand a difference."""
        if found == wanted:
            return
        if self.update:
            with open(path, "w", encoding="utf-8", newline="") as file:
                file.write(wanted)
            print(f"{path}: written anew")
            return
        self.refuse("".join(difflib.unified_diff(found.splitlines(True), wanted.splitlines(True), path, "now")) + indented(messages))

    def status(self):
        if self.wrong:
            print("If this is what it should say now: DVRTRACE_UPDATE=1 ctest -L golden, and review the difference.")
        return 1 if self.wrong else 0


def contents(path):
    with open(path, encoding="utf-8", newline="") as file:
        return file.read()


def asked(description):
    """The command line of a driver: files of cases, the program under test, one of their cases."""
    parser = argparse.ArgumentParser(description=description.splitlines()[0])
    parser.add_argument("files", nargs="+")
    parser.add_argument("--tool", required=True)
    parser.add_argument("--case", default="", help="only the case of this NAME")
    return parser.parse_args()


def chosen(options, single, repeated, needed):
    """Of the cases in the files, those that were asked for, each with its file."""
    for path in options.files:
        for block in blocks(path, single, repeated, needed):
            if options.case in ("", block["NAME"]):
                yield path, block


def blocks(path, single, repeated, needed):
    """The cases of a file: blocks of lines WORD REST, an empty line between them, `#` begins a comment. A word of `single` stands
    once in a block. A line that is none of these is an error in the test, and said so."""
    block = {}
    with open(path, encoding="utf-8") as file:
        lines = file.read().splitlines()
    for number, line in enumerate(lines + [""], 1):
        if line.startswith("#"):
            continue
        if not line.strip():
            if block:
                if any(word not in block for word in needed):
                    sys.exit(f"{path}:{number}: a block without {' or '.join(needed)} ends here")
                yield block
            block = {}
            continue
        word, _, rest = line.partition(" ")
        if word in repeated:
            block.setdefault(word, []).append(rest.strip())
        elif word in single and word not in block:
            block[word] = rest.strip()
        else:
            sys.exit(f"{path}:{number}: expected one of {', '.join(single + repeated)}, each of the first {len(single)} once")
