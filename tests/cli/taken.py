"""Writes when the dumps of a host were taken: `taken.py FOLDER FIRST LAST [sos|list]`

Into sos_reports/manifest.json as sos 4 and `dvrtrace collect` do, or into commands.json. All commands ran from FIRST to LAST, in
seconds from one moment."""

import json
import os
import sys

MOMENT = 1_700_000_000


def main(folder, first, last, form="sos"):
    plugins, listed = {}, []
    for path, _, names in sorted(os.walk(os.path.join(folder, "sos_commands"))):
        for name in sorted(names):
            file = os.path.relpath(os.path.join(path, name), folder)
            times = {"start_time": MOMENT + float(first), "end_time": MOMENT + float(last)}
            entry = {"command": name, "parameters": [], "exec": name.replace("_", " "), "filepath": file, "truncated": False,
                     "return_code": 0, **times, "run_time": float(last) - float(first), "tags": []}
            plugins.setdefault(file.split("/")[1], {"commands": []})["commands"].append(entry)
            listed.append({"file": file, "cmd": entry["exec"], "rc": 0, **times})
    name = "commands.json" if form == "list" else "sos_reports/manifest.json"
    os.makedirs(os.path.dirname(os.path.join(folder, name)), exist_ok=True)
    with open(os.path.join(folder, name), "w", encoding="utf-8") as out:
        json.dump(listed if form == "list" else {"version": "4.4", "components": {"report": {"plugins": plugins}}}, out, indent=1)


if __name__ == "__main__":
    main(*sys.argv[1:])
