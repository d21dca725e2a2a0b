#!/usr/bin/env python3
"""`mandoc -T lint` of manual pages. That another project's page is not installed here is no fault of ours."""

import shutil
import subprocess
import sys

if shutil.which("mandoc") is None:
    print("skipped: mandoc is not installed")
    sys.exit(77)
report = subprocess.run(["mandoc", "-T", "lint", *sys.argv[1:]], capture_output=True, text=True, check=False)
lines = (report.stdout + report.stderr).splitlines()
OF_THIS_MACHINE = ("referenced manual not found", "outdated mandoc.db")
faults = [line for line in lines if not any(text in line for text in OF_THIS_MACHINE)]
print("\n".join(faults))
sys.exit(1 if faults or (report.returncode != 0 and not lines) else 0)
