#!/usr/bin/env python3
"""Runs the shared data's own comparison over the scenarios that fixtures/two-computes was taken from."""

import argparse
import os
import subprocess
import sys

parser = argparse.ArgumentParser()
parser.add_argument("--tool", required=True)
options = parser.parse_args()
lab = os.path.join(os.environ.get("DVRTRACE_SHARED", ""), "data", "lab")
if not os.environ.get("DVRTRACE_SHARED") or not os.path.exists(os.path.join(lab, "compare.py")):
    print("skipped: DVRTRACE_SHARED is not set, or holds no data/lab")
    sys.exit(77)
sys.exit(subprocess.run([sys.executable, "-B", "compare.py", "--tool", os.path.abspath(options.tool), "--only",
                         "^(01|02|03|04|14)-", "--min-pass", "100", "ovsfw"], cwd=lab, check=False).returncode)
