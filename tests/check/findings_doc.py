#!/usr/bin/env python3
"""docs/findings.md is what the catalogue of the program holds: `findings_doc.py`. With DVRTRACE_UPDATE=1 in the environment it is
written anew."""

import os
import pathlib
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import harness  # noqa: E402

ROOT = pathlib.Path(harness.ROOT)
PAGE = ROOT / "docs/findings.md"
CATALOGUE = ROOT / "tracer/check/catalogue.cc"
CHECK = ROOT / "tracer/check/check.cc"

HEAD = """# Findings

What `dvrtrace check` finds, and what stands first in a trace that does not deliver. The codes are a closed list; this page is
made from the program's catalogue (`DVRTRACE_UPDATE=1 ctest -L golden`).

A row of a dump that is not as the reference expects it has a code made of its subject and of what became of it:

| code | what |
| --- | --- |
| `DVR-<subject>-MISSING` | the reference expects it, and it is not there |
| `DVR-<subject>-WRONG` | it is there, and says something else |
| `DVR-<subject>-UNEXPECTED` | it is there, and no agent of Neutron makes it; always a warning |

Every finding names host, place and row, what was expected and found, who suffers, and the command that repairs it; commands are
shown and never run. What agents may have or not by their history is neither missing nor unexpected. Without Neutron's objects what
goes beyond what can be derived is a note.

## Rows of the reference

| subject | what the row does | without it | severity |
| --- | --- | --- | --- |
"""
OTHERS = """
Rows without a purpose of their own go by their kind: {kinds}.

## Faults that the dumps show by themselves

| code | what it means | severity |
| --- | --- | --- |
"""


def strings_and_rest(row):
    strings = [text.replace('\\"', '"') for text in re.findall(r'"((?:[^"\\]|\\.)*)"', row)]
    severity = re.search(r"k(Error|Warning|Note)", row).group(1).lower()
    return strings, severity


def page():
    text = CATALOGUE.read_text()
    purposes, invariants = {}, []
    for row in re.findall(r"    Purpose\{(.*?)\},\n", text, re.S):
        (_, subject, does, without), severity = strings_and_rest(row)
        purposes.setdefault(subject, (does, without, severity))
    for row in re.findall(r"    Invariant\{(.*?)\},\n", text, re.S):
        (code, cause), severity = strings_and_rest(row)
        invariants.append((code, cause, severity))
    kinds = re.findall(r'case ObjectKind::\w+: return "([A-Z-]+)";', CHECK.read_text())
    lines = [HEAD]
    lines += [f"| `{subject}` | {does} | {without} | {severity} |\n" for subject, (does, without, severity) in sorted(purposes.items())]
    lines.append(OTHERS.format(kinds=", ".join(f"`{kind}`" for kind in ["FLOW"] + kinds)))
    lines += [f"| `{code}` | {cause} | {severity} |\n" for code, cause, severity in sorted(invariants)]
    return "".join(lines)


def main():
    golden = harness.Golden()
    golden.hold(PAGE, harness.contents(PAGE), page())
    return golden.status()


if __name__ == "__main__":
    sys.exit(main())
