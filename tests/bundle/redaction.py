#!/usr/bin/env python3
"""A redacted bundle holds nothing of the original, and traces as the original does, in other names:
`redaction.py --tool BUILD/dvrtrace [CLOUD...]`; a CLOUD is a folder with hosts/ and neutron/.

The originals are looked for in every notation; the traces are compared by way of the map that the user keeps."""

import argparse
import glob
import ipaddress
import json
import os
import re
import subprocess
import sys
import tarfile
import tempfile

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import harness  # noqa: E402

CLOUD = os.path.join(harness.ROOT, "fixtures", "two-computes")
UUID = re.compile(r"(?<![0-9a-f])[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}(?![0-9a-f])")
MAC = re.compile(r"(?<![0-9A-Fa-f:-])(?:[0-9A-Fa-f]{2}[:-]){5}[0-9A-Fa-f]{2}(?![0-9A-Fa-f:-])")
IPV4 = re.compile(r"(?<![0-9.])(?:\d{1,3}\.){3}\d{1,3}(?![0-9]|\.[0-9])")
IPV6 = re.compile(r"(?<![0-9A-Za-z:.])[0-9a-f]{1,4}(?::[0-9a-f]{0,4}){2,7}(?![0-9A-Za-z:])")


def run(tool, *words, cwd=None):
    return subprocess.run([os.path.abspath(tool), *words], capture_output=True, text=True, check=False, cwd=cwd, timeout=600,
                          env=harness.environment(tool), errors="backslashreplace")


def texts(folder):
    for path, _, names in os.walk(folder):
        for name in sorted(names):
            with open(os.path.join(path, name), encoding="utf-8", errors="replace") as file:
                yield os.path.relpath(os.path.join(path, name), folder), file.read()


def is_public(address):
    """Whether an address says anything of a cloud."""
    return not (address.is_loopback or address.is_multicast or address.is_unspecified or address.is_link_local and address.version == 4 or
                int(address) >> (address.max_prefixlen - 8) in (0, 255) and address.version == 4)


def originals(cloud):
    """What must be gone, as (what it is, regular expressions of its notations)."""
    ids, macs, addresses, names = set(), set(), set(), set()
    for path, text in texts(f"{cloud}/hosts"):
        names.add(path.split("/")[0])
        for found in UUID.findall(text) + UUID.findall(path):
            ids.add(found)
    for path, text in list(texts(f"{cloud}/hosts")) + list(texts(f"{cloud}/neutron")):
        ids |= set(UUID.findall(text))
        if "log" in path:
            continue
        macs |= {found.lower().replace("-", ":") for found in MAC.findall(text)}
        addresses |= set(IPV4.findall(text)) | set(IPV6.findall(text))
    for path in glob.glob(f"{cloud}/neutron/*.json"):
        with open(path, encoding="utf-8") as file:
            names |= {value for value in strings_under(json.load(file), ("name", "host", "binding:host_id", "hostname")) if len(value) > 1}
    macs = {mac for mac in macs if int(mac[:2], 16) & 1 == 0 and int(mac[9:].replace(":", ""), 16) not in (0, 0xffffff)}
    valid = set()
    for text in addresses:
        try:
            address = ipaddress.ip_address(text)
        except ValueError:
            continue
        if is_public(address):
            valid.add(address)
    return ids, macs, valid, names


def strings_under(value, keys, key=""):
    if isinstance(value, dict):
        for inner, each in value.items():
            yield from strings_under(each, keys, inner)
    elif isinstance(value, list):
        for each in value:
            yield from strings_under(each, keys, key)
    elif isinstance(value, str) and key in keys:
        yield value


def wanted_gone(cloud, kept):
    """Literal texts, each a whole word."""
    ids, macs, addresses, names = originals(cloud)
    words = set()
    for uuid in ids:
        words |= {uuid, uuid.replace("-", ""), uuid[:11], uuid[:10]}
    for mac in macs:
        digits = mac.replace(":", "")
        words |= {mac, mac.upper().replace(":", "-"), mac.replace(":", "-"), "0x" + digits.lstrip("0"), digits}
    for address in addresses:
        if address.version == 6 and address.is_link_local and int(address) & 0xffffffffffffffff < 1 << 16:
            continue
        if address.version == 6 and int(address) & 0xffffffffffffffff == 0 and int(address) >> 112 == 0xfe80:
            continue
        words.add(str(address))
        if address.version == 4 and int(address) >> 24 not in (0,):
            words |= {hex(int(address)), f"{int(address):08x}", str(int(address))}
    return words | {name for name in names if name not in kept}


def left_over(text, words):
    """The originals that stand in a text, looked for as a human would grep: bounded by what is no part of such words."""
    found = set()
    for token in set(re.findall(r"[0-9A-Za-z_.:-]+", text)):
        # every run of whole parts in the token
        parts = re.split(r"([^0-9A-Za-z_])", token)
        for begin in range(0, len(parts), 2):
            for end in range(begin, min(len(parts), begin + 16), 2):
                piece = "".join(parts[begin:end + 1])
                if piece in words:
                    found.add(piece)
                elif begin < len(parts) - 2 and end >= begin + 2:  # tapf7ddce7f-66: behind a word
                    tail = piece[len(parts[begin]) - 8:] if len(parts[begin]) > 8 else ""
                    if tail in words:
                        found.add(piece)
    return found


def rename(text, replaced):
    """The text in the new names, by the user's map alone."""
    tokens = dict(replaced)
    for original, image in replaced.items():
        if UUID.fullmatch(original):
            tokens[original[:11]], tokens[original[:10]] = image[:11], image[:10]
    numbers = {}
    for original, image in replaced.items():
        try:
            numbers[int(ipaddress.IPv4Address(original))] = int(ipaddress.IPv4Address(image))
        except ValueError:
            pass
        if MAC.fullmatch(original):
            numbers[int(original.replace(":", ""), 16)] = int(image.replace(":", ""), 16)
    for number, image in numbers.items():
        if number > 1 << 24:
            tokens[str(number)], tokens[hex(number)], tokens[f"{number:08x}"] = str(image), hex(image), f"{image:08x}"
    ordered = sorted(tokens, key=len, reverse=True)
    by_first = {}
    for token in ordered:
        by_first.setdefault(token[0], []).append(token)
    out, at = [], 0
    while at < len(text):
        before = text[at - 1] if at else " "
        for token in by_first.get(text[at], ()):
            behind_word = re.match(r"[0-9a-f]{8}-[0-9a-f]", token) is not None
            if text.startswith(token, at) and (behind_word or not (before.isalnum() or before in "_.")):
                after = text[at + len(token):at + len(token) + 1]
                if not (after.isalnum() or after == "_"):
                    out.append(tokens[token])
                    at += len(token)
                    break
        else:
            out.append(text[at])
            at += 1
    return "".join(out)


def essence(answer):
    """A trace without where and when it was read."""
    def strip(value):
        if isinstance(value, str) and value.startswith("known to "):
            return "known"  # of several that know an address, the first by name is shown: another one, in other names
        if isinstance(value, dict):
            return {k: strip(v) for k, v in value.items() if k not in ("source", "sources", "inputs", "tool", "diagnostics", "findings", "cookie")}
        return [strip(each) for each in value] if isinstance(value, list) else value
    return strip(answer)


def questions(cloud):
    """Each VM to the next and to the outside, and back from there where it has a floating IP."""
    with open(f"{cloud}/neutron/ports.json", encoding="utf-8") as file:
        document = json.load(file)
    ports = document["ports"] if isinstance(document, dict) else document
    vms = sorted(port["id"] for port in ports if port["device_owner"].startswith("compute:"))
    for vm, other in zip(vms, vms[1:] + vms[:1]):
        yield (vm, other)
        yield (vm, other, "tcp/80")
        yield (vm, "8.8.8.8")


def check(tool, cloud):
    failed = 0
    with tempfile.TemporaryDirectory(prefix="dvrtrace-bundle-") as folder:
        bundle = f"{folder}/case.tar.gz"
        done = run(tool, "bundle", bundle, "--redact", "-i", f"{cloud}/hosts", "--neutron", f"{cloud}/neutron", "--ask", "vm1 to vm2")
        if done.returncode != 0:
            print(f"FAILED {cloud}: {done.stdout}{done.stderr}")
            return 1
        with open(bundle + ".map.json", encoding="utf-8") as file:
            redaction = json.load(file)
        with tarfile.open(bundle) as archive:
            archive.extractall(f"{folder}/out", filter="data") if hasattr(tarfile, "data_filter") else archive.extractall(f"{folder}/out")
        words = wanted_gone(cloud, set(redaction["kept"]))
        shown = 0
        for path, text in texts(f"{folder}/out"):
            if path.endswith("bundle.json"):
                text = re.sub(r'"sha256": "[0-9a-f]*"', "", text)
            left = left_over(path + "\n" + text, words)
            if left and shown < 10:
                shown += 1
                print(f"FAILED {path}: still has {sorted(left)[:8]}")
            failed += len(left)
        print(f"{len(words)} notations looked for, {failed} found")
        asked = 0
        for question in questions(cloud):
            before = run(tool, "from", question[0], "to", *question[1:], "-i", f"{cloud}/hosts", "--neutron", f"{cloud}/neutron", "-o", "json")
            new = [rename(word, redaction["replaced"]) for word in question]
            after = run(tool, "from", new[0], "to", *new[1:], "-i", bundle, "-o", "json")
            wanted = essence(json.loads(rename(before.stdout, redaction["replaced"])))
            found = essence(json.loads(after.stdout))
            asked += 1
            if before.returncode != after.returncode or wanted != found:
                failed += 1
                print(f"FAILED {' '.join(question)}: status {before.returncode} and {after.returncode}")
                show_difference(wanted, found)
        print(f"{asked} questions asked of both")
        second = f"{folder}/second.tar"
        done = run(tool, "bundle", second, "--redact", "--map", bundle + ".map.json", "-i", f"{cloud}/hosts", "--neutron", f"{cloud}/neutron")
        with tarfile.open(second) as archive, tarfile.open(bundle) as first:
            same = [n.split("/", 1)[1] for n in archive.getnames()] == [n.split("/", 1)[1] for n in first.getnames() if "/answer." not in n]
        if done.returncode != 0 or not same:
            failed += 1
            print(f"FAILED the map, used again, gives other names: {done.stdout}{done.stderr}")
    return failed


def show_difference(wanted, found, path=""):
    """The first places that differ."""
    if isinstance(wanted, dict) and isinstance(found, dict):
        for key in sorted(wanted.keys() | found.keys()):
            if wanted.get(key) != found.get(key):
                return show_difference(wanted.get(key), found.get(key), f"{path}.{key}")
    if isinstance(wanted, list) and isinstance(found, list):
        for i, (a, b) in enumerate(zip(wanted, found)):
            if a != b:
                return show_difference(a, b, f"{path}[{i}]")
    print(f"  {path}: wanted {str(wanted)[:300]}\n  {path}: found  {str(found)[:300]}")
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tool", required=True)
    parser.add_argument("--lab", action="store_true", help="the clouds of the shared data, which may not be at hand")
    parser.add_argument("clouds", nargs="*")
    options = parser.parse_args()
    clouds = options.clouds or [CLOUD]
    if options.lab:
        clouds = sorted(os.path.dirname(path) for path in glob.glob(os.path.join(os.environ.get("DVRTRACE_SHARED", "/nonexistent"), "data/lab/*/hosts")))
        if not clouds:
            print("skipped: no shared data")
            return harness.SKIPPED
    return 1 if sum([check(options.tool, cloud) for cloud in clouds]) else 0


if __name__ == "__main__":
    sys.exit(main())
