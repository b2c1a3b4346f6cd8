#!/usr/bin/env python3
"""Opens pages of `fourierformer report` in headless Chromium, as wide as a phone and as a screen: nothing may be wider
than the page, no script may fail, every picture must be there, and pointing at a chart shows its values.

Usage: report_page.py PROGRAM [FOLDER, for screenshots]. Exits with 77 (skipped) where there is no Chromium, unless CI
is set.
"""

import html
import subprocess
import sys
from pathlib import Path

from browser import LIMIT, browse, find_browser, with_scripts
from cli_case import Case

WIDTHS = (390, 1280)

# In the page, which is in a frame of a page's width.
USE = r"""
window.addEventListener("load", () => {
  for (const details of document.querySelectorAll("details")) details.open = true;
  const root = document.documentElement;
  seen.width = innerWidth;
  check(root.scrollWidth <= innerWidth, `the page is ${root.scrollWidth} wide, in a window of ${innerWidth}`);
  for (const element of document.querySelectorAll("main *, header *")) {
    if (element.closest(".scroll") || element.closest("svg svg, g")) continue;
    const {left, right} = element.getBoundingClientRect();
    check(left >= -0.5 && right <= innerWidth + 0.5,
          `${element.tagName}.${element.className} goes from ${left} to ${right}`);
  }
  for (const image of document.querySelectorAll("img"))
    check(image.naturalWidth > 0, `no picture: ${image.src.slice(0, 40)}`);
  seen.images = document.querySelectorAll("img").length;
  seen.maps = document.querySelectorAll("svg.maps image").length;
  seen.charts = [...document.querySelectorAll("svg.chart")].map(chart => chart.querySelector(".title").textContent);
  seen.curves = [...document.querySelectorAll(".curve")].map(curve => curve.dataset.name);
  seen.text = document.body.innerText;
  check(document.querySelector("main b, header b, main i") === null, "text of a file has become an element");
  for (const chart of document.querySelectorAll("svg.chart")) {
    const texts = [...chart.querySelectorAll("text")].map(text => text.getBoundingClientRect());
    const outer = chart.getBoundingClientRect();
    for (const [i, a] of texts.entries()) {
      check(a.left >= outer.left - 0.5 && a.right <= outer.right + 0.5, `a text of ${chart.ariaLabel} is cut off`);
      for (const b of texts.slice(0, i))
        check(a.left >= b.right || b.left >= a.right || a.top >= b.bottom - 2 || b.top >= a.bottom - 2,
              `texts of ${chart.ariaLabel} overlap`);
    }
    for (const path of chart.querySelectorAll("path"))
      check(!/NaN|inf/.test(path.getAttribute("d")), `${chart.ariaLabel} has a broken curve`);
  }
  // Pointing at the middle of a chart.
  const chart = document.querySelector("svg.chart"), place = chart.getBoundingClientRect();
  const tip = document.getElementById("tip");
  check(tip.hidden, "the values are shown before anybody points");
  const point = (type, at) => chart.dispatchEvent(new PointerEvent(
    type, {clientX: place.left + at * place.width, clientY: place.top + 50, bubbles: true}));
  point("pointermove", 0.5);
  check(!tip.hidden, "pointing at a chart shows nothing");
  seen.tip = tip.innerText;
  const where = tip.getBoundingClientRect();
  check(where.left >= 0 && where.right <= innerWidth, `the values are at ${where.left} to ${where.right}`);
  check(chart.querySelectorAll(".cursor").length === 1, "no line where the pointer is");
  point("pointermove", 0.99);
  seen.last = tip.innerText;
  point("pointerleave", 1);
  check(tip.hidden && chart.querySelector(".cursor") === null, "the values stay");
  dispatchEvent(new Event("beforeprint"));
  check(document.querySelector("details:not([open])") === null, "something is closed on paper");
  seen.done = true;
  report();
});
"""
# Around it: takes over what it saw.
FRAME = """<!doctype html><html><head></head><body style="margin: 0">
<iframe style="border: 0; width: {width}px; height: 900px" srcdoc="{page}"></iframe><script>
addEventListener("load", () => {{
  const page = document.querySelector("iframe").contentDocument;
  document.documentElement.dataset.result = page.documentElement.dataset.result;
}});
</script></body></html>"""


class Pages(Case):
    """Runs on data made here; not a test of unittest's."""

    def runTest(self):
        pass

    def make(self):
        self.setUp()
        images, texts = [], []
        for attention in ("fourier", "softmax"):
            for config, name, runs in ((self.vision, "images", images), (self.language, "<b>&\"'texts", texts)):
                run = self.runs / f"{name} {attention}"
                self.succeed("train", config, "--out", run, "--quiet", "--steps", 60, "--set",
                             f"model.attention={attention}", "train.log_interval=2", "train.eval_interval=10")
                runs.append(run)
        pages = {}
        shown = {"images": images, "image": images[:1], "texts": [*texts, "--prompt", "<i>line</i> 5"]}
        for name, arguments in shown.items():
            pages[name] = self.root / f"{name}.html"
            self.succeed("report", *arguments, "--out", pages[name])
        return pages


def check_seen(name, width, result):
    seen, problems = result["seen"], list(result["problems"])
    if "done" not in seen:
        return problems + ["the page was not used to its end"]
    if seen["width"] != width:
        problems.append(f"the page is {seen['width']} wide")
    titles = ["loss; thin: in training", "distance between heads", "learnt R", "learning rate"]
    titles.append("perplexity" if name == "texts" else "test accuracy")
    problems += [f"no chart of {title}" for title in titles if title not in seen["charts"]]
    runs = 1 if name == "image" else 2
    if name == "texts":
        problems += [f"no {words}" for words in ("<b>&\"'texts fourier", "<i>line</i> 5") if words not in seen["text"]]
    elif seen["images"] < 8 * runs or seen["maps"] != 3 * runs:  # two heads, and the image
        problems.append(f"{seen['images']} images, {seen['maps']} maps")
    if "step " not in seen["tip"] or seen["tip"].count("loss") != 2 * runs or not seen["last"].startswith("step 60\n"):
        problems.append(f"the values are {seen['tip']!r}, {seen['last']!r}")
    return problems


def screenshots(browser, pages, folder):
    for name, page in pages.items():
        for width, height in ((390, 6000), (1280, 3600)):
            frame = folder / "frame.html"
            frame.write_text('<body style="margin: 0"><iframe style="border: 0" '
                             f'width="{width}" height="{height}" src="{page.as_uri()}">')
            subprocess.run([browser, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
                            f"--window-size={max(width, 500)},{height}",
                            f"--screenshot={folder / f'{name}-{width}.png'}", frame.as_uri()],
                           check=True, capture_output=True, timeout=LIMIT)


def main():
    Case.program = str(Path(sys.argv[1]).resolve())
    browser = find_browser("report_page")
    case = Pages()
    try:
        pages = case.make()
        if len(sys.argv) > 2:
            screenshots(browser, pages, Path(sys.argv[2]).resolve())
        problems = []
        for name, page in pages.items():
            text = with_scripts(page.read_text(encoding="utf-8"), USE)
            for width in WIDTHS:
                frame = case.root / "frame.html"
                frame.write_text(FRAME.format(width=width, page=html.escape(text)), encoding="utf-8")
                problems += [f"{name} at {width}: {problem}" for problem in
                             check_seen(name, width, browse(browser, frame, case.root, f"{max(width, 500)},900"))]
    finally:
        case.doCleanups()
    for problem in problems[:20]:
        print("report_page:", problem)
    if problems:
        print(f"report_page: {len(problems)} problems")
        sys.exit(1)
    print("report_page: all is well in", browser)


if __name__ == "__main__":
    main()
