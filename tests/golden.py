#!/usr/bin/env python3
"""Runs golden files: `golden.py --tool BUILD/dvrtrace FILE...`

A file holds one command or several: a line `$ dvrtrace ...`, run in the project's root, then its whole standard output and, last,
`status N`. To add one, add its first line. With DVRTRACE_UPDATE=1 in the environment the files are written anew instead of compared.
"""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import harness  # noqa: E402


def observed(tool, command):
    run = harness.run_words(tool, command, harness.ROOT)
    output = run.stdout
    if output and not output.endswith("\n"):
        output += "\n(no newline at the end)\n"
    return f"$ {command}\n{output}status {run.returncode}\n", run.stderr


def main():
    options, golden = harness.asked(__doc__), harness.Golden()
    for path in options.files:
        expected = harness.contents(path)
        if not expected.startswith("$ dvrtrace"):
            golden.refuse(f"{path}:1: expected '$ dvrtrace ...'")
            continue
        commands = [line[2:] for line in expected.splitlines() if line.startswith("$ dvrtrace ")]
        runs = [observed(options.tool, command) for command in commands]
        golden.hold(path, expected, "".join(run[0] for run in runs), "".join(run[1] for run in runs))
    return golden.status()


if __name__ == "__main__":
    sys.exit(main())
