#!/usr/bin/env python3
"""Runs golden files: `golden.py --tool BUILD/dvrtrace FILE...`

A file holds one command or several: a line `$ dvrtrace ...`, run in the project's root, then its whole standard output and, last,
`status N`. To add one, add its first line. With DVRTRACE_UPDATE=1 in the environment the files are written anew instead of compared.
"""

import argparse
import difflib
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
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("files", nargs="+")
    parser.add_argument("--tool", required=True)
    options = parser.parse_args()
    update, wrong = os.environ.get("DVRTRACE_UPDATE", "") not in ("", "0"), 0
    for path in options.files:
        with open(path, encoding="utf-8", newline="") as file:
            expected = file.read()
        if not expected.startswith("$ dvrtrace"):
            print(f"{path}:1: expected '$ dvrtrace ...'")
            wrong += 1
            continue
        commands = [line[2:] for line in expected.splitlines() if line.startswith("$ dvrtrace ")]
        runs = [observed(options.tool, command) for command in commands]
        found, messages = "".join(run[0] for run in runs), "".join(run[1] for run in runs)
        if found == expected:
            continue
        if update:
            with open(path, "w", encoding="utf-8", newline="") as file:
                file.write(found)
            print(f"{path}: written anew")
            continue
        wrong += 1
        print("".join(difflib.unified_diff(expected.splitlines(True), found.splitlines(True), path, "now")), end="")
        if messages:
            print("standard error:\n" + harness.indented(messages), end="")
    if wrong:
        print("If this is what it should say now: DVRTRACE_UPDATE=1 ctest -L golden, and review the difference.")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
