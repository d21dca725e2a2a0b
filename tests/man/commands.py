#!/usr/bin/env python3
"""The manual's lists of what is run on hosts are what `dvrtrace collect --list` and `capture --list` print. DVRTRACE_UPDATE=1 writes them
anew."""

import argparse
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import harness  # noqa: E402

LISTS = ("collect --list", "capture --list")


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
    with open(options.page, encoding="utf-8") as file:
        page = wanted = file.read()
    for words in LISTS:
        run = harness.run_words(options.tool, f"dvrtrace {words}", harness.ROOT)
        if run.returncode != 0 or not run.stdout:
            sys.exit(f"dvrtrace {words}: status {run.returncode}\n{run.stderr}")
        begin, end = f'.\\" {words}: begin\n', f'.\\" {words}: end\n'
        if begin not in page or end not in page:
            sys.exit(f"{options.page}: no place for the list of {words}")
        head, rest = wanted.split(begin)
        wanted = head + begin + as_mdoc(run.stdout) + end + rest.split(end)[1]
    if wanted == page:
        print("the same in page and program")
        return 0
    if os.environ.get("DVRTRACE_UPDATE"):
        with open(options.page, "w", encoding="utf-8") as file:
            file.write(wanted)
        return 0
    print(f"a list in {options.page} is not what the program prints; DVRTRACE_UPDATE=1 writes it anew")
    return 1


if __name__ == "__main__":
    sys.exit(main())
