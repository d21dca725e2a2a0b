#!/usr/bin/env python3
"""Drives the real viewer in a terminal of tmux, and looks at what the terminal shows and how it is left.

    terminal.py --tool BUILD/dvrtrace [CASE...]

tmux runs a server of its own on a socket in a folder of the test, which ends with it. A shell in the terminal prints its modes
(stty) before and after the viewer; they must be the same whichever way the viewer ended. Nothing here waits for a time to pass: it
waits for the screen to show something, and gives up after a while. Without tmux the test is skipped.
"""

import argparse
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import harness  # noqa: E402

PATIENCE = int(os.environ.get("DVRTRACE_PATIENCE", "60"))  # seconds; a sanitized build on a busy machine is slow
QUESTION = "from vm1 to vm2 -i fixtures/two-computes/hosts --neutron fixtures/two-computes/neutron"


class Wrong(Exception):
    pass


class Terminal:
    def __init__(self, tool, folder, term="screen-256color", size=(80, 24), locale="C.UTF-8"):
        self.socket = os.path.join(folder, "tmux")
        env = harness.environment(tool)
        env.update(TERM="xterm-256color", LC_ALL=locale, SHELL="/bin/sh", PS1="ready> ", ENV="", TMUX="")
        self.env = env
        config = os.path.join(folder, "tmux.conf")
        with open(config, "w", encoding="utf-8") as file:
            file.write(f"set -g default-terminal {term}\nset -g status off\nset -g mouse off\nset -s escape-time 10\n"
                       "set -s set-clipboard on\nset -g remain-on-exit on\n")
        self.tmux("-f", config, "new-session", "-d", "-x", str(size[0]), "-y", str(size[1]), "-c", harness.ROOT, "/bin/sh -i")
        self.wait_for("ready>")

    def tmux(self, *arguments):
        run = subprocess.run(["tmux", "-u", "-S", self.socket, *arguments], env=self.env, capture_output=True, text=True,
                             errors="backslashreplace", timeout=60, check=False)
        if run.returncode != 0:
            raise Wrong(f"tmux {' '.join(arguments)}: {run.stderr.strip()}")
        return run.stdout

    def close(self):
        subprocess.run(["tmux", "-S", self.socket, "kill-server"], env=self.env, capture_output=True, timeout=60, check=False)

    def screen(self):
        return self.tmux("capture-pane", "-p")

    def wait_for(self, *texts, absent=()):
        end = time.monotonic() + PATIENCE
        while True:
            shown = self.screen()
            if all(text in shown for text in texts) and not any(text in shown for text in absent):
                return shown
            if time.monotonic() > end:
                raise Wrong(f"the screen does not show {texts}{' without ' + str(absent) if absent else ''}:\n" + harness.indented(shown))
            time.sleep(0.05)

    def keys(self, *names):
        self.tmux("send-keys", *names)

    def type(self, text):
        self.tmux("send-keys", "-l", text)

    def answer(self, offered, text):
        """At a prompt: instead of the text that it offers, another."""
        self.keys(*["BSpace"] * len(offered))
        self.type(text)
        self.keys("Enter")

    def resize(self, columns, rows):
        self.tmux("resize-window", "-x", str(columns), "-y", str(rows))

    def run(self, line):
        self.type(line)
        self.keys("Enter")

    def view(self, line, ready="path"):
        """Starts the viewer between two prints of the terminal's modes; the status of the viewer follows the second."""
        self.run("clear; stty -g > before; dvrtrace view " + line.replace("fixtures/", "$FIXTURES/") +
                 "; s=$?; stty -g > after; cmp before after && echo modes-are-equal; echo status=$s.")
        self.wait_for(ready, absent=("ready>",))

    def ended(self, status):
        shown = self.wait_for("status=")
        for text in ("modes-are-equal", f"status={status}."):
            if text not in shown:
                raise Wrong(f"after the viewer there is no '{text}':\n" + harness.indented(shown))
        flags = self.tmux("display-message", "-p", "#{alternate_on} #{mouse_any_flag} #{keypad_cursor_flag} #{cursor_flag}").split()
        if flags != ["0", "0", "0", "1"]:
            raise Wrong(f"other screen, mouse, keypad, cursor: {flags}")
        self.type("echo echoed-$((40+2))")
        self.keys("Enter")
        self.wait_for("echoed-42")

    def pid(self):
        """Of the viewer, among what the terminal runs."""
        left = [self.tmux("display-message", "-p", "#{pane_pid}").strip()]
        while left:
            process = left.pop()
            with open(f"/proc/{process}/comm", encoding="utf-8") as file:
                if file.read().strip() == "dvrtrace":
                    return int(process)
            with open(f"/proc/{process}/task/{process}/children", encoding="ascii") as file:
                left += file.read().split()
        raise Wrong("the terminal runs no viewer")



def walks_every_hop(terminal):
    terminal.view(QUESTION)
    terminal.wait_for("Delivered: vm1 reaches vm2", "hop 1 of 12")
    for hop in range(2, 13):
        terminal.keys("Right")
        terminal.wait_for(f"hop {hop} of 12")
    terminal.keys("Right")  # there is no more
    terminal.keys("r")
    terminal.wait_for("hop 1 of 12", "VM vm2")
    for hop in range(2, 13):
        terminal.type(">")
        terminal.wait_for(f"hop {hop} of 12")
    terminal.keys("q")
    terminal.ended(0)


def searches(terminal):
    terminal.view(QUESTION)
    terminal.keys("/")
    terminal.wait_for("search:")
    terminal.type("set_field:0xe5be")
    terminal.keys("Enter")
    terminal.wait_for("hop 5 of 12", "set_field:0xe5be")
    terminal.keys("n")
    terminal.type("/nobody-has-this")
    terminal.keys("Enter")
    terminal.wait_for("nowhere on the path")
    terminal.keys("Q")
    terminal.ended(0)


def shows_what_lies_over_it(terminal):
    terminal.view(QUESTION)
    for key, title in (("?", "the next hop, step or line"), ("c", "counters and ages"), ("v", "Its crossings"), ("e", "is neither"), ("f", "findings")):
        terminal.keys(key)
        terminal.wait_for(title)
        terminal.keys("Escape")
        terminal.wait_for("path", "steps", absent=(title,))
    terminal.keys("Q")
    terminal.ended(0)


def follows_the_size(terminal):
    terminal.view(QUESTION)
    for columns, rows in ((120, 40), (40, 12), (20, 5), (100, 30), (80, 24)):
        terminal.resize(columns, rows)
        terminal.wait_for("path")
        end = time.monotonic() + PATIENCE
        while len(terminal.screen().rstrip("\n").split("\n")) < rows - 1 and time.monotonic() < end:
            time.sleep(0.05)
    terminal.wait_for("evidence", "search")
    terminal.keys("Q")
    terminal.ended(0)


def asks_what_if(terminal):
    terminal.view(QUESTION)
    terminal.keys("s")
    terminal.wait_for("Delivered: vm2 reaches vm1", "traced again")
    terminal.keys("u")
    terminal.wait_for("Delivered: vm1 reaches vm2")
    terminal.keys("p")
    terminal.answer("icmp", "udp/53")
    terminal.wait_for("UDP")
    terminal.keys("Right", "Tab", "w")
    terminal.wait_for("without 1 row")
    terminal.keys("Q")
    terminal.wait_for("status=")


def copies_and_saves(terminal):
    folder = os.path.dirname(terminal.socket)
    terminal.view(QUESTION)
    terminal.keys("Right", "Tab", "y")
    terminal.wait_for("copied")
    copied = terminal.tmux("show-buffer")  # tmux takes what a program in it copies
    if "table 60" not in copied:
        raise Wrong(f"the copy in the terminal is {copied!r}")
    terminal.keys("S")
    terminal.wait_for("save the view as")
    terminal.answer("view.txt", os.path.join(folder, "v.txt"))
    terminal.wait_for("saved as")
    terminal.keys("J")
    terminal.wait_for("save the trace as")
    terminal.answer("trace.json", os.path.join(folder, "t.json"))
    terminal.wait_for("t.json")
    terminal.keys("Q")
    terminal.ended(0)
    terminal.wait_for("table 60")  # what was copied is printed on leaving
    with open(os.path.join(folder, "v.txt"), encoding="utf-8") as file:
        if "Delivered: vm1 reaches vm2" not in file.read():
            raise Wrong("the saved view is not the view")
    terminal.view(os.path.join(folder, "t.json"))
    terminal.wait_for("Delivered: vm1 reaches vm2", "t.json")
    terminal.keys("q")
    terminal.ended(0)


def killed_by(number):
    def case(terminal):
        terminal.view(QUESTION)
        os.kill(terminal.pid(), number)
        terminal.ended(128 + number)
    return case


def crashes_by(number):
    def case(terminal):
        terminal.run("ulimit -c 0")
        terminal.view(QUESTION)
        os.kill(terminal.pid(), number)
        shown = terminal.wait_for("status=")
        if "modes-are-equal" not in shown:
            raise Wrong("after the crash the modes are others:\n" + harness.indented(shown))
        if terminal.tmux("display-message", "-p", "#{alternate_on} #{mouse_any_flag} #{cursor_flag}").split() != ["0", "0", "1"]:
            raise Wrong("after the crash the terminal still shows the viewer's screen")
    return case


def leaves_by_ctrl_c(terminal):
    terminal.view(QUESTION)
    terminal.keys("C-c")
    terminal.ended(0)


def stops_and_goes_on(terminal):
    terminal.run("stty -g > outside")
    terminal.view(QUESTION)
    terminal.keys("Right")
    terminal.wait_for("hop 2 of 12")
    terminal.keys("C-z")
    terminal.wait_for("ready>")
    terminal.run("clear; stty -g | cmp - outside && echo modes-while-stopped; echo c$((1+1))")
    terminal.wait_for("modes-while-stopped", "c2")
    terminal.run("fg")
    terminal.wait_for("hop 2 of 12")
    terminal.keys("Right")
    terminal.wait_for("hop 3 of 12")
    terminal.keys("Q")
    terminal.wait_for("ready>")
    terminal.run("clear; stty -g | cmp - outside && echo modes-at-the-end; echo c$((1+2))")
    terminal.wait_for("modes-at-the-end", "c3")


def shows_findings_and_ends(terminal):
    inputs = "-i fixtures/two-computes/hosts --neutron fixtures/two-computes/neutron"
    terminal.view("--check " + inputs, ready="findings")
    terminal.keys("q")
    terminal.wait_for("status=")
    terminal.view(inputs, ready="from where")
    terminal.type("vm1")
    terminal.keys("Enter")
    terminal.wait_for("to where")
    terminal.type("vm2")
    terminal.keys("Enter")
    terminal.wait_for("Delivered: vm1 reaches vm2")
    terminal.keys("q")
    terminal.ended(0)


def needs_no_unicode_and_no_colour(terminal):
    terminal.view(QUESTION)
    shown = terminal.wait_for("hop 1 of 12", ">vm1<")
    if any(ord(c) > 126 for c in shown):
        raise Wrong("beyond ASCII:\n" + harness.indented(shown))
    terminal.keys("j")
    terminal.wait_for(">br-int<")
    terminal.keys("q")
    terminal.ended(0)


CASES = {
    "hops": (walks_every_hop, {}),
    "search": (searches, {}),
    "overlays": (shows_what_lies_over_it, {}),
    "resize": (follows_the_size, {}),
    "what-if": (asks_what_if, {}),
    "copy": (copies_and_saves, {}),
    "ctrl-c": (leaves_by_ctrl_c, {}),
    "stop": (stops_and_goes_on, {}),
    "findings": (shows_findings_and_ends, {}),
    "plain": (needs_no_unicode_and_no_colour, {"term": "vt100", "locale": "C"}),
    "sigterm": (killed_by(signal.SIGTERM), {}),
    "sighup": (killed_by(signal.SIGHUP), {}),
    "sigsegv": (crashes_by(signal.SIGSEGV), {}),
    "sigabrt": (crashes_by(signal.SIGABRT), {}),
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tool", required=True)
    parser.add_argument("cases", nargs="*", metavar="CASE")
    options = parser.parse_args()
    if shutil.which("tmux") is None:
        print("skipped: tmux is not installed")
        return harness.SKIPPED
    wrong = 0
    for name in options.cases or CASES:
        case, settings = CASES[name]
        with tempfile.TemporaryDirectory(prefix="dvrtrace-tui-") as folder:
            terminal = None
            try:
                terminal = Terminal(options.tool, folder, **settings)
                terminal.run(f"cd {folder}")
                case(terminal)
                print(f"passed {name}")
            except (Wrong, subprocess.TimeoutExpired) as error:
                wrong += 1
                print(f"FAILED {name}: {error}")
            finally:
                if terminal is not None:
                    terminal.close()
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
