#!/usr/bin/env python3
"""Graphviz reads what `-o dot` writes: `graphviz.py --tool BUILD/dvrtrace`. Skipped (status 77) without `dot`."""

import argparse
import os
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as tree

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.dirname(HERE)]
import browser  # noqa: E402
import harness  # noqa: E402

KNOWN = ["-i", browser.CLOUD + "/hosts", "--neutron", browser.CLOUD + "/neutron"]
SVG = "{http://www.w3.org/2000/svg}"


def drawn(tool, words):
    """The drawing as a tree, and the text of the file."""
    text = subprocess.run([os.path.abspath(tool)] + words + ["-o", "dot"], cwd=harness.ROOT, env=harness.environment(tool), timeout=240,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False).stdout
    run = subprocess.run(["dot", "-Tsvg"], input=text, capture_output=True, timeout=120, check=False)
    messages = run.stderr.decode(errors="replace")
    if run.returncode != 0 or re.search("syntax error|Warning|Error", messages):
        sys.exit(f"{' '.join(words)}: dot says, with status {run.returncode}: {messages}")
    return tree.fromstring(run.stdout), text.decode()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tool", required=True)
    tool = parser.parse_args().tool
    if shutil.which("dot") is None:
        print("skipped: needs Graphviz")
        return harness.SKIPPED
    wrong = []
    for words in (["from", "vm1", "to", "vm2"], ["from", "vm3", "to", "vm4", "tcp/80"], ["from", "vm3", "to", "8.8.8.8"]):
        svg, text = drawn(tool, words + KNOWN)
        titles = [title.text for title in svg.iter(SVG + "title")]
        nodes = re.findall(r'^ +"((?:request|reply)-[^"]*)" \[', text, re.MULTILINE)
        edges = re.findall(r'^ +"([^"]+)" -> "([^"]+)"', text, re.MULTILINE)
        if not nodes or sorted(nodes) != sorted(set(nodes)) or any(node not in titles for node in nodes):
            wrong.append(f"{words}: nodes {nodes}, drawn {titles}")
        if any(end not in nodes and not end.endswith(" more") for edge in edges for end in edge):
            wrong.append(f"{words}: an edge leads to no node")
        if sum(title in ("cluster_request_cmp1", "cluster_request_cmp2") for title in titles) < 1:
            wrong.append(f"{words}: no cluster for a host")
    with browser.Pages(tool) as pages:
        svg, text = drawn(tool, ["from", "10.0.1.13", "to", "net2/10.0.2.14", "tcp/80", "-i", browser.CLOUD + "/hosts", "--neutron", pages.hostile()])
    shown = " ".join(part.text or "" for part in svg.iter(SVG + "text"))
    if "</script><script>document.title='owned'</script>" not in shown or "&amp;" not in shown:
        wrong.append("a hostile name is not shown as it is written: " + shown[:400])
    print("\n".join(wrong))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
