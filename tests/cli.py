#!/usr/bin/env python3
"""Runs command line tests: `cli.py --tool BUILD/dvrtrace [--case NAME] FILE...`

A file holds blocks, with an empty line between them; `#` begins a comment.

    NAME words               what the case shows
    SETUP shell line         any number; run in the case's own empty folder, before RUN
    RUN shell line           the same folder; `dvrtrace` is the program, $ROOT the project, $CLOUD fixtures/two-computes
    EXPECT text              in standard output; `~regex` instead of text is searched for, line by line
    EXPECT_ERR text          the same in standard error
    REFUSE text              must not be in standard output
    STATUS number            of the whole RUN line; 0 when not said
"""

import os
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import harness  # noqa: E402

REPEATED = ("SETUP", "EXPECT", "EXPECT_ERR", "REFUSE")
SINGLE = ("NAME", "RUN", "STATUS")


def contains(text, wanted):
    return bool(re.search(wanted[1:], text, re.MULTILINE)) if wanted.startswith("~") else wanted in text


def shell(tool, line, cwd):
    return subprocess.run(["sh", "-c", line], cwd=cwd, env=harness.environment(tool), text=True, timeout=240,
                          stdin=subprocess.DEVNULL, capture_output=True, errors="backslashreplace", check=False)


def run(tool, block):
    """What is wrong with a case, as lines; none when it passes."""
    with tempfile.TemporaryDirectory(prefix="dvrtrace-cli-") as folder:
        for line in block.get("SETUP", []):
            setup = shell(tool, line, folder)
            if setup.returncode != 0:
                return [f"SETUP {line}: status {setup.returncode}", setup.stderr]
        found = shell(tool, block["RUN"], folder)
    bad = []
    status = int(block.get("STATUS", "0"))
    if found.returncode != status:
        bad.append(f"STATUS {status}, found {found.returncode}")
    bad += [f"EXPECT {want}: not found" for want in block.get("EXPECT", []) if not contains(found.stdout, want)]
    bad += [f"EXPECT_ERR {want}: not found" for want in block.get("EXPECT_ERR", []) if not contains(found.stderr, want)]
    bad += [f"REFUSE {text}: found" for text in block.get("REFUSE", []) if contains(found.stdout, text)]
    if bad:
        bad += ["RUN " + block["RUN"], "standard output:", harness.indented(found.stdout[:6000]).rstrip("\n"),
                "standard error:", harness.indented(found.stderr[:3000]).rstrip("\n")]
    return bad


def main():
    options = harness.asked(__doc__)
    ran = failed = 0
    for _, block in harness.chosen(options, SINGLE, REPEATED, ("NAME", "RUN")):
        ran += 1
        bad = run(options.tool, block)
        failed += bool(bad)
        print(f"{'FAILED' if bad else 'passed'} {block['NAME']}")
        for line in bad:
            print("  " + line)
    if ran == 0:
        print(f"no case '{options.case}'")
    return 1 if failed or ran == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
