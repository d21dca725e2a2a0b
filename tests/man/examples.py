#!/usr/bin/env python3
"""Runs the examples of a manual page: every line `.Dl $ dvrtrace ...`, in fixtures/two-computes.

An example must be answered: any exit status but 2, something on standard output, nothing about errors.
"""

import argparse
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import harness  # noqa: E402

MARK = ".Dl $ dvrtrace"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("page")
    parser.add_argument("--tool", required=True)
    options = parser.parse_args()
    with open(options.page, encoding="utf-8") as file:
        examples = [line[len(".Dl $ ") :].strip() for line in file if line.startswith(MARK)]
    if not examples:
        print(f"{options.page}: no line begins with '{MARK}'")
        return 1
    wrong = 0
    for example in examples:
        # In mdoc a hyphen that is to be copied is written \-.
        command = example.replace("\\-", "-").replace("\\&", "")
        run = harness.run_words(options.tool, command, os.path.join(harness.ROOT, "fixtures", "two-computes"))
        good = run.returncode in (0, 1, 3) and run.stdout.strip() and "error:" not in run.stderr
        wrong += not good
        print(f"{'ran   ' if good else 'FAILED'} $ {command}   status {run.returncode}")
        if not good:
            print(harness.indented(run.stdout[-2000:] + run.stderr[-2000:]), end="")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
