"""What tests of pages share: headless Chromium, and scripts in a page that use it and tell what they saw."""

import html
import json
import os
import re
import shutil
import subprocess
import sys

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
LIMIT = 120  # seconds

# At the page's beginning: collects what is wrong, with the errors of any script.
WATCH = r"""
const problems = [], seen = {};
const report = () => { document.documentElement.dataset.result = JSON.stringify({problems, seen}); };
const complain = problem => { problems.push(problem); report(); };
window.onerror = (message, file, line) => complain(`script error: ${message} (line ${line})`);
window.onunhandledrejection = event => complain(`script error: ${event.reason}`);
console.error = (...words) => complain("console: " + words.join(" "));
const check = (ok, what) => { if (!ok) problems.push(what); };
"""


def find_browser(test):
    """The browser; where there is none the test is skipped, unless CI is set."""
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        print(f"{test}: there is no Chromium")
        sys.exit(1 if os.environ.get("CI") else 77)
    return browser


def with_scripts(page, use):
    """The text of a page that is watched, and used by a script at its end."""
    if "</body>" not in page:
        raise ValueError("the page has no end")
    page = page.replace("<head>", f"<head><script>{WATCH}</script>", 1)
    return page.replace("</body>", f"<script>{{{use}}}</script></body>")


def browse(browser, page, folder, size="1400,900"):
    """Opens the file of a page with scripts; what these have seen: {"problems": [..], "seen": {..}}."""
    # Root needs --no-sandbox; /dev/shm is small in containers.
    command = [browser, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
               f"--window-size={size}", "--virtual-time-budget=10000", f"--user-data-dir={folder / 'profile'}",
               "--dump-dom", page.as_uri()]
    environment = {**os.environ, "HOME": str(folder), "XDG_CONFIG_HOME": str(folder), "XDG_CACHE_HOME": str(folder)}
    done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT, env=environment)
    if done.returncode != 0:
        raise RuntimeError(f"{browser} ended with {done.returncode}: {done.stderr[-2000:]}")
    found = re.search(r'data-result="([^"]*)"', done.stdout)
    if not found:
        raise RuntimeError(f"the page was not used; it is {done.stdout[:3000]!r}")
    return json.loads(html.unescape(found[1]))
