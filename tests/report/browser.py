#!/usr/bin/env python3
"""The pages of `-o html` in a real browser: `browser.py --tool BUILD/dvrtrace CASE`. Skipped (status 77) without Chromium.

With a folder in DVRTRACE_SCREENSHOTS, each page is painted there too, for people to look at: at 1280 pixels, on a phone, dark, on paper.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.dirname(HERE)]
import devtools  # noqa: E402
import harness  # noqa: E402

CLOUD = os.path.join("fixtures", "two-computes")
HOSTILE = "</script><script>document.title='owned'</script><img src=x onerror=document.title='owned'>\"'&amp;\u202eevil\x1b[31m" + "very-long-" * 12
BR_TUN = "sos_commands/openvswitch/ovs-ofctl_-O_OpenFlow13_dump-flows_br-tun"
SIZES = ((1280, 900), (1000, 800), (720, 900), (390, 844), (320, 640))
failures = []


def check(holds, what):
    if not holds:
        failures.append(what)


class Pages:
    """The pages under test, each written once, into a folder of their own."""

    def __init__(self, tool):
        self.tool, self.folder = tool, tempfile.mkdtemp(prefix="dvrtrace-pages-")

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        shutil.rmtree(self.folder, ignore_errors=True)

    def page(self, name, words, status):
        path = os.path.join(self.folder, name + ".html")
        if not os.path.exists(path):
            run = subprocess.run([os.path.abspath(self.tool)] + words + ["-o", "html"], cwd=harness.ROOT, env=harness.environment(self.tool),
                                 stdin=subprocess.DEVNULL, capture_output=True, timeout=240, check=False)
            if status is None and run.returncode == 2:
                return None
            if status is not None and run.returncode != status:
                sys.exit(f"{' '.join(words)}: status {run.returncode}, {status} was expected\n{run.stderr.decode(errors='replace')}")
            with open(path, "wb") as file:
                file.write(run.stdout)
        return path

    def broken(self):
        """A host whose br-tun lacks the flow for the VNI of net2, to be laid over the fixture."""
        folder = os.path.join(self.folder, "broken")
        if not os.path.exists(folder):
            os.makedirs(os.path.dirname(os.path.join(folder, "cmp2", BR_TUN)))
            with open(os.path.join(harness.ROOT, CLOUD, "hosts", "cmp2", BR_TUN), encoding="utf-8") as file:
                lines = [line for line in file if not re.search("table=4,.*tun_id=0xe5be", line)]
            with open(os.path.join(folder, "cmp2", BR_TUN), "w", encoding="utf-8") as file:
                file.writelines(lines)
        return folder

    def hostile(self):
        """Neutron's objects with a name that wants to be markup, a script, an escape sequence, and very long."""
        folder = os.path.join(self.folder, "neutron")
        if not os.path.exists(folder):
            shutil.copytree(os.path.join(harness.ROOT, CLOUD, "neutron"), folder)
            for name in os.listdir(folder):
                with open(os.path.join(folder, name), encoding="utf-8") as file:
                    document = json.load(file)
                with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
                    json.dump(renamed(document), file)
        return folder

    def all(self):
        known = ["-i", CLOUD + "/hosts", "--neutron", CLOUD + "/neutron"]
        broken = ["-i", CLOUD + "/hosts", "-i", self.broken(), "--neutron", CLOUD + "/neutron"]
        hostile = ["-i", CLOUD + "/hosts", "-i", self.broken(), "--neutron", self.hostile()]
        return {
            "delivered": lambda: self.page("delivered", ["from", "vm1", "to", "vm2"] + known, 0),
            "outside": lambda: self.page("outside", ["from", "vm3", "to", "8.8.8.8"] + known, 0),
            "dropped": lambda: self.page("dropped", ["from", "vm3", "to", "vm4", "tcp/80"] + known, 1),
            "broken": lambda: self.page("broken", ["from", "vm1", "to", "vm2"] + broken, 1),
            "filled": lambda: self.page("filled", ["from", "vm1", "to", "vm2", "--fill", "reference", "-i", CLOUD + "/hosts/cmp1",
                                                   "--neutron", CLOUD + "/neutron"], 0),
            "hostile": lambda: self.page("hostile", ["from", "10.0.1.13", "to", "net2/10.0.2.14", "tcp/80"] + hostile, 1),
            "check": lambda: self.page("check", ["check"] + broken, 1),
            "clean": lambda: self.page("clean", ["check"] + known, 0),
        }


def renamed(value):
    """Networks and routers take the hostile name; `net2` is needed to ask."""
    if isinstance(value, list):
        return [renamed(each) for each in value]
    if not isinstance(value, dict):
        return value
    return {key: HOSTILE if key in ("name", "Name") and each not in ("", "net1", "net2", None) else renamed(each) for key, each in value.items()}


# What stands in the drawing that is shown: texts lie in their boxes, boxes do not overlap, lines cross no box but where they begin and end.
DRAWING = """(() => {
  const wrong = [];
  for (const figure of document.querySelectorAll('figure')) {
    const shown = [...figure.querySelectorAll('svg')].filter(svg => getComputedStyle(svg).display !== 'none');
    if (shown.length !== 1) { wrong.push(shown.length + ' drawings are shown'); continue; }
    const svg = shown[0], whole = svg.viewBox.baseVal;
    const boxes = [...svg.querySelectorAll('.box')].map(box => [box, box.querySelector('rect').getBBox()]);
    if (boxes.length === 0) wrong.push('no boxes');
    for (const [box, frame] of boxes) {
      for (const text of box.querySelectorAll('text')) {
        const t = text.getBBox();
        if (t.x < frame.x || t.x + t.width > frame.x + frame.width || t.y < frame.y || t.y + t.height > frame.y + frame.height)
          wrong.push('text leaves its box: ' + text.textContent);
      }
      for (const [other, at] of boxes)
        if (other !== box && frame.x < at.x + at.width && at.x < frame.x + frame.width && frame.y < at.y + at.height && at.y < frame.y + frame.height)
          wrong.push('boxes overlap: ' + box.textContent + ' / ' + other.textContent);
    }
    const texts = [...svg.querySelectorAll('text')].map(text => [text, text.getBBox()]);
    for (const [text, t] of texts) {
      if (t.x < 0 || t.y < 0 || t.x + t.width > whole.width || t.y + t.height > whole.height) wrong.push('text leaves the drawing: ' + text.textContent);
      for (const [other, o] of texts)
        if (text !== other && t.x + 1 < o.x + o.width && o.x + 1 < t.x + t.width && t.y + 3 < o.y + o.height && o.y + 3 < t.y + t.height)
          wrong.push('texts overlap: ' + text.textContent + ' / ' + other.textContent);
    }
    for (const link of svg.querySelectorAll('path.link, path.twig')) {
      const length = link.getTotalLength();
      for (let at = 3; at < length - 3; at += 2) {
        const p = link.getPointAtLength(at);
        for (const [box, f] of boxes)
          if (p.x > f.x + 2 && p.x < f.x + f.width - 2 && p.y > f.y + 2 && p.y < f.y + f.height - 2) { wrong.push('a line crosses ' + box.textContent); at = length; break; }
        for (const [text, t] of texts)
          if (p.x > t.x && p.x < t.x + t.width && p.y > t.y + 3 && p.y < t.y + t.height - 3) { wrong.push('a line crosses the text ' + text.textContent); at = length; break; }
      }
    }
    for (const link of svg.querySelectorAll('a')) {
      const to = document.getElementById(decodeURIComponent(link.getAttribute('href').slice(1)));
      if (!to || !to.matches('details.hop')) wrong.push('leads nowhere: ' + link.getAttribute('href'));
    }
  }
  return wrong;
})()"""

# Texts whose contrast with their ground is below what WCAG asks of text (AA: 4.5 to 1).
CONTRAST = """(() => {
  const parse = (colour) => (colour.match(/[\\d.]+/g) || []).map(Number);
  const bright = ([r, g, b]) => [r, g, b].map(v => v / 255).map(v => v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [.2126, .7152, .0722][i], 0);
  const ground = (e) => { for (; e; e = e.parentElement) { const c = parse(getComputedStyle(e).backgroundColor); if (c.length === 3 || c[3] > 0) return c; } return [255, 255, 255]; };
  const wrong = new Set();
  for (const e of document.querySelectorAll('main *')) {
    const svg = e instanceof SVGElement;
    if (![...e.childNodes].some(n => n.nodeType === 3 && n.data.trim()) || !e.checkVisibility()) continue;
    if (svg && e.tagName !== 'text') continue;
    const style = getComputedStyle(e), box = svg && (e.closest('.box') || e.ownerSVGElement).querySelector('rect');
    const a = bright(parse(svg ? style.fill : style.color)), b = bright(svg ? parse(getComputedStyle(box).fill) : ground(e));
    const ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
    if (ratio < 4.5) wrong.add(`${e.tagName}.${e.getAttribute('class')}: ${ratio.toFixed(2)}`);
  }
  return [...wrong];
})()"""


def case_quiet(chromium, pages):
    """Nothing in the console, nothing asked of the network, what a page should have; the answer again in it."""
    for name, path in pages.all().items():
        for script in (True, False):
            page = devtools.Page(chromium, script=script)
            page.go(path())
            check(not page.complaints(), f"{name}: {page.complaints()}")
            check(page.run("document.documentElement.lang") == "en" and page.run("document.title").endswith("- dvrtrace"), f"{name}: language, title")
            check(page.run("document.querySelectorAll('[id]').length === new Set([...document.querySelectorAll('[id]')].map(e => e.id)).size"),
                  f"{name}: an id stands twice")
            check(page.run("document.querySelectorAll('h1').length") == 1, f"{name}: one h1")
            check(page.run("performance.getEntriesByType('resource').length") == 0, f"{name}: resources")


def case_hostile(chromium, pages):
    """Names that want to be markup are text."""
    page = devtools.Page(chromium)
    page.go(pages.all()["hostile"]())
    check("owned" not in page.run("document.title").replace("document.title='owned'", ""), "the title was changed")
    check(page.run("document.querySelectorAll('script').length") == 1 and page.run("document.images.length") == 0, "markup came in")
    text = page.run("document.body.textContent")
    check("<script>document.title='owned'</script>" in text, "the name is not shown as it is written")
    check("\\xe2\\x80\\xae" in text and "\\x1b[31m" in text, "control characters are not shown as such")
    check("\u202e" not in text and "\x1b" not in text, "control characters came through")
    check("&amp;" in text, "what looks like an entity is not shown as it is written")


def case_without_script(chromium, pages):
    """All can be read: by summaries that unfold, and by links of the drawing that open their hop."""
    for name in ("dropped", "broken", "check"):
        page = devtools.Page(chromium, script=False)
        page.go(pages.all()[name]())
        check(page.run("getComputedStyle(document.getElementById('tools')).display") == "none", f"{name}: tools that do nothing are shown")
        check(page.run("[...document.querySelectorAll('main > section > *')].every(e => e.checkVisibility() || e.matches('svg'))"), f"{name}: hidden")
        count = page.run("document.querySelectorAll('details').length")
        check(count >= (1 if name == "check" else 20), f"{name}: {count} details")
        for each in range(count):
            page.run(f"window.aim = document.querySelectorAll('details')[{each}]; for (let e = aim.parentElement; e; e = e.parentElement) e.open = true; "
                     "window.was = aim.open; 1")
            page.click("window.aim.querySelector('summary')")
            check(page.run("window.aim.open !== window.was"), f"{name}: the summary of details {each} does nothing")
            page.click("window.aim.querySelector('summary')")
        page.run("for (const e of document.querySelectorAll('details')) e.open = false; 1")
        if name == "check":
            continue
        link = "[...document.querySelectorAll('svg.wide a.box')].find(a => !document.getElementById(a.getAttribute('href').slice(1)).open)"
        page.run(f"window.aim = {link}; 1")
        page.click("window.aim")
        check(page.run("(() => { const hop = document.getElementById(window.aim.getAttribute('href').slice(1)); "
                       "return location.hash.slice(1) === hop.id && hop.querySelector('.body p').checkVisibility(); })()"),
              f"{name}: a link does not open its hop")


def case_script(chromium, pages):
    """Unfold all, fold all, search, links, keys."""
    page = devtools.Page(chromium)
    page.go(pages.all()["dropped"]())
    closed = "document.querySelectorAll('main details:not([open])').length"
    opened = "document.querySelectorAll('main details[open]').length"
    check(page.run("document.querySelector('details.hop[open]') === [...document.querySelectorAll('details.hop')].find(h => h.querySelector(':scope > summary .badge.bad'))"),
          "the hop that drops the packet is not open from the beginning")
    page.click("document.getElementById('expand')")
    check(page.run(closed) == 0 and page.run(opened) > 20, "unfold all")
    page.click("document.getElementById('collapse')")
    check(page.run(opened) == 0, "fold all")
    page.click("document.querySelector('svg.wide a.box')")
    page.run("new Promise(done => setTimeout(done, 100))")
    check(page.run("location.hash") == "#request-1" and page.run("document.getElementById('request-1').open"), "a click on a box opens its hop")
    page.click("document.querySelector('#request-1 > summary')")
    page.click("document.querySelector('svg.wide a.box')")
    check(page.run("document.getElementById('request-1').open"), "a second click on the box opens it again")
    page.key("/", "/")
    check(page.run("document.activeElement.id") == "search", "/ goes to the search")
    page.type("TUN_ID=0xE5BE")
    found = page.run("document.getElementById('found').value")
    check(re.fullmatch(r"[1-9]\d* in [1-9]\d* of \d+", found), f"found: {found}")
    check(page.run("[...document.querySelectorAll('.entry')].some(e => !e.checkVisibility()) && "
                   "[...document.querySelectorAll('details.hop')].filter(h => h.checkVisibility()).every(h => h.open && h.textContent.includes('tun_id=0xe5be'))"),
          "the search leaves what has it, unfolded")
    check(page.run("CSS.highlights.get('found').size") > 0, "what was found is marked")
    page.key("Escape")
    check(page.run("document.querySelectorAll('.nomatch').length") == 0 and page.run("document.getElementById('found').value") == "", "Escape ends it")
    page.type("no such thing anywhere")
    check(page.run("document.getElementById('found').value").startswith("0 in 0"), "nothing found")
    page = devtools.Page(chromium)
    page.go(pages.all()["dropped"](), "#request-4.1")
    check(page.run("document.getElementById('request-4.1').open && document.getElementById('request-4.1').checkVisibility()"),
          "an address with a hop in it opens it, and what it lies in")
    check(not page.complaints(), str(page.complaints()))


def case_looks(chromium, pages):
    """At every width, light and dark: nothing overlaps, nothing is wider than the screen, contrast is enough."""
    for name, path in pages.all().items():
        grounds = set()
        for dark in (False, True):
            for width, height in SIZES:
                page = devtools.Page(chromium, width, height, dark)
                page.go(path())
                what = f"{name}, {width} pixels, {'dark' if dark else 'light'}"
                if not dark:
                    check(not page.run(DRAWING), f"{what}: {page.run(DRAWING)}")
                if dark and width != 1280:
                    continue
                page.run("for (const each of document.querySelectorAll('details')) each.open = true; 1")
                wide = page.run("document.documentElement.scrollWidth")
                check(wide <= width, f"{what}: {wide} pixels wide")
                if width == 1280:
                    check(not page.run(CONTRAST), f"{what}: contrast {page.run(CONTRAST)}")
                    grounds.add(page.run("getComputedStyle(document.body).backgroundColor"))
        check(len(grounds) == 2, f"{name}: dark is not light: {grounds}")


def lab_questions(lab):
    """What was asked of the shared data's clouds, sound and faulty: a name, and the words of the command line."""
    clouds = [(os.path.join(lab, name), name, "scenarios.json") for name in ("ovsfw", "hybrid", "ha6")]
    for name in sorted(os.listdir(os.path.join(lab, "faults"))):
        clouds.append((os.path.join(lab, "faults", name), "hybrid" if "-h-" in name else "ovsfw", "scenario.json"))
    for cloud, neutron, listed in clouds:
        with open(os.path.join(cloud, listed), encoding="utf-8") as file:
            scenarios = json.load(file)["scenarios"]
        for scenario in scenarios:
            words = ["from", scenario["src"], "to", scenario["dst"]] + ([f"{scenario['proto']}/{scenario['port']}"] if scenario["port"] else [])
            before = os.path.join(cloud, "before", scenario["id"])
            words += ["-i", os.path.join(cloud, "hosts")] + (["-i", before] if os.path.isdir(before) else [])
            yield f"{os.path.basename(cloud)}-{scenario['id']}", words + ["--neutron", os.path.join(lab, neutron, "neutron")]


def case_lab(chromium, pages):
    """The ways of all recorded scenarios and faults of the shared data, drawn: nothing overlaps."""
    drawn = 0
    for name, words in lab_questions(os.path.join(os.environ["DVRTRACE_SHARED"], "data", "lab")):
        path = pages.page(name, words, None)
        if path is None:
            continue
        drawn += 1
        page = devtools.Page(chromium)
        page.go(path)
        for width, height in (SIZES[0], SIZES[1], SIZES[3]):
            page.size(width, height)
            wrong = page.run(DRAWING)
            check(not wrong, f"{name}, {width} pixels: {wrong}")
        check(not page.complaints(), f"{name}: {page.complaints()}")
        page.close()
    print(f"{drawn} pages")
    check(drawn > 30, "too few of the questions can be asked")


def case_print(chromium, pages):
    """On paper, what matters is unfolded, in light colours, and a PDF comes out."""
    for name in ("broken", "check"):
        page = devtools.Page(chromium, 720, 900, dark=True, script=False)
        page.go(pages.all()[name]())
        page.media("print", dark=True)
        check(page.run("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)", f"{name}: dark paper")
        check(page.run("[...document.querySelectorAll('details.prints:not(details:not(.prints) *) > .body')].every(e => e.checkVisibility())"), f"{name}: folded on paper")
        if name != "check":
            check(page.run("[...document.querySelectorAll('figure svg')].filter(e => getComputedStyle(e).display !== 'none').length === document.querySelectorAll('figure').length"),
                  f"{name}: one drawing for each way")
        pdf = page.pdf()
        check(pdf.startswith(b"%PDF-") and len(re.findall(rb"/Type\s*/Page\b", pdf)) >= 1, f"{name}: no PDF")


def paint(chromium, pages, folder):
    for name, path in pages.all().items():
        for kind, width, dark, media in (("wide", 1280, False, "screen"), ("dark", 1280, True, "screen"), ("phone", 390, False, "screen"), ("middle", 900, False, "screen")):
            page = devtools.Page(chromium, width, 900, dark)
            page.go(path())
            page.media(media, dark)
            page.screenshot(os.path.join(folder, f"{name}-{kind}.png"))
        with open(os.path.join(folder, f"{name}.pdf"), "wb") as file:
            file.write(page.pdf())
        shutil.copy(path(), folder)


CASES = {name[5:].replace("_", "-"): function for name, function in globals().copy().items() if name.startswith("case_")}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tool", required=True)
    parser.add_argument("case", choices=CASES)
    asked = parser.parse_args()
    path = devtools.browser()
    if path is None:
        print("skipped: needs Chromium")
        return harness.SKIPPED
    folder = os.environ.get("DVRTRACE_SCREENSHOTS", "")
    if asked.case == "lab" and not os.path.isdir(os.path.join(os.environ.get("DVRTRACE_SHARED", ""), "data", "lab")):
        print("skipped: needs the shared data")
        return harness.SKIPPED
    with Pages(asked.tool) as pages, devtools.Chromium(path) as chromium:
        CASES[asked.case](chromium, pages)
        if folder and asked.case == "looks":
            os.makedirs(folder, exist_ok=True)
            paint(chromium, pages, folder)
    for failure in failures:
        print(failure)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
