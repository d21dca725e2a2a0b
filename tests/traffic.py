#!/usr/bin/env python3
"""Runs tests of traffic: `traffic.py --tool BUILD/dvrtrace [--case WORDS] FILE...`

Each case is a cloud, as recorded or with some lines changed, a question, and what becomes of the packets. Blocks with an empty line
between them; `#` begins a comment. Every line but NAME, CLOUD and ASK may be repeated.

    NAME words
    CLOUD path               the folder with hosts/ and neutron/, or with the hosts themselves. Of the project; lab/, seeds/ and public/ are
                             of the shared data, and the file is skipped where that is not
    BEFORE scenario          the MAC tables of before/SCENARIO, and no others
    EDIT host file /regex/replacement/     in a copy of the file, which is a later input; FILE is a pattern below the host's folder.
                             A regex that is found nowhere is an error of the test. Any character may take the place of `/`
    ADD host file text       a line more at the end of the file; a file that is not there is made
    LACKS host file          the dump is missing
    NEUTRON file /regex/replacement/       the same in a copy of Neutron's objects
    ASK words                the arguments of `dvrtrace from`
    REQUEST verdict reason   of the first direction; likewise REPLY; `none` when there is none
    PASSES direction host netns device     a crossing on the way; netns `-` is the root namespace; patterns
    AVOIDS direction host netns device     no crossing of any copy
    SAYS regex               in the text of some step; REFUSES regex: in none
    ASSUMES code
"""

import fnmatch
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import harness  # noqa: E402

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
SINGLE = ("NAME", "CLOUD", "BEFORE", "ASK", "REQUEST", "REPLY")
REPEATED = ("EDIT", "ADD", "LACKS", "NEUTRON", "PASSES", "AVOIDS", "SAYS", "REFUSES", "ASSUMES")


class Broken(Exception):
    """The test itself is wrong."""


def below(folder, pattern):
    found = []
    for path, _, names in os.walk(folder):
        for name in names:
            relative = os.path.relpath(os.path.join(path, name), folder)
            if fnmatch.fnmatchcase(relative, pattern) or fnmatch.fnmatchcase(name, pattern):
                found.append(relative)
    return sorted(found)


def changed(text, command, where):
    separator = command[0]
    parts = command[1:].split(separator)
    if len(parts) != 3 or parts[2]:
        raise Broken(f"{where}: '{command}' is not {separator}regex{separator}replacement{separator}")
    text, count = re.subn(parts[0], parts[1].replace("\\n", "\n"), text, flags=re.MULTILINE)
    if count == 0:
        raise Broken(f"{where}: nothing matches {parts[0]}")
    return text


def hosts_of(cloud):
    inner = os.path.join(cloud, "hosts")
    return inner if os.path.isdir(inner) else cloud


class Overlay:
    """The changed files: an input of their own, given after the cloud's."""

    def __init__(self, cloud, folder):
        self.hosts, self.folder = hosts_of(cloud), folder

    def files(self, host, pattern):
        found = below(os.path.join(self.hosts, host), pattern)
        if not found:
            raise Broken(f"{host} has no file {pattern}")
        return found

    def read(self, host, relative):
        ours = os.path.join(self.folder, host, relative)
        path = ours if os.path.exists(ours) else os.path.join(self.hosts, host, relative)
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            return file.read()

    def write(self, host, relative, text):
        path = os.path.join(self.folder, host, relative)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8", errors="surrogateescape") as file:
            file.write(text)

    def edit(self, words):
        host, pattern, command = words.split(None, 2)
        for relative in self.files(host, pattern):
            self.write(host, relative, changed(self.read(host, relative), command, f"{host} {relative}"))

    def add(self, words):
        host, pattern, line = words.split(None, 2)
        found = below(os.path.join(self.hosts, host), pattern)
        for relative in found or [pattern]:
            text = self.read(host, relative) if found else ""
            self.write(host, relative, text + line.replace("\\n", "\n") + "\n")

    def lacks(self, words):
        host, pattern = words.split()
        for relative in self.files(host, pattern):
            self.write(host, relative, "Error: the command could not be run: No such file or directory\n")


def neutron_of(block, cloud, folder):
    source = os.path.join(cloud, "neutron")
    if "NEUTRON" not in block:
        return source
    shutil.copytree(source, folder)
    for words in block["NEUTRON"]:
        name, command = words.split(None, 1)
        path = os.path.join(folder, name)
        os.chmod(path, 0o644)
        with open(path, encoding="utf-8") as file:
            text = changed(file.read(), command, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
    return folder


def passes(direction, words, on_path):
    host, netns, device = words
    for crossing in direction.get("crossings", []):
        name = crossing.get("netns") or "-"
        if on_path and not crossing["on_path"]:
            continue
        if all(fnmatch.fnmatchcase(*pair) for pair in ((crossing["host"], host), (name, netns), (crossing["device"], device))):
            return True
    return False


def judge(block, document):
    directions = {d["direction"]: d for d in document["directions"]}
    bad = []
    for word, name in (("REQUEST", "request"), ("REPLY", "reply")):
        if word not in block:
            continue
        found = directions.get(name)
        text = f"{found['verdict']} {found['reason']}" if found else "none"
        if text != block[word]:
            bad.append(f"{name}: {text}, expected {block[word]}")
    for words in block.get("PASSES", []):
        name, *place = words.split()
        if not passes(directions.get(name, {}), place, True):
            bad.append(f"does not pass {words}")
    for words in block.get("AVOIDS", []):
        name, *place = words.split()
        if passes(directions.get(name, {}), place, False):
            bad.append(f"passes {words}")
    said = json.dumps([hop["steps"] for d in document["directions"] for hop in d["hops"]])
    bad += [f"does not say {regex}" for regex in block.get("SAYS", []) if not re.search(regex, said)]
    bad += [f"says {regex}" for regex in block.get("REFUSES", []) if re.search(regex, said)]
    codes = [assumption["code"] for assumption in document["assumptions"]]
    bad += [f"does not assume {code}, but {codes}" for code in block.get("ASSUMES", []) if code not in codes]
    return bad


def run(tool, block):
    cloud = block["CLOUD"]
    base = os.path.join(os.environ.get("DVRTRACE_SHARED", ""), "data") if cloud.startswith(("lab/", "seeds/", "public/")) else ROOT
    cloud = os.path.join(base, cloud)
    with tempfile.TemporaryDirectory() as folder:
        overlay = Overlay(cloud, os.path.join(folder, "changed"))
        for word, change in (("EDIT", overlay.edit), ("ADD", overlay.add), ("LACKS", overlay.lacks)):
            for words in block.get(word, []):
                change(words)
        inputs = [hosts_of(cloud)]
        if "BEFORE" in block:
            inputs.append(os.path.join(cloud, "before", block["BEFORE"]))
        if os.path.isdir(overlay.folder):
            inputs.append(overlay.folder)
        command = tool + ["from"] + shlex.split(block["ASK"]) + ["-o", "json"]
        for path in inputs:
            command += ["-i", path]
        neutron = neutron_of(block, cloud, os.path.join(folder, "neutron"))
        if os.path.isdir(neutron):
            command += ["--neutron", neutron]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, env=harness.environment(tool[0]))
    try:
        document = json.loads(done.stdout)
        if "directions" not in document:
            return [done.stdout[-400:]]
    except ValueError:
        return [f"status {done.returncode}: {done.stdout[-400:]}{done.stderr[-400:]}"]
    return judge(block, document)


def main():
    options = harness.asked(__doc__)
    tool = [os.path.abspath(options.tool)]
    count = failed = 0
    for path, block in harness.chosen(options, SINGLE, REPEATED, ("NAME", "CLOUD", "ASK")):
        shared = block["CLOUD"].startswith(("lab/", "seeds/", "public/"))
        if shared and not os.path.isdir(os.path.join(os.environ.get("DVRTRACE_SHARED", ""), "data", block["CLOUD"])):
            print(f"skipped: {block['CLOUD']} is not there")
            sys.exit(harness.SKIPPED)
        count += 1
        try:
            bad = run(tool, block)
        except Broken as error:
            bad = [f"the test is broken: {error}"]
        failed += bool(bad)
        for line in bad:
            print(f"{path}: {block['NAME']}: {line}")
    print(f"{count - failed} of {count}")
    sys.exit(1 if failed or count == 0 else 0)


main()
