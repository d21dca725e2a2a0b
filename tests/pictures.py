#!/usr/bin/env python3
"""What the README and the manual show of the viewer is what the program shows: `pictures.py --tool BUILD/dvrtrace FILE...`

In Markdown, between `<!-- screen: dvrtrace ... -->` and `<!-- screen: end -->`; in mdoc, between `.\\" screen: dvrtrace ...` and
`.\\" screen: end`: the output of the command, run in the project's root. Between `.\\" keys: begin` and `.\\" keys: end`: the keys, as
`dvrtrace view --help` lists them. With DVRTRACE_UPDATE=1 in the environment they are written anew instead of compared.
"""

import os
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import harness  # noqa: E402

MARKDOWN = re.compile(r"(<!-- screen: (?P<command>dvrtrace .*?) -->\n).*?(<!-- screen: end -->\n)", re.DOTALL)
MDOC = re.compile(r'(\.\\" screen: (?P<command>dvrtrace .*?)\n).*?(\.\\" screen: end\n)', re.DOTALL)
KEYS = re.compile(r'(\.\\" keys: begin\n).*?(\.\\" keys: end\n)', re.DOTALL)


def output(tool, command):
    run = harness.run_words(tool, command, harness.ROOT)
    if run.returncode == 2:
        sys.exit(f"{command}: {run.stderr}")
    return run.stdout


def escaped(line):
    line = line.replace("\\", "\\e").replace("-", "\\-")
    return "\\&" + line if line[:1] in (".", "'") else line


def literal(text):
    return ".Bd -literal\n" + "".join(escaped(line) + "\n" for line in text.rstrip("\n").split("\n")) + ".Ed\n"


def keys(tool):
    """A list for each group of keys."""
    text = output(tool, "dvrtrace view --help").split("\nKeys\n\n", 1)[1].split("\n\nExit status", 1)[0]
    out = []
    for group in text.split("\n\n"):
        name, *rows = group.rstrip("\n").split("\n")
        out.append(f".It {name}\n.Bl -tag -width Ds -compact\n")
        for row in rows:
            shown, meaning = re.split(r"  +", row.strip(), maxsplit=1)
            out.append(f".It Li {' '.join(escaped(key) if len(key) > 1 else chr(92) + '&' + escaped(key) for key in shown.split())}\n{escaped(meaning)}\n")
        out.append(".El\n")
    return ".Bl -tag -width Ds\n" + "".join(out) + ".El\n"


def renewed(tool, text):
    text = MARKDOWN.sub(lambda m: f"{m[1]}```text\n{output(tool, m['command'])}```\n{m[3]}", text)
    text = MDOC.sub(lambda m: m[1] + literal(output(tool, m["command"])) + m[3], text)
    return KEYS.sub(lambda m: m[1] + keys(tool) + m[2], text)


def main():
    options, golden = harness.asked(__doc__), harness.Golden()
    for path in options.files:
        found = harness.contents(path)
        if not (MARKDOWN.search(found) or MDOC.search(found)):
            golden.refuse(f"{path}: shows no screen")
        golden.hold(path, found, renewed(options.tool, found))
    return golden.status()


if __name__ == "__main__":
    sys.exit(main())
