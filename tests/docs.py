"""Every reason and every assumption that the program can give is in docs/verdicts.md, and no other.

usage: docs.py, in the project's root
"""
import pathlib
import re
import sys


def codes_of_program():
    trace = pathlib.Path("src/trace/trace.cc").read_text()
    reasons = set(re.findall(r'case Reason::\w+: return "([a-z-]+)";', trace))
    assumptions = set()
    for path in pathlib.Path("tracer").rglob("*.cc"):
        assumptions |= set(re.findall(r'"(ASSUME_[A-Z_0-9]+)"', path.read_text()))
    return reasons | assumptions


def codes_of_page():
    page = pathlib.Path("docs/verdicts.md").read_text()
    first_cells = [line.split("|")[1] for line in page.splitlines() if line.startswith("| `")]
    return {code for cell in first_cells for code in re.findall(r"`([a-z-]+|ASSUME_[A-Z_0-9]+)`", cell)}


def main():
    program, page = codes_of_program(), codes_of_page()
    for code in sorted(program - page):
        print(f"docs/verdicts.md lacks {code}")
    for code in sorted(page - program):
        print(f"docs/verdicts.md has {code}, which the program never gives")
    return 1 if program != page else 0


sys.exit(main())
