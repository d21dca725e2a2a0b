#!/usr/bin/env python3
"""The manual page and the program list the same long options and the same commands."""

import argparse
import os
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import harness  # noqa: E402

COMMANDS = ("from", "view", "check", "diff", "reference", "inventory", "verify", "capture", "collect", "bundle", "ofproto-trace", "completion")


def of_program(tool):
    found = {}
    for command in ("",) + COMMANDS:
        line = " ".join(word for word in ("dvrtrace", command, "--help") if word)
        run = harness.run_words(tool, line, harness.ROOT)
        if run.returncode != 0:
            sys.exit(f"{line}: status {run.returncode}\n{run.stdout}{run.stderr}")
        for option in re.findall(r"(?<![\w-])--([a-z][a-z0-9-]+)", run.stdout):
            found.setdefault("--" + option, line)
        for name in COMMANDS if not command else ():
            if not re.search(rf"\b{name}\b", run.stdout):
                sys.exit(f"{line} does not name the command {name}")
    return found


def of_page(path):
    found = {}
    with open(path, encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            if line.startswith('.\\"') or line.startswith(".Dl"):
                continue
            for option in re.findall(r"\bFl \\?-([a-z][a-z0-9-]+)", line.replace("\\-", "-")):
                found.setdefault("--" + option, f"{path}:{number}")
    return found


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("page")
    parser.add_argument("--tool", required=True)
    options = parser.parse_args()
    program, page = of_program(options.tool), of_page(options.page)
    for option in sorted(program.keys() - page.keys()):
        print(f"{option} is in `{program[option]}` and not in {options.page}")
    for option in sorted(page.keys() - program.keys()):
        print(f"{option} is in {page[option]} and in no --help")
    print(f"{len(program)} options in the program, {len(page)} in the page")
    return 0 if program.keys() == page.keys() else 1


if __name__ == "__main__":
    sys.exit(main())
