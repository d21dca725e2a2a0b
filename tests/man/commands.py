#!/usr/bin/env python3
"""The manual's list of the commands that collect is what `dvrtrace collect --list` prints. DVRTRACE_UPDATE=1 writes it anew."""

import argparse
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import harness  # noqa: E402

BEGIN, END = '.\\" collect --list: begin\n', '.\\" collect --list: end\n'


def as_mdoc(text):
    lines = []
    for line in text.splitlines():
        line = line.replace("\\", "\\e")
        lines.append(("\\&" if line.startswith((".", "'")) else "") + line)
    return ".Bd -literal\n" + "\n".join(lines) + "\n.Ed\n"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("page")
    parser.add_argument("--tool", required=True)
    options = parser.parse_args()
    run = harness.run_words(options.tool, "dvrtrace collect --list", harness.ROOT)
    if run.returncode != 0 or not run.stdout:
        sys.exit(f"dvrtrace collect --list: status {run.returncode}\n{run.stderr}")
    with open(options.page, encoding="utf-8") as file:
        page = file.read()
    if BEGIN not in page or END not in page:
        sys.exit(f"{options.page}: no place for the list")
    head, rest = page.split(BEGIN)
    wanted = head + BEGIN + as_mdoc(run.stdout) + END + rest.split(END)[1]
    if wanted == page:
        print(f"{len(run.stdout.splitlines())} lines, the same in both")
        return 0
    if os.environ.get("DVRTRACE_UPDATE"):
        with open(options.page, "w", encoding="utf-8") as file:
            file.write(wanted)
        return 0
    print(f"the list in {options.page} is not what the program prints; DVRTRACE_UPDATE=1 writes it anew")
    return 1


if __name__ == "__main__":
    sys.exit(main())
