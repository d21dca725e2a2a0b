#!/usr/bin/env python3
"""Captures damaged on purpose, made from a fixture's: damaged.py --tool BUILD/dvrtrace CASES

CASES is a file of lines, `#` begins a comment:

    scenario | damage | statuses that are right [| text that the answer must have]

A damage is made of steps, one after the other; each changes the captures of the scenario, or how they are written:

    cut POINT BYTES      snapshot length; POINT is a part of a capture's name, "" all    truncate POINT BYTES   the file ends so much earlier
    link POINT TYPE      another link type than it is                                    shift HOST SECONDS     clock
    drop POINT           no such capture             empty POINT      a capture without packets
    thin SEED            half of the packets         double           each packet twice
    garble SEED          malformed packets besides   tenant           another tenant's packets, with the same addresses
    with SCENARIO        that scenario's packets besides
    write HOW            micro, big (endian), pcapng (one file), pcapng-mixed (and of two link types and snapshot lengths), gz, xz, bz2, zst,
                         stdin, unnamed (files called 1.pcap, 2.pcap, ...)
"""

import argparse
import bz2
import gzip
import lzma
import os
import shlex
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import captures as cap  # noqa: E402

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
CLOUD = os.path.join(ROOT, "fixtures", "two-computes")
QUESTIONS = {"01": "vm1 to vm6", "02": "vm1 to vm3", "03": "vm1 to vm4", "04": "vm1 to vm2", "14": "vm1 to vm2 tcp/80"}


def load(scenario):
    folder = next(name for name in os.listdir(os.path.join(CLOUD, "pcap")) if name.startswith(scenario))
    found = cap.folder(os.path.join(CLOUD, "pcap", folder))
    return {name: frames for name, frames in found.items() if "__vm-" not in name}


def damaged(captures, steps):
    """The captures after the steps that change packets, and the steps that change files."""
    files = []
    for word, *arguments in steps:
        if word == "cut":
            captures = cap.cut_frames(captures, arguments[0], int(arguments[1]))
        elif word == "shift":
            captures = cap.shift(captures, arguments[0], float(arguments[1]))
        elif word in ("drop", "empty"):
            captures = getattr(cap, word)(captures, arguments[0])
        elif word in ("thin", "garble"):
            captures = getattr(cap, word)(captures, int(arguments[0]))
        elif word == "double":
            captures = cap.double(captures)
        elif word == "tenant":
            captures = cap.other_tenant(captures)
        elif word == "with":
            for name, frames in load(arguments[0]).items():
                captures[name] = sorted(captures.get(name, []) + frames)
        elif word in ("truncate", "link", "write"):
            files.append((word, arguments))
        else:
            sys.exit(f"no such damage: {word}")
    return captures, files


def write(folder, captures, files):
    """Writes the files; the arguments of dvrtrace, and what is to be on its standard input."""
    how = {arguments[0] for word, arguments in files if word == "write"}
    if how & {"pcapng", "pcapng-mixed"}:
        mixed = "pcapng-mixed" in how
        interfaces = []
        for index, (name, frames) in enumerate(captures.items()):
            if mixed and index % 2:  # as Linux cooked captures have it: no destination
                frames = [(t, n + 2, struct_sll(d)) for t, n, d in frames]
            interfaces.append((name.replace("__", "/"), 113 if mixed and index % 2 else 1, 65535 if mixed and index % 3 else 0, frames))
        data = cap.pcapng(interfaces, ">" if "big" in how else "<")
        if "stdin" in how:
            return ["-r", "-"], data
        path = os.path.join(folder, "all.pcapng")
        with open(path, "wb") as file:
            file.write(data)
        return ["-r", path], None
    for number, (name, frames) in enumerate(captures.items(), 1):
        link = next((int(a[1]) for word, a in files if word == "link" and a[0] in name), 1)
        data = cap.pcap(frames, link, ">" if "big" in how else "<", "micro" not in how)
        for word, arguments in files:
            if word == "truncate" and arguments[0] in name:
                data = data[: -int(arguments[1])]
        ending = ""
        for suffix, compress in (("gz", gzip.compress), ("xz", lzma.compress), ("bz2", bz2.compress)):
            if suffix in how:
                data, ending = compress(data), "." + suffix
        stem = str(number) if "unnamed" in how else name
        with open(os.path.join(folder, f"{stem}.pcap{ending}"), "wb") as file:
            file.write(data)
    return ["-r", folder], None


def struct_sll(frame):
    return b"\0\0\0\1\0\6" + frame[6:12] + b"\0\0" + frame[12:]


def run(tool, scenario, steps):
    captures, files = damaged(load(scenario), steps)
    before = next(name for name in os.listdir(os.path.join(CLOUD, "before")) if name.startswith(scenario))
    with tempfile.TemporaryDirectory(prefix="dvrtrace-verify-") as folder:
        arguments, standard_input = write(folder, captures, files)
        command = [tool, "verify", "from"] + QUESTIONS[scenario].split() + ["-i", os.path.join(CLOUD, "hosts"), "-i",
                   os.path.join(CLOUD, "before", before), "--neutron", os.path.join(CLOUD, "neutron"), "-d", "full"] + arguments
        return subprocess.run(command, input=standard_input if standard_input is not None else b"", capture_output=True, timeout=120, check=False)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("cases")
    parser.add_argument("--tool", required=True)
    options = parser.parse_args()
    failed = ran = 0
    with open(options.cases, encoding="utf-8") as file:
        lines = [line.split("#")[0].strip() for line in file]
    for line in filter(None, lines):
        scenario, damage, statuses, *texts = (part.strip() for part in line.split("|"))
        steps = [shlex.split(step) for step in damage.split(";") if step.strip()]
        found = run(os.path.abspath(options.tool), scenario, steps)
        text = " ".join(found.stdout.decode().split())
        bad = str(found.returncode) not in statuses.split() or any(want not in text for want in texts)
        ran += 1
        failed += bad
        print(f"{'FAILED' if bad else 'passed'} {line}: status {found.returncode}")
        if bad:
            print(found.stdout.decode()[:3000] + found.stderr.decode()[:1000])
    print(f"{ran} cases, {failed} failed")
    return 1 if failed or not ran else 0


if __name__ == "__main__":
    sys.exit(main())
