#!/usr/bin/env python3
"""Deletes one row of a cloud that was started anew, over and over, and expects `diff` to name that very row, and no other.

usage: mutate.py --tool BUILD/dvrtrace [--every] [CLOUD]

The later snapshot has other ofports, local VLANs, cookies and ids than the earlier one (recollect.py), so that a number that is
translated wrongly, or not at all, shows as a change too many. Every other row is deleted from the earlier snapshot, and must be
named as added. The rows are those of tests/check/mutate.py: one of each kind of every host, with --every each.
"""
import argparse
import concurrent.futures
import importlib.util
import json
import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import harness  # noqa: E402


def module(*path):
    spec = importlib.util.spec_from_file_location(path[-1][:-3] + "_of_" + path[0], os.path.join(harness.ROOT, "tests", *path))
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded


rows, anew = module("check", "mutate.py"), module("diff", "recollect.py")


def changes(tool, before, after, neutron):
    command = [os.path.abspath(tool), "diff", "--json", "from", "vm1", "to", "vm2", "--neutron", neutron]
    command += [word for path in before for word in ("-i", path)] + [word for path in after for word in ("--with", path)]
    run = subprocess.run(command, capture_output=True, text=True, timeout=120, env=harness.environment(tool), check=False)
    try:
        return run.returncode, json.loads(run.stdout)["changes"]
    except (ValueError, KeyError):
        return run.returncode, [{"host": "", "place": {}, "object": {"text": "no answer: " + run.stderr[-200:]}, "change": ""}]


def judge(tool, cloud, later, number, mutation):
    removed = number % 2 == 0
    with tempfile.TemporaryDirectory(prefix="dvrtrace-mutated-") as overlay:
        path = os.path.join(overlay, mutation["path"])
        os.makedirs(os.path.dirname(path))
        with open(path, "w", encoding="utf-8", errors="surrogateescape") as file:
            file.writelines(mutation["lines"][:mutation["number"]] + mutation["lines"][mutation["number"] + 1:])
        cut = os.path.join(overlay, "hosts")
        earlier = os.path.join(cloud, "hosts")
        sides = ([earlier], [later, cut]) if removed else ([later, cut], [earlier])
        return removed, *changes(tool, *sides, os.path.join(cloud, "neutron"))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("cloud", nargs="?", default=os.path.join(harness.ROOT, "fixtures", "two-computes"))
    parser.add_argument("--tool", required=True)
    parser.add_argument("--every", action="store_true")
    options = parser.parse_args()
    wrong = right = 0
    with tempfile.TemporaryDirectory(prefix="dvrtrace-later-") as folder:
        later = os.path.join(folder, "hosts")
        anew.recollect(os.path.join(options.cloud, "hosts"), later, 7)
        todo = list(rows.mutations(folder, options.every))
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            answers = pool.map(lambda each: judge(options.tool, options.cloud, later, *each), enumerate(todo))
            for mutation, (removed, status, found) in zip(todo, answers):
                what = "removed" if removed else "added"
                if status == 1 and len(found) == 1 and rows.fits(found[0], mutation) and found[0]["change"] == what:
                    right += 1
                    continue
                wrong += 1
                print(f"{mutation['path']}:{mutation['number'] + 1}: {what}: {mutation['text'][:160]}")
                for each in found[:3]:
                    print(f"    found: {each['change']} {each['host']} {each['place'].get('name')} {each['object'].get('text')}")
    print(f"{len(todo)} rows deleted, one at a time: {right} named alone, {wrong} wrong")
    return 1 if wrong or not right else 0


if __name__ == "__main__":
    sys.exit(main())
