#!/usr/bin/env python3
"""Looks at captive-portal pages as a guest's phone would, in Chromium and in WebKitGTK.

    look.py [--only chromium|webkit] [--shots DIR] [--deadline SECONDS] PAGE…

PAGE is a folder (every .html below it), an HTML file, or an http://127.0.0.1 address. Files are served
by this script from the loopback address, and every request is written down. Scripts are off in
Chromium and no other host can be reached. One JSON object on standard output; exit 0 without faults, 1
with faults, 2 when the looking itself could not be done. Needs only Python's standard library, and:
chromedriver and chromium; WebKitWebDriver (webkit2gtk-driver) and Xvfb (xvfb); axe-core in
$CAISHI_NODE/portal (npm ci in a copy of this folder's package.json and package-lock.json).
"""

import argparse
import base64
import contextlib
import ctypes
import http.server
import json
import os
import pathlib
import re
import select
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
import zlib

NODE = pathlib.Path(os.environ.get("CAISHI_NODE") or pathlib.Path.home() / ".cache/caishi/node")
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
ZOOM_200 = 3.8017840169239308  # Chromium's zoom level is the logarithm to base 1.2
COMMAND_SECONDS = 60
CANARY = (
    "<!doctype html><meta charset=utf-8><title>off</title><noscript>off</noscript>"
    "<script>document.title='on'</script>"
)

# What a page measures by itself, at whatever size it is shown. Runs as a WebDriver script, which works
# in a page whose own scripts are off. `faults` fail, `notes` are only told.
MEASURE = r"""
const want = arguments[0], faults = [], notes = [];
const root = document.documentElement, scroller = document.scrollingElement || root;
const width = root.clientWidth, height = window.innerHeight;
const name = e => {
  let n = e.tagName.toLowerCase();
  if (e.id) n += '#' + e.id;
  else if (e.classList.length) n += '.' + [...e.classList].join('.');
  const p = e.parentElement;
  return (p && p !== document.body && p !== root ? p.tagName.toLowerCase() +
    (p.classList.length ? '.' + p.classList[0] : '') + ' > ' : '') + n;
};
const say = e => { const t = (e.innerText || e.textContent || '').trim().replace(/\s+/g, ' ');
  return name(e) + (t ? ' “' + t.slice(0, 24) + '”' : ''); };
const tell = r => [r.left, r.top, r.right, r.bottom].map(Math.round).join(',');
const unseen = e => {
  if (!e.checkVisibility({visibilityProperty: true, opacityProperty: true, contentVisibilityAuto: true})) return true;
  for (let p = e; p && p !== document.body; p = p.parentElement) {
    const s = getComputedStyle(p), r = p.getBoundingClientRect();
    if (/^inset\((50|100)%/.test(s.clipPath) || (r.width <= 1 && r.height <= 1 && s.overflow !== 'visible')) return true;
  }
  return false;
};
const once = new Set(), fault = t => { if (!once.has(t)) { once.add(t); faults.push(t); } };
const noted = t => { if (!once.has(t)) { once.add(t); notes.push(t); } };

if (want.head) {
  if (!document.title.trim()) fault('the title is empty');
  if (!(root.lang || '').trim()) fault('no lang on <html>');
  for (const e of document.querySelectorAll('script,iframe,object,embed,video,audio,base,link,meta[http-equiv=refresh i]'))
    fault('has <' + e.tagName.toLowerCase() + '>, which a portal page may not need');
  for (const e of document.querySelectorAll('*'))
    for (const a of e.attributes)
      if (/^on/i.test(a.name) || /^\s*javascript:/i.test(a.value)) fault('has a script in ' + name(e) + ' ' + a.name);
}
// A quiz ends with its button, and a page to read may have none.
if (want.button && document.querySelector('form:not(:has(input[type=radio]))')) {
  const b = document.querySelector('button,input[type=submit],input[type=button],[role=button]');
  if (!b) fault('no button');
  else {
    const r = b.getBoundingClientRect();
    const at = document.elementFromPoint((r.left + r.right) / 2, (r.top + r.bottom) / 2);
    if (r.top < 0 || r.left < 0 || r.bottom > height + .5 || r.right > width + .5)
      fault('the first button is not wholly on the first screen: ' + tell(r) + ' of ' + width + 'x' + height);
    else if (!(at && (at === b || b.contains(at)))) fault('the first button is covered by ' + (at ? say(at) : 'nothing'));
    if (r.bottom > 460) noted('the first button ends at ' + Math.round(r.bottom) + ' px: below a small sign-in window (460 px)');
  }
}
if (want.h1) {
  const h = document.querySelector('h1');
  if (!h) fault('no h1');
  else {
    const r = h.getBoundingClientRect();
    if (unseen(h) || r.width < 1 || r.height < 1 || !h.innerText.trim()) fault('the h1 is not to be seen');
    else if (r.top < 0 || r.bottom > height || r.left < 0 || r.right > width + .5)
      fault('the h1 is not wholly on the first screen: ' + tell(r) + ' of ' + width + 'x' + height);
    else { const at = document.elementFromPoint(r.left + 10, (r.top + r.bottom) / 2);
      if (!(at && (at === h || h.contains(at)))) fault('the h1 is covered by ' + (at ? say(at) : 'nothing')); }
  }
}
if (want.open) for (const d of document.querySelectorAll('details')) d.open = true;

if (want.text) {
  // As a phone's own large-text setting does: every letter larger, every box as wide as before.
  const all = [...document.body.querySelectorAll('*')].map(e => [e, parseFloat(getComputedStyle(e).fontSize)]);
  for (const [e, px] of all) e.style.setProperty('font-size', px * want.text + 'px', 'important');
}
if (scroller.scrollWidth > scroller.clientWidth) {
  let wide = null, most = width;
  for (const e of document.body.querySelectorAll('*')) {
    const r = e.getBoundingClientRect();
    if (r.right > most + .5 && !unseen(e)) { most = r.right; wide = e; }
  }
  fault('scrolls sideways: ' + scroller.scrollWidth + ' px of ' + scroller.clientWidth + (wide ? ', because of ' + say(wide) : ''));
}
if (want.boxes) {
  for (const e of document.querySelectorAll('a[href],button,input:not([type=hidden]),select,textarea,summary,[role=button],[role=link],[tabindex]')) {
    if (unseen(e)) continue;
    const r = e.getBoundingClientRect(), w = Math.round(r.width * 10) / 10, h = Math.round(r.height * 10) / 10;
    if (w < 24 || h < 24) fault('too small to touch: ' + say(e) + ' is ' + w + 'x' + h);
    else if (w < 44 || h < 44) noted('below 44 px: ' + say(e) + ' is ' + w + 'x' + h);
  }
}
const lines = [], walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
for (let n; (n = walker.nextNode());) {
  const e = n.parentElement;
  if (!n.data.trim() || /^(script|style|noscript|title)$/i.test(e.tagName) || unseen(e)) continue;
  const px = parseFloat(getComputedStyle(e).fontSize);
  if (want.letters && px < 16) {
    if (e.closest('main') || !document.querySelector('main')) fault('letters of ' + px + ' px: ' + say(e));
    else noted('letters of ' + px + ' px: ' + say(e));
  }
  const range = document.createRange();
  range.selectNodeContents(n);
  for (const r of range.getClientRects()) if (r.width > 1 && r.height > 1) lines.push([r, e]);
}
if (want.letters && parseFloat(getComputedStyle(document.body).fontSize) < 16)
  fault('the body text is ' + getComputedStyle(document.body).fontSize);
for (const [r, e] of lines) {
  const below = r.height * .25;
  if (r.left < -1 || r.right > width + 1) fault('text runs off the page: ' + say(e) + ' at ' + tell(r) + ' of ' + width);
  for (let p = e; p && p !== document.body; p = p.parentElement) {
    const s = getComputedStyle(p);
    if (s.overflowX === 'visible' && s.overflowY === 'visible' || s.display === 'inline') continue;
    const b = p.getBoundingClientRect();
    if (s.overflowX !== 'visible' && (r.left < b.left - 1 || r.right > b.right + 1) ||
        s.overflowY !== 'visible' && (r.top < b.top - below || r.bottom > b.bottom + below))
      fault('text is cut off: ' + say(e) + ' at ' + tell(r) + ' in ' + name(p) + ' at ' + tell(b));
  }
}
for (let i = 0; i < lines.length; i++) for (let j = i + 1; j < lines.length; j++) {
  const [a, e] = lines[i], [b, f] = lines[j];
  if (e === f || e.contains(f) && a.bottom === b.bottom) continue;
  const x = Math.min(a.right, b.right) - Math.max(a.left, b.left);
  const y = Math.min(a.bottom - a.height / 4, b.bottom - b.height / 4) - Math.max(a.top + a.height / 4, b.top + b.height / 4);
  if (x > 2 && y > 2) fault('text lies over text: ' + say(e) + ' and ' + say(f));
}
for (const i of document.images) {
  if (unseen(i)) continue;
  if (i.complete && !i.naturalWidth) fault('a picture does not show: ' + name(i));
  const b = i.getBoundingClientRect();
  for (const [a, e] of lines) {
    const x = Math.min(a.right, b.right) - Math.max(a.left, b.left);
    const y = Math.min(a.bottom - a.height / 4, b.bottom) - Math.max(a.top + a.height / 4, b.top);
    if (x > 2 && y > 2) fault('a picture lies over text: ' + name(i) + ' at ' + tell(b) + ' and ' + say(e) + ' at ' + tell(a));
  }
}
const top = document.querySelector('h1');
const box = top && top.getBoundingClientRect();
return {faults, notes, width, height: Math.max(scroller.scrollHeight, height),
  h1: box && [box.left, box.top, box.right, box.bottom].map(Math.round)};
"""

# axe-core waits with timers, and a page whose scripts are off has none that fire: a promise does.
AXE_TIMERS = (
    "window.setTimeout = function (f) { const rest = [].slice.call(arguments, 2);"
    "Promise.resolve().then(() => f.apply(null, rest)); return 1; };\n"
)
AXE_RUN = """
for (const d of document.querySelectorAll('details')) d.open = true;
return axe.run(document, {runOnly: {type: 'tag', values: arguments[0]}, preload: false}).then(r => {
  const tell = all => all.map(v => ({id: v.id, impact: v.impact, help: v.help, nodes: v.nodes.slice(0, 4).map(n =>
    n.target.join(' ') + ': ' + (n.failureSummary || '').replace(/\\s+/g, ' ').slice(0, 300)), count: v.nodes.length}));
  return {violations: tell(r.violations), incomplete: tell(r.incomplete), passes: r.passes.length};
});
"""


class Unable(Exception):
    """The looking itself could not be done."""


class OutOfTime(BaseException):
    """The deadline has passed."""


# The server.


class Server(http.server.ThreadingHTTPServer):
    """Serves the pages from the loopback address and writes down every request."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.pages = {"/canary.html": CANARY.encode()}
        self.asked = []
        self.lock = threading.Lock()
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def origin(self):
        return f"http://127.0.0.1:{self.server_port}"

    def take(self):
        with self.lock:
            asked, self.asked = self.asked, []
        return asked

    def handle_error(self, request, client_address):
        pass


class Handler(http.server.BaseHTTPRequestHandler):
    timeout = 20

    def answer(self):
        with self.server.lock:
            self.server.asked.append(f"{self.command} {self.path}")
        path, _, query = self.path.partition("?")
        body = self.server.pages.get(path) if self.command == "GET" else None
        if path == "/frame.html":
            want = dict(urllib.parse.parse_qsl(query))
            body = (
                '<!doctype html><html lang="zh-CN"><head><meta charset="utf-8"><title>frame</title>'
                "<style>:root{color-scheme:light dark}body{margin:0}iframe{display:block;border:0}</style></head>"
                f'<body><iframe src="{want["page"]}" width="{int(want["w"])}" height="{int(want["h"])}"></iframe></body></html>'
            ).encode()
        self.send_response(200 if body is not None else 404)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Cache-Control", "no-store")
        self.send_header("Content-Length", str(len(body or b"")))
        self.end_headers()
        self.wfile.write(body or b"")

    do_GET = do_HEAD = do_POST = do_OPTIONS = do_CONNECT = answer

    def log_message(self, *_):
        pass


# WebDriver.


class Driver:
    """A WebDriver server and its one session."""

    def __init__(self, command, environ, scratch):
        if not shutil.which(command[0]):
            raise Unable(f"{command[0]} is not there")
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            port = s.getsockname()[1]
        self.base = f"http://127.0.0.1:{port}"
        self.session = None
        self.log = open(scratch / f"{command[0]}.log", "ab")
        self.process = subprocess.Popen(
            [*command, f"--port={port}"], env=environ, cwd=scratch, start_new_session=True,
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log,
        )
        started = time.monotonic()
        while True:
            if self.process.poll() is not None or time.monotonic() - started > 20:
                self.end()
                raise Unable(f"{command[0]} did not start")
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", port), 1).close()
                return
            time.sleep(0.1)

    def ask(self, method, path, body=None, seconds=COMMAND_SECONDS):
        request = urllib.request.Request(
            self.base + path, method=method, headers={"Content-Type": "application/json; charset=utf-8"},
            data=None if method != "POST" else json.dumps(body or {}).encode(),
        )
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=seconds) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            text = error.read().decode(errors="replace")
            try:
                value = json.loads(text)["value"]
                text = f'{value["error"]}: {value["message"]}'
            except (ValueError, KeyError, TypeError):
                pass
            raise RuntimeError(f"{path.rsplit('/', 1)[-1]}: {text.splitlines()[0][:300]}") from None

    def begin(self, capabilities):
        self.session = "/session/" + self.ask("POST", "/session", {"capabilities": {"alwaysMatch": capabilities}})["sessionId"]
        self.post("timeouts", {"script": 30000, "pageLoad": 20000, "implicit": 0})

    def post(self, path, body=None):
        return self.ask("POST", f"{self.session}/{path}", body)

    def get(self, path):
        return self.ask("GET", f"{self.session}/{path}")

    def go(self, address):
        self.post("url", {"url": address})

    def run(self, script, *args):
        return self.post("execute/sync", {"script": script, "args": list(args)})

    def cdp(self, command, **params):
        return self.post("goog/cdp/execute", {"cmd": command, "params": params})

    def end(self):
        if self.session:
            with contextlib.suppress(Exception):
                self.ask("DELETE", self.session, seconds=10)
            self.session = None
        end(self.process)
        self.log.close()


def end(process):
    """Ends a process we started, and its group."""
    if process.poll() is None:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(5)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def end_left_over(scratch):
    """Ends what our drivers have left running: processes that carry this run's folder in their environment."""
    mark = f"CAISHI_LOOK={scratch}".encode()
    for _ in range(5):
        left = []
        for folder in pathlib.Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                if int(folder.name) != os.getpid() and mark in (folder / "environ").read_bytes().split(b"\0"):
                    left.append(int(folder.name))
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        if not left:
            return
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.2)


def environment(scratch, **more):
    keep = {k: v for k, v in os.environ.items() if not k.lower().endswith("_proxy") and k not in ("DISPLAY", "WAYLAND_DISPLAY", "GTK_THEME")}
    return keep | {"CAISHI_LOOK": str(scratch), "HOME": str(scratch), "TMPDIR": str(scratch),
                   "XDG_CONFIG_HOME": str(scratch), "XDG_DATA_HOME": str(scratch), "XDG_RUNTIME_DIR": str(scratch),
                   "XDG_CACHE_HOME": str(scratch)} | more


# The looks.


class Page:
    def __init__(self, name, address, slug):
        self.name, self.address, self.slug = name, address, slug
        self.faults, self.notes, self.shots = [], [], []

    def add(self, where, measured):
        for kind in ("faults", "notes"):
            for text in measured[kind]:
                getattr(self, kind).append(f"{where}: {text}")

    def save(self, shots, what, picture):
        if shots:
            to = shots / f"{self.slug}.{what}.png"
            to.write_bytes(base64.b64decode(picture))
            self.shots.append(str(to))

    def told(self):
        return {"page": self.name, "faults": self.faults, "notes": self.notes, "screenshots": self.shots}


def strange_requests(asked, allowed):
    """The requests that no portal page may cause."""
    return [r for r in asked if r not in allowed and not r.startswith("GET /favicon.ico")]


def colours(png, left, top, right, bottom):
    """How many colours a part of a screenshot has."""
    at, data, width, height, depth, kind, interlace = 8, b"", 0, 0, 0, 0, 0
    while at < len(png):
        length, chunk = struct.unpack(">I4s", png[at:at + 8])
        body = png[at + 8:at + 8 + length]
        if chunk == b"IHDR":
            width, height, depth, kind, _, _, interlace = struct.unpack(">IIBBBBB", body)
        elif chunk == b"IDAT":
            data += body
        at += 12 + length
    if depth != 8 or kind not in (2, 6) or interlace:
        raise ValueError("a screenshot of an unknown form")
    size = 3 if kind == 2 else 4
    raw, stride, seen = zlib.decompress(data), width * size, set()
    above = bytearray(stride)
    for y in range(max(0, min(bottom, height))):
        form, row = raw[y * (stride + 1)], bytearray(raw[y * (stride + 1) + 1:(y + 1) * (stride + 1)])
        for i in range(stride if form else 0):
            a, b, c = (row[i - size], above[i], above[i - size]) if i >= size else (0, above[i], 0)
            if form == 1:
                add = a
            elif form == 2:
                add = b
            elif form == 3:
                add = (a + b) // 2
            else:
                near = [abs(b - c), abs(a - c), abs(a + b - 2 * c)]
                add = a if near[0] <= near[1] and near[0] <= near[2] else b if near[1] <= near[2] else c
            row[i] = (row[i] + add) & 255
        if y >= top:
            seen.update(bytes(row[x * size:x * size + 3]) for x in range(max(left, 0), min(right, width)))
        above = row
    return len(seen)


def each(pages, engine, look, tries=1):
    for page in pages:
        for left in reversed(range(tries)):
            found = len(page.faults)
            try:
                look(page)
                break
            except (RuntimeError, OSError, ValueError, KeyError, TypeError) as error:
                # A browser that does not answer, not a page that is bad: what it said so far goes.
                del page.faults[found:]
                if left == 0:
                    page.faults.append(f"{engine}: could not be looked at: {error}")


ALL = {"boxes": True, "open": True}
# name, width, height, scale, mobile, media, dark, what to measure, axe
LOOKS = [
    ("320", 320, 640, 1, True, "", False, ALL | {"head": True, "letters": True, "button": True, "h1": True}, False),
    ("360-dark", 360, 740, 2, True, "", True, ALL, True),
    ("360-light", 360, 740, 2, True, "", False, ALL | {"letters": True}, True),
    ("320-at-2", 320, 640, 2, False, "", False, ALL, False),
    ("print", 794, 1123, 1, False, "print", False, {}, False),
    ("print-narrow", 320, 640, 1, False, "print", False, {}, False),
    ("text-130", 360, 740, 1, True, "", False, {"open": True, "text": 1.3}, False),
    ("text-200", 360, 740, 1, True, "", False, {"open": True, "text": 2}, False),
]


def chromium_session(driver, scratch, profile, prefs):
    driver.begin({
        "browserName": "chrome",
        "goog:loggingPrefs": {"performance": "ALL"},
        "goog:chromeOptions": {
            "prefs": {"profile.managed_default_content_settings.javascript": 2} | prefs,
            "perfLoggingPrefs": {"enableNetwork": True, "enablePage": False},
            "args": [
                "--headless=new", "--disable-dev-shm-usage", "--disable-gpu", "--no-first-run",
                "--disable-background-networking", "--disable-component-update", "--disable-sync",
                "--disable-extensions", "--no-proxy-server", "--window-size=640,1280", "--lang=zh-CN",
                f"--user-data-dir={scratch / profile}",
                "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
                *(["--no-sandbox"] if os.geteuid() == 0 else []),
            ],
        },
    })


def scripts_are_off(driver, server):
    driver.go(server.origin + "/canary.html")
    if driver.run("return [document.title, document.body.innerText.trim()]") != ["off", "off"]:
        raise Unable("the page's scripts are not off in Chromium")
    driver.post("se/log", {"type": "performance"})
    server.take()


def browser_requests(driver, address):
    """What the browser tried to fetch since the last time, apart from the page itself. A request that
    the page's own policy stopped counts too: the page asked for it."""
    strange = []
    for line in driver.post("se/log", {"type": "performance"}):
        message = json.loads(line["message"])["message"]
        if message["method"] == "Network.requestWillBeSent":
            url = message["params"]["request"]["url"]
        elif message["method"] == "Network.webSocketCreated":
            url = message["params"]["url"]
        else:
            continue
        url = url.partition("#")[0]
        if url != address and not re.match(r"(data|about|blob|chrome|devtools)\b", url) and not url.endswith("/favicon.ico"):
            strange.append(url)
    return strange


def chromium(pages, server, shots, scratch):
    axe = NODE / "portal/node_modules/axe-core/axe.min.js"
    if not axe.is_file():
        raise Unable(f"{axe} is not there: npm ci")
    axe = AXE_TIMERS + axe.read_text(encoding="utf-8")
    driver = Driver(["chromedriver"], environment(scratch), scratch)
    try:
        chromium_session(driver, scratch, "profile", {})
        scripts_are_off(driver, server)

        def requests(page, where):
            path = urllib.parse.urlsplit(page.address).path
            for url in browser_requests(driver, page.address):
                page.faults.append(f"{where}: asks for {url[:200]}")
            for asked in strange_requests(server.take(), {f"GET {path}"}):
                page.faults.append(f"{where}: the server was asked: {asked[:200]}")

        def look(page):
            for name, width, height, scale, mobile, media, dark, want, rules in LOOKS:
                where = f"chromium {name}"
                driver.cdp("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=scale, mobile=mobile)
                driver.cdp("Emulation.setEmulatedMedia", media=media, features=[
                    {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}])
                driver.go(page.address)
                if name == "320":
                    page.save(shots, "chromium-320-first", driver.cdp("Page.captureScreenshot", format="png")["data"])
                measured = driver.run(MEASURE, want)
                if name.startswith("text"):  # told, not judged: WCAG is met by zooming
                    measured["notes"], measured["faults"] = measured["faults"], []
                page.add(where, measured)
                page.save(shots, f"chromium-{name}", driver.cdp(
                    "Page.captureScreenshot", format="png", captureBeyondViewport=True,
                    clip={"x": 0, "y": 0, "width": width, "height": min(measured["height"], 8000), "scale": 1})["data"])
                if rules:
                    driver.run(axe)
                    found = driver.run(AXE_RUN, TAGS)
                    if not found["passes"]:
                        raise RuntimeError("axe-core has checked nothing")
                    for v in found["violations"]:
                        page.faults.append(f"{where}: axe {v['id']} ({v['impact']}, {v['count']}): {v['help']}: {' | '.join(v['nodes'])}")
                    for v in found["incomplete"]:
                        page.notes.append(f"{where}: axe cannot tell: {v['id']} ({v['count']}): {v['help']}: {' | '.join(v['nodes'])}")
                requests(page, where)

        each(pages, "chromium", look)
        driver.ask("DELETE", driver.session)
        driver.session = None

        # The browser's own zoom, which a page cannot tell from a narrow screen with large pixels.
        chromium_session(driver, scratch, "zoomed", {"partition": {"default_zoom_level": {"x": ZOOM_200}}})
        scripts_are_off(driver, server)

        def zoomed(page):
            driver.go(page.address)
            if driver.run("return devicePixelRatio") != 2:
                raise Unable("Chromium does not zoom to 200 %")
            page.add("chromium zoom-200", driver.run(MEASURE, ALL))
            page.save(shots, "chromium-zoom-200", driver.get("screenshot"))
            requests(page, "chromium zoom-200")

        each(pages, "chromium", zoomed)
    finally:
        driver.end()


def mini_browser():
    for folder in [*pathlib.Path("/usr/lib").glob("*/webkit2gtk-4.*"), *pathlib.Path("/usr/libexec").glob("webkit2gtk-4.*")]:
        if (folder / "MiniBrowser").exists():
            return str(folder / "MiniBrowser")
    raise Unable("WebKitGTK's MiniBrowser is not there")


def screen(scratch):
    """A display of our own: WebKitGTK has no headless way of running."""
    if not shutil.which("Xvfb"):
        raise Unable("Xvfb is not there")
    process = subprocess.Popen(
        ["Xvfb", "-displayfd", "1", "-screen", "0", "1000x2700x24", "-nolisten", "tcp"], env=environment(scratch),
        start_new_session=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    )
    ready, _, _ = select.select([process.stdout], [], [], 20)
    number = process.stdout.readline().decode().strip() if ready else ""
    if not number.isdigit():
        end(process)
        raise Unable("Xvfb did not start")
    return process, f":{number}"


def webkit_driver(server, scratch, number, command):
    """A browser that has shown a page. One that does not come up in time, as on a busy machine, is begun again."""
    proxy = server.origin.removeprefix("http://")
    for left in reversed(range(3)):
        # Without DMABUF: with it, a screenshot of an element comes out black on a display without a GPU.
        driver = Driver(["WebKitWebDriver"], environment(scratch, DISPLAY=number, GDK_BACKEND="x11", NO_AT_BRIDGE="1", GSETTINGS_BACKEND="memory", WEBKIT_DISABLE_DMABUF_RENDERER="1"), scratch)
        try:
            driver.begin({
                # Whatever is not on the loopback address comes to our server, which writes it down.
                "proxy": {"proxyType": "manual", "httpProxy": proxy, "sslProxy": proxy, "noProxy": ["127.0.0.1"]},
                "webkitgtk:browserOptions": {"binary": command[0], "args": command[1:]},
            })
            driver.post("window/rect", {"x": 0, "y": 0, "width": 900, "height": 2600})
            driver.go("about:blank")
            return driver
        except (RuntimeError, OSError):
            driver.end()
            if left == 0:
                raise


def webkit(pages, server, shots, scratch):
    binary = mini_browser()
    display, number = screen(scratch)
    try:
        for scheme, more in (("light", []), ("dark", ["--dark-mode"])):
            driver = webkit_driver(server, scratch, number, [binary, "--automation", *more])
            try:
                server.take()

                def look(page):
                    # MiniBrowser's tool bar keeps its window wider than a phone, so the page is put in a frame.
                    path = urllib.parse.urlsplit(page.address).path
                    own = page.address.startswith(server.origin + "/")
                    for width, height in ((320, 640), (360, 2400)):
                        where = f"webkit {width}-{scheme}"
                        frame = "/frame.html?" + urllib.parse.urlencode({"page": path if own else page.address, "w": width, "h": height})
                        server.take()
                        driver.go(server.origin + frame)
                        driver.post("frame", {"id": 0})
                        seen = driver.run("return [innerWidth, matchMedia('(prefers-color-scheme: dark)').matches]")
                        if seen != [width, scheme == "dark"]:
                            raise RuntimeError(f"shown at {seen}")
                        first = height == 640
                        measured = driver.run(MEASURE, {"h1": first, "button": first, "boxes": True, "open": not first})
                        page.add(where, measured)
                        driver.post("frame", {"id": None})
                        element = driver.post("element", {"using": "css selector", "value": "iframe"})
                        picture = driver.get(f"element/{next(iter(element.values()))}/screenshot")
                        page.save(shots, f"webkit-{width}-{scheme}", picture)
                        if first and measured["h1"] and colours(base64.b64decode(picture), *measured["h1"]) < 2:
                            page.faults.append(f"{where}: the h1 is one plain colour on the screenshot")
                        for asked in strange_requests(server.take(), {f"GET {path}", f"GET {frame}"}):
                            page.faults.append(f"{where}: the server was asked: {asked[:200]}")

                each(pages, "webkit", look, tries=3)
            finally:
                driver.end()
    finally:
        end(display)
        display.stdout.close()


def collect(given, server):
    pages, slugs = [], set()

    def add(name, address, slug):
        slug = re.sub(r"[^0-9A-Za-z]+", "-", slug).strip("-") or "page"
        while slug in slugs:
            slug += "-"
        slugs.add(slug)
        pages.append(Page(name, address, slug))

    for one in given:
        if re.match(r"https?:", one):
            parts = urllib.parse.urlsplit(one)
            if parts.scheme != "http" or parts.hostname != "127.0.0.1":
                raise Unable(f"{one} is not an http://127.0.0.1 address")
            add(one, one.partition("#")[0], parts.path)
            continue
        path = pathlib.Path(urllib.parse.unquote(urllib.parse.urlsplit(one).path) if one.startswith("file:") else one)
        files = sorted(path.rglob("*.html")) if path.is_dir() else [path]
        if not files:
            raise Unable(f"{path} holds no .html")
        for file in files:
            served = f"/{len(server.pages)}/page.html"
            server.pages[served] = file.read_bytes()
            add(str(file), server.origin + served, str(file.relative_to(path)) if path.is_dir() else str(file))
    return pages


def main():
    parser = argparse.ArgumentParser(description="Looks at captive-portal pages in Chromium and WebKitGTK.")
    parser.add_argument("pages", nargs="+", metavar="PAGE", help="a folder, an HTML file or an http://127.0.0.1 address")
    parser.add_argument("--only", choices=["chromium", "webkit"])
    parser.add_argument("--shots", metavar="DIR", type=pathlib.Path, help="where the screenshots go")
    parser.add_argument("--deadline", metavar="SECONDS", type=int, default=900)
    given = parser.parse_args()

    def late(*_):
        raise OutOfTime

    def stopped(number, _):
        raise SystemExit(128 + number)

    signal.signal(signal.SIGALRM, late)
    signal.signal(signal.SIGTERM, stopped)
    signal.alarm(given.deadline)
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)  # PR_SET_CHILD_SUBREAPER: a browser whose driver is gone comes to us
    scratch = pathlib.Path(tempfile.mkdtemp(prefix="caishi-look-"))
    trouble, pages = None, []
    try:
        if given.shots:
            given.shots.mkdir(parents=True, exist_ok=True)
        server = Server()
        pages = collect(given.pages, server)
        if given.only != "webkit":
            chromium(pages, server, given.shots, scratch)
        if given.only != "chromium":
            webkit(pages, server, given.shots, scratch)
    except OutOfTime:
        trouble = f"not done after {given.deadline} seconds"
    except (Unable, RuntimeError, OSError) as error:
        trouble = str(error)
    finally:
        signal.alarm(0)
        end_left_over(scratch)
        shutil.rmtree(scratch, ignore_errors=True)
    told = {"pages": [page.told() for page in pages]}
    if trouble:
        told["trouble"] = trouble
    json.dump(told, sys.stdout, ensure_ascii=False, indent=1)
    print()
    return 2 if trouble else int(any(page.faults for page in pages))


if __name__ == "__main__":
    sys.exit(main())
