#!/usr/bin/env python3
"""Runs the shared data's own comparison over all of its clouds and faults, and prints a table: lab.py --tool BUILD/dvrtrace

Skipped (status 77) where the shared data is not at hand. A cloud must agree in every scenario. A fault must agree as well, but for
what its recording does not say: the rules below, each with its reason, and EXPLAINED. Status 1 when anything else deviates.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile

CLOUDS = ("ovsfw", "hybrid", "ha6")
# The comparison asks for a protocol and a port; what else the recorded packets were, their title says.
OPTIONS = {"90-large-packets": "--size 1428 --df"}
EXPLAINED = {
    "35-rfp-fpr-veth-down": "the host outside still knew the MAC of the floating IP, which no dump shows: here it asks first, and "
                            "nobody answers",
}
ARRIVED = ("Delivered", "LeftTheCloud")


def report(tool, lab, dataset, options=""):
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "report.json")
        run = subprocess.run([sys.executable, "-B", "compare.py", "--tool", tool, "--report", path, "--show", "0", dataset], cwd=lab,
                             env=dict(os.environ, DVRTRACE_OPTIONS=options), capture_output=True, text=True, check=False)
        if not os.path.exists(path):
            sys.exit(f"compare.py {dataset}: {run.stderr[-800:]}")
        with open(path, encoding="utf-8") as file:
            return json.load(file)


def load(*parts):
    with open(os.path.join(*parts), encoding="utf-8") as file:
        return json.load(file)


def excuse(line, truth, captured):
    """Why a deviation is the recording's, or "" when it is ours."""
    verdict = re.match(r"reply verdict (\w+), observed delivered$", line)
    if verdict and not truth.get("reply_arrived") and verdict[1] not in ARRIVED:
        return "the reply was sent, and did not arrive"
    extra = re.match(r"request crossings: missing \[\] extra \[(.*)\]$", line)
    if extra:
        places = re.findall(r"'([^']*)'", extra[1])
        unseen = [place for place in places if "__".join((p or "root") for p in place.split("/")) not in captured]
        if len(unseen) == len(places):
            return "nothing was captured at " + ", ".join(sorted(set(unseen)))
    return ""


def clouds(tool, lab):
    failed = 0
    for cloud in CLOUDS:
        rows = report(tool, lab, cloud)
        bad = [row for row in rows if row["bad"]]
        print(f"{cloud:40} {len(rows) - len(bad)} of {len(rows)}")
        for row in bad:
            print(f"    {row['id']}: {row['bad'][0][:200]}")
        failed += len(bad)
    return failed


def faults(tool, lab):
    failed = 0
    for name in sorted(os.listdir(os.path.join(lab, "faults"))):
        truth = load(lab, "faults", name, "truth.json")
        scenario = load(lab, "faults", name, "scenario.json")["scenarios"][0]
        row = report(tool, lab, os.path.join("faults", name), OPTIONS.get(scenario["id"], ""))[0]
        excuses = [excuse(line, truth, scenario["captured_interfaces"]) for line in row["bad"]]
        if not row["bad"]:
            print(f"{name:40} agrees")
        elif all(excuses):
            print(f"{name:40} agrees; {'; '.join(excuses)}")
        elif name in EXPLAINED:
            print(f"{name:40} explained: {EXPLAINED[name]}")
        else:
            failed += 1
            print(f"{name:40} DEVIATES")
            for line in row["bad"]:
                print(f"    {line[:300]}")
    return failed


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tool", required=True)
    tool = os.path.abspath(parser.parse_args().tool)
    lab = os.path.join(os.environ.get("DVRTRACE_SHARED", ""), "data", "lab")
    if not os.environ.get("DVRTRACE_SHARED") or not os.path.exists(os.path.join(lab, "compare.py")):
        print("skipped: DVRTRACE_SHARED is not set, or holds no data/lab")
        sys.exit(77)
    sys.exit(1 if clouds(tool, lab) + faults(tool, lab) else 0)


main()
