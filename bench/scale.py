#!/usr/bin/env python3
"""How time and memory grow with the cloud: clouds of several sizes, made by the reference, and what is asked of them.

usage: scale.py TOOL FOLDER [--hosts 10 100 1000] [--ports 50] [--ports-per-network 40] [--reach-up-to 1000] [--results FILE] [--plot FILE]

Clouds that FOLDER has already are taken as they are. Figures go to the results file (JSON, docs/performance.json), the plot is drawn
from it (SVG, docs/performance.svg); with --plot-only nothing is measured. `ovs-ofctl parse-flows` reads the same flows in the same run,
where it is installed.
"""
import argparse
import json
import math
import os
import shutil
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
MEASURED = (("from", "one question, `from A to B -q`"), ("from, hosts alone", "the same without Neutron's objects"),
            ("reach", "all pairs of one tenant's VMs"), ("check", "every host against the reference"))


def run(command):
    """(seconds by the clock, of processors, peak MiB) of one command."""
    begin = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in (0, 1):
        sys.exit(f"{' '.join(command)}: status {process.returncode}")
    return {"wall": time.monotonic() - begin, "cpu": usage.ru_utime + usage.ru_stime, "peak_mib": usage.ru_maxrss / 1024}


def best(command, times):
    return min((run(command) for _ in range(times)), key=lambda figures: figures["cpu"])


def make(tool, folder, hosts, args):
    if not os.path.isdir(os.path.join(folder, "hosts")):
        subprocess.run([sys.executable, os.path.join(ROOT, "bench", "make_cloud.py"), str(hosts), str(args.ports), f"{folder}/neutron",
                        "--ports-per-network", str(args.ports_per_network)], check=True)
        subprocess.run([tool, "reference", "--neutron", f"{folder}/neutron", "--release", "zed", "--to", f"{folder}/hosts"], check=True,
                       stdout=subprocess.DEVNULL)


def text_of(folder):
    size = files = flows = 0
    for path, _, names in os.walk(os.path.join(folder, "hosts")):
        files += len(names)
        for name in names:
            size += os.path.getsize(os.path.join(path, name))
            if "dump-flows" in name:
                with open(os.path.join(path, name), "rb") as file:
                    flows += sum(chunk.count(b"\n") for chunk in iter(lambda: file.read(1 << 20), b"")) - 1
    return {"text_mb": size / 1e6, "files": files, "flows": flows}


def question(folder):
    """Two VMs of one tenant, on two networks and two hosts, and the names of the networks."""
    def rows(name):
        with open(os.path.join(folder, "neutron", name + ".json"), encoding="utf-8") as file:
            return json.load(file)[name]
    vms = [port for port in rows("ports") if port["device_owner"] == "compute:nova"]
    first = vms[0]
    second = next(port for port in vms if port["network_id"] != first["network_id"]
                  and port["security_groups"] == first["security_groups"] and port["binding:host_id"] != first["binding:host_id"])
    names = {network["id"]: network["name"] for network in rows("networks")}
    return first, second, names[first["network_id"]], names[second["network_id"]]


def ovs(folder, host):
    """Seconds in which ovs-ofctl reads the flows of one host's br-int, and how many there are."""
    if shutil.which("ovs-ofctl") is None:
        return None
    dump = os.path.join(folder, "hosts", host, "sos_commands", "openvswitch", "ovs-ofctl_dump-flows_br-int")
    with open(dump, encoding="utf-8") as file, tempfile.NamedTemporaryFile("w", suffix=".flows") as flows:
        rows = [line for line in file if "actions=" in line]
        flows.writelines(rows)
        flows.flush()
        return {"flows": len(rows), "cpu": best(["ovs-ofctl", "parse-flows", flows.name], 3)["cpu"]}


def measure(args):
    results = []
    for hosts in args.hosts:
        folder = os.path.join(args.folder, f"cloud-{hosts}")
        make(args.tool, folder, hosts, args)
        first, second, from_network, to_network = question(folder)
        inputs = ["-i", f"{folder}/hosts", "--neutron", f"{folder}/neutron"]
        times = 1 if hosts >= 1000 else 3
        figures = {"hosts": hosts, **text_of(folder), "uses": {}}
        uses = figures["uses"]
        uses["from"] = best([args.tool, "from", first["id"], "to", second["id"], "-q", *inputs], 3)
        uses["from, hosts alone"] = best([args.tool, "from", first["id"], "to", second["id"], "-q", "-i", f"{folder}/hosts"], times)
        if hosts <= args.reach_up_to:
            uses["reach"] = best([args.tool, "reach", "icmp", "--from", from_network, "--to", to_network, *inputs], times)
        uses["check"] = best([args.tool, "check", *inputs], times)
        figures["ovs-ofctl"] = ovs(folder, first["binding:host_id"])
        results.append(figures)
        print(json.dumps(figures), flush=True)
    return results


COLOURS = {"from": "#2e7d32", "from, hosts alone": "#1565c0", "reach": "#8e24aa", "check": "#c62828"}


def panel(results, key, title, unit, left, lines):
    """One log-log diagram."""
    width, height, top, bottom = 330, 300, 60, 330
    xs = [r["hosts"] for r in results]
    values = [use[key] for r in results for use in r["uses"].values()]
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
    decades = math.log10(xs[-1] / xs[0]) or 1  # of one size alone there is one point

    def x(hosts):
        return left + math.log10(hosts / xs[0]) / decades * width

    def y(value):
        return bottom - (math.log10(value) - low) / (high - low) * (height - 30)
    out = [f'<text x="{left}" y="{top - 25}" class="title">{title}</text>']
    for power in range(low, high + 1):
        out.append(f'<path d="M{left} {y(10 ** power):.1f}h{width}" class="grid"/>')
        out.append(f'<text x="{left - 6}" y="{y(10 ** power) + 4:.1f}" class="tick end">{10 ** power:g}{unit}</text>')
    for hosts in xs:
        out.append(f'<text x="{x(hosts):.1f}" y="{bottom + 18}" class="tick middle">{hosts:,}</text>')
    for use, _ in MEASURED:
        points = [(x(r["hosts"]), y(r["uses"][use][key])) for r in results if use in r["uses"]]
        path = " ".join(f"{a:.1f},{b:.1f}" for a, b in points)
        out.append(f'<polyline points="{path}" fill="none" stroke="{COLOURS[use]}" stroke-width="2"/>')
        out.extend(f'<circle cx="{a:.1f}" cy="{b:.1f}" r="3" fill="{COLOURS[use]}"/>' for a, b in points)
    lines.extend(out)


def plot(results, path):
    lines = ['<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 860 440" width="860" height="440" role="img">',
             '<title>Time and memory by the number of hosts</title>',
             '<style>text{font:13px sans-serif;fill:#333}.title{font-weight:bold}.tick{font-size:11px}.end{text-anchor:end}'
             '.middle{text-anchor:middle}.grid{stroke:#bbb;stroke-width:.5}rect{fill:#fff}</style><rect width="860" height="440"/>']
    panel(results, "wall", "seconds by the clock on two cores, by the number of hosts", " s", 70, lines)
    panel(results, "peak_mib", "peak memory, by the number of hosts", " MiB", 500, lines)
    for number, (use, meaning) in enumerate(MEASURED):
        across, down = 70 + number % 2 * 400, 390 + number // 2 * 24
        lines.append(f'<path d="M{across} {down - 4}h24" stroke="{COLOURS[use]}" stroke-width="3"/>'
                     f'<text x="{across + 32}" y="{down}">{meaning.replace("`", "")}</text>')
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n</svg>\n")


def main():
    parser = argparse.ArgumentParser(usage=__doc__.split("usage: ")[1])
    parser.add_argument("tool")
    parser.add_argument("folder")
    parser.add_argument("--hosts", type=int, nargs="+", default=[10, 100, 1000])
    parser.add_argument("--ports", type=int, default=50)
    parser.add_argument("--ports-per-network", type=int, default=40)
    parser.add_argument("--reach-up-to", type=int, default=1000)
    parser.add_argument("--results", default=os.path.join(ROOT, "docs", "performance.json"))
    parser.add_argument("--plot", default=os.path.join(ROOT, "docs", "performance.svg"))
    parser.add_argument("--plot-only", action="store_true")
    args = parser.parse_args()
    if args.plot_only:
        with open(args.results, encoding="utf-8") as file:
            results = json.load(file)
    else:
        results = measure(args)
        with open(args.results, "w", encoding="utf-8") as file:
            json.dump(results, file, indent=1)
    plot(results, args.plot)


main()
