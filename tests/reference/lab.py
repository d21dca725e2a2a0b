#!/usr/bin/env python3
"""Runs a comparison of the reference over the sound clouds of the shared data: `lab.py --tool PROGRAM [OPTION...]`."""

import argparse
import os
import subprocess
import sys

parser = argparse.ArgumentParser()
parser.add_argument("--tool", required=True)
options, rest = parser.parse_known_args()
lab = os.path.join(os.environ.get("DVRTRACE_SHARED", ""), "data", "lab")
clouds = [os.path.join(lab, name) for name in ("ovsfw", "hybrid", "ha6")]
if not os.environ.get("DVRTRACE_SHARED") or not all(map(os.path.isdir, clouds)):
    print("skipped: DVRTRACE_SHARED is not set, or holds no data/lab")
    sys.exit(77)
sys.exit(subprocess.run([os.path.abspath(options.tool), *rest, *clouds], check=False).returncode)
