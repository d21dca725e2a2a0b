#!/usr/bin/env python3
"""The filters of `dvrtrace capture` catch the flow's packets and no others: filters.py --tool BUILD/dvrtrace

Each planned filter is compiled by libpcap and run over the fixture's capture of that point, in which other scenarios' packets are mixed.
What passes must be as many packets as `dvrtrace verify` finds to be of the flow there.
"""

import argparse
import ctypes
import ctypes.util
import json
import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import captures as cap  # noqa: E402
import damaged  # noqa: E402


class Header(ctypes.Structure):
    _fields_ = [("seconds", ctypes.c_long), ("micro", ctypes.c_long), ("caplen", ctypes.c_uint32), ("len", ctypes.c_uint32)]


class Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_uint), ("instructions", ctypes.c_void_p)]


def load_libpcap():
    for name in ("libpcap.so.0.8", "libpcap.so.1", ctypes.util.find_library("pcap")):
        try:
            library = ctypes.CDLL(name)
            library.pcap_open_dead.restype = ctypes.c_void_p
            library.pcap_compile.argtypes = [ctypes.c_void_p, ctypes.POINTER(Program), ctypes.c_char_p, ctypes.c_int, ctypes.c_uint32]
            library.pcap_offline_filter.argtypes = [ctypes.POINTER(Program), ctypes.POINTER(Header), ctypes.c_char_p]
            return library
        except (OSError, TypeError):
            continue
    print("skipped: no libpcap to load")
    sys.exit(77)


def passing(library, filter_text, frames):
    program, pcap = Program(), library.pcap_open_dead(1, 262144)
    if library.pcap_compile(pcap, ctypes.byref(program), filter_text.encode(), 1, 0xFFFFFFFF) != 0:
        return -1
    return sum(library.pcap_offline_filter(ctypes.byref(program), ctypes.byref(Header(0, 0, len(data), length)), data) != 0 for _, length, data in frames)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tool", required=True)
    tool = os.path.abspath(parser.parse_args().tool)
    library, failed, checked = load_libpcap(), 0, 0
    for scenario, question in damaged.QUESTIONS.items():
        mixed, _ = damaged.damaged(damaged.load(scenario), [["with", other] for other in damaged.QUESTIONS if other != scenario])
        before = next(name for name in os.listdir(os.path.join(damaged.CLOUD, "before")) if name.startswith(scenario))
        inputs = ["from"] + question.split() + ["-o", "json", "-i", os.path.join(damaged.CLOUD, "hosts"), "-i",
                  os.path.join(damaged.CLOUD, "before", before), "--neutron", os.path.join(damaged.CLOUD, "neutron")]
        with tempfile.TemporaryDirectory(prefix="dvrtrace-filters-") as folder:
            damaged.write(folder, mixed, [])
            verified = json.loads(subprocess.run([tool, "verify"] + inputs + ["-r", folder], capture_output=True, check=False).stdout)
            plan = json.loads(subprocess.run([tool, "capture"] + inputs + ["-d", "full"], capture_output=True, check=False).stdout)
        matching = {os.path.basename(c["file"])[:-5]: c["matching"] for c in verified["captures"]}
        for point in plan["points"]:
            name = point["file"][:-5]
            found, wanted = passing(library, point["filter"], mixed.get(name, [])), matching.get(name, 0)
            # What has but one of the two addresses passes the looser look of verify, and is then not counted as the flow's.
            right = 0 < found <= wanted
            checked += 1
            failed += not right
            print(f"{'passed' if right else 'FAILED'} {scenario} {name}: {found} of {wanted}" + ("" if right else "\n    " + point["filter"]))
    print(f"{checked} filters, {failed} failed")
    sys.exit(1 if failed or not checked else 0)


main()
