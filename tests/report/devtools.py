"""A headless Chromium, driven over the pipe that it has for its developer tools. Asks the network for nothing: all names are unknown to
it, and its proxy is a port of the loopback where nobody listens."""

import base64
import fcntl
import json
import os
import select
import shutil
import subprocess
import tempfile
import time

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
PATIENCE = 60  # seconds


def browser():
    return next((path for path in map(shutil.which, NAMES) if path), None)


class Failed(Exception):
    pass


class Chromium:
    def __init__(self, path):
        self.home = tempfile.mkdtemp(prefix="dvrtrace-chromium-")
        to_browser, from_us = os.pipe()
        to_us, from_browser = os.pipe()
        # The browser reads from its file descriptor 3 and writes to 4; high numbers here, so that neither is in the other's way.
        reads, writes = fcntl.fcntl(to_browser, fcntl.F_DUPFD, 30), fcntl.fcntl(from_browser, fcntl.F_DUPFD, 30)

        def hand_over():
            os.dup2(reads, 3)
            os.dup2(writes, 4)

        self.errors = open(os.path.join(self.home, "stderr"), "wb")
        self.process = subprocess.Popen(
            [path, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars", "--no-first-run",
             "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-extensions",
             "--host-resolver-rules=MAP * ~NOTFOUND", "--proxy-server=http://127.0.0.1:9", "--remote-debugging-pipe",
             f"--user-data-dir={self.home}/profile", "about:blank"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=self.errors, preexec_fn=hand_over, close_fds=False,
            env=dict(os.environ, HOME=self.home, XDG_CONFIG_HOME=self.home, XDG_CACHE_HOME=self.home))
        for each in (to_browser, from_browser, reads, writes):
            os.close(each)
        self.out, self.into, self.buffer, self.number, self.events = to_us, from_us, b"", 0, []

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        os.close(self.out)
        os.close(self.into)
        self.errors.close()
        shutil.rmtree(self.home, ignore_errors=True)

    def _message(self, until):
        while b"\0" not in self.buffer:
            left = until - time.monotonic()
            if left <= 0 or not select.select([self.out], [], [], left)[0]:
                raise Failed("the browser says nothing")
            more = os.read(self.out, 1 << 20)
            if not more:
                with open(self.errors.name, "rb") as file:
                    raise Failed("the browser has gone: " + file.read().decode(errors="replace")[-2000:])
            self.buffer += more
        message, _, self.buffer = self.buffer.partition(b"\0")
        return json.loads(message)

    def call(self, method, session=None, **parameters):
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters}
        if session:
            message["sessionId"] = session
        os.write(self.into, json.dumps(message).encode() + b"\0")
        until = time.monotonic() + PATIENCE
        while True:
            answer = self._message(until)
            if answer.get("id") == self.number:
                if "error" in answer:
                    raise Failed(f"{method}: {answer['error']}")
                return answer["result"]
            if "method" in answer:
                self.events.append(answer)

    def wait_for(self, method, session):
        until = time.monotonic() + PATIENCE
        while True:
            for event in self.events:
                if event["method"] == method and event.get("sessionId") == session:
                    return
            message = self._message(until)
            if "method" in message:
                self.events.append(message)


class Page:
    """One page in the browser."""

    def __init__(self, chromium, width=1280, height=900, dark=False, script=True):
        self.chromium = chromium
        self.target = chromium.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = chromium.call("Target.attachToTarget", targetId=self.target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(domain + ".enable")
        self.size(width, height)
        self.media("screen", dark)
        if not script:
            self.call("Emulation.setScriptExecutionDisabled", value=True)

    def call(self, method, **parameters):
        return self.chromium.call(method, self.session, **parameters)

    def close(self):
        self.chromium.call("Target.closeTarget", targetId=self.target)

    def size(self, width, height):
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)

    def media(self, kind, dark=False):
        self.call("Emulation.setEmulatedMedia", media=kind,
                  features=[{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}])

    def go(self, path, fragment=""):
        self.chromium.events = []
        self.call("Page.navigate", url="file://" + path + fragment)
        self.chromium.wait_for("Page.loadEventFired", self.session)

    def run(self, expression):
        result = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in result:
            raise Failed(f"{expression[:200]}: {result['exceptionDetails']}")
        return result["result"].get("value")

    def complaints(self):
        """What the console says, and every request but that for the page itself and for data: addresses."""
        found, pages = [], set()
        for event in self.chromium.events:
            if event.get("sessionId") != self.session:
                continue
            what, parameters = event["method"], event["params"]
            if what == "Runtime.consoleAPICalled":
                found.append("console: " + json.dumps(parameters["args"]))
            elif what == "Runtime.exceptionThrown":
                found.append("exception: " + json.dumps(parameters["exceptionDetails"]))
            elif what == "Log.entryAdded":
                found.append("log: " + json.dumps(parameters["entry"]))
            elif what == "Network.requestWillBeSent":
                url = parameters["request"]["url"]
                pages.add(url.split("#")[0])
                if not url.startswith("data:") and (parameters.get("type") != "Document" or len(pages) > 1):
                    found.append("request: " + url)
        return found

    def click(self, expression):
        """With the mouse, in the middle of the element that the expression gives."""
        place = self.run(f"(() => {{ const e = {expression}; e.scrollIntoView({{block: 'center'}}); "
                         "const r = e.getBoundingClientRect(); return [r.left + r.width / 2, r.top + Math.min(r.height / 2, 12)]; })()")
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, x=place[0], y=place[1], button="left", clickCount=1)

    def key(self, key, text=""):
        for kind in ("keyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key=key, **({"text": text} if text and kind == "keyDown" else {}))

    def type(self, text):
        self.call("Input.insertText", text=text)

    def screenshot(self, path, whole=True):
        data = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=whole)["data"]
        with open(path, "wb") as file:
            file.write(base64.b64decode(data))

    def pdf(self):
        return base64.b64decode(self.call("Page.printToPDF", preferCSSPageSize=True)["data"])
