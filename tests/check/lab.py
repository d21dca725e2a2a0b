#!/usr/bin/env python3
"""Checks the recorded clouds of the shared data: the sound ones are clean, each fault is named first, by trace and check.

usage: lab.py --tool BUILD/dvrtrace
"""
import argparse
import glob
import json
import os
import subprocess
import sys

parser = argparse.ArgumentParser()
parser.add_argument("--tool", required=True)
options = parser.parse_args()
tool = os.path.abspath(options.tool)
lab = os.path.join(os.environ.get("DVRTRACE_SHARED", ""), "data", "lab")
if not os.environ.get("DVRTRACE_SHARED") or not os.path.exists(os.path.join(lab, "compare_faults.py")):
    print("skipped: DVRTRACE_SHARED is not set, or holds no data/lab")
    sys.exit(77)

alarms = 0
for cloud in ("ovsfw", "hybrid", "ha6"):
    for neutron in (["--neutron", f"{cloud}/neutron"], []):
        run = subprocess.run([tool, "check", "--json", "-i", f"{cloud}/hosts", *neutron], cwd=lab, capture_output=True, text=True, check=False)
        grave = [finding for finding in json.loads(run.stdout)["findings"] if finding["severity"] != "note"]
        alarms += len(grave)
        print(f"{cloud} {'with' if neutron else 'without'} Neutron's objects: {len(grave)} findings")
        for finding in grave[:5]:
            print("   ", finding["code"], finding["host"], finding["place"]["name"], finding["object"]["text"])

faults = sorted(glob.glob(os.path.join(lab, "faults", "*")))
named = subprocess.run([sys.executable, "-B", "compare_faults.py", "--tool", tool, "--neutron-of", ".", *faults], cwd=lab,
                       capture_output=True, text=True, check=False).stdout
print(named)
wanted = f"named by trace {len(faults)}, named first by check {len(faults)}, of {len(faults)} faults"
sys.exit(0 if alarms == 0 and wanted in named else 1)
