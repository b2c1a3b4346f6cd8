#!/usr/bin/env python3
"""Opens the page of `fourierformer graph` in headless Chromium and uses it: a script that stands at the page's end
clicks and presses keys as a user does, and leaves what it saw in the document, which is read back from the browser.

Usage: graph_page.py PROGRAM CONFIG. Exits with 77 (skipped) where there is no Chromium, unless CI is set.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

from browser import LIMIT, browse, find_browser, with_scripts

# What the user does, at the page's end.
USE = r"""
const get = id => document.getElementById(id), box = id => document.querySelector(`[data-box="${id}"]`);
const click = element => element.dispatchEvent(new MouseEvent("click", {bubbles: true}));
const key = (name, target = document.body) =>
  target.dispatchEvent(new KeyboardEvent("keydown", {key: name, bubbles: true, cancelable: true}));
const current = () => [...document.querySelectorAll(".box.current")].map(element => element.dataset.box);
const data = JSON.parse(get("data").textContent).graph, count = data.nodes.length;

function checkDrawing(when) {
  const boxes = [...document.querySelectorAll(".box")];
  const places = boxes.map(e => e.querySelector("rect").getBoundingClientRect());
  for (const [i, a] of places.entries()) {
    for (const text of boxes[i].querySelectorAll("text")) {
      const t = text.getBoundingClientRect();
      check(t.left >= a.left && t.right <= a.right, `${when}: the text of ${boxes[i].dataset.box} is wider than its box`);
    }
    for (let k = 0; k < i; ++k) {
      const b = places[k], slack = 0.01;
      const apart = a.left >= b.right - slack || b.left >= a.right - slack || a.top >= b.bottom - slack || b.top >= a.bottom - slack;
      check(apart, `${when}: ${boxes[i].dataset.box} and ${boxes[k].dataset.box} overlap`);
    }
  }
  for (const path of document.querySelectorAll(".edge")) {
    check(!/NaN|undefined|Infinity/.test(path.getAttribute("d")), `${when}: an edge leads nowhere: ${path.getAttribute("d")}`);
  }
  return boxes.length;
}

window.addEventListener("load", () => {
  // As it opens: the blocks are closed boxes, nothing is current.
  seen.title = document.title;
  seen.closed = checkDrawing("at first");
  check(current().length === 0, "a box is current at first");
  const block = data.scopes.findIndex(scope => scope.path === "blocks.0"), id = "s" + block;
  const own = (list, owner, letter) =>
    [...list.entries()].filter(([, one]) => one[owner] === block).map(([i]) => letter + i);
  const inside = [...own(data.nodes, "scope", "n"), ...own(data.scopes, "parent", "s")];
  check(inside.length > 0, "blocks.0 has nothing in it");
  check(inside.every(n => !box(n)), "what is in blocks.0 is to be seen before it is opened");
  check(box(id).getAttribute("aria-expanded") === "false", "blocks.0 is not said to be closed");

  // Opens and closes, by click and by key.
  click(box(id));
  check(inside.every(n => box(n)), "what is in blocks.0 is not to be seen after a click on it");
  check(box(id).getAttribute("aria-expanded") === "true", "blocks.0 is not said to be open");
  check(checkDrawing("blocks.0 open") > seen.closed, "opening adds no boxes");
  click(box(id));
  check(inside.every(n => !box(n)), "blocks.0 does not close");
  box(id).focus();
  key("Enter", box(id));
  check(inside.every(n => box(n)), "Enter does not open blocks.0");
  check(document.activeElement === box(id), "blocks.0 loses the focus when it is opened");
  key("Enter", box(id));
  check(checkDrawing("closed again") === seen.closed, "closing does not remove the boxes");
  document.activeElement.blur();

  // The walk: every node once in order, then back, and always to be seen.
  const canvas = get("canvas").getBoundingClientRect();
  for (let step = 1; step <= 2 * count; ++step) {
    get("next").click();
    const node = step <= count ? step - 1 : 2 * count - step, now = current();
    if (now.length !== 1 || now[0] !== "n" + node) { problems.push(`step ${step}: node ${node} should be current, not ${now}`); break; }
    const place = box(now[0]).getBoundingClientRect();
    check(place.left >= canvas.left && place.right <= canvas.right && place.top >= canvas.top && place.bottom <= canvas.bottom,
          `step ${step}: the current node is out of sight`);
    check(box(now[0]).classList.contains("differentiated") === step > count, `step ${step} has the other direction's colour`);
    const expected = data.nodes[node].is_leaf ? data.nodes[node].name : data.nodes[node].op;
    check(get("panel").querySelector("h2").textContent === expected, `step ${step}: the panel does not show ${expected}`);
    check(get("where").textContent.startsWith(step <= count ? "Forward" : "Backward"), `step ${step}: ${get("where").textContent}`);
    check(get("slider").value === String(step), `step ${step}: the slider is at ${get("slider").value}`);
  }
  check(get("next").disabled, "the walk goes on after the last step");
  key("ArrowLeft");
  check(current()[0] === "n1", "the left arrow does not go back");
  key("Home");
  check(current()[0] === "n0" && get("where").textContent === `Forward 1 of ${count}`, "Home does not go to the first step");
  key("ArrowRight");
  check(current()[0] === "n1", "the right arrow does not go on");
  get("slider").value = count;
  get("slider").dispatchEvent(new Event("input"));
  check(current()[0] === "n" + (count - 1), "the slider does not move the walk");
  check(inside.every(n => !box(n)), "modules that the walk opened stay open");

  // The panel: links lead to nodes, small tensors are tables.
  const bias = data.nodes.findIndex(node => node.name === "head.bias");
  click(box("s" + data.scopes.findIndex(scope => scope.path === "head")));
  click(box("n" + bias));
  seen.panel = get("panel").innerText;
  check(get("panel").querySelectorAll("table.matrix").length === 2, "no tables of a small parameter and its gradient");
  check(get("panel").querySelector("table").rows[0].cells.length === data.nodes[bias].outputs[0].shape[0], "the table has another size");
  get("panel").querySelector("button.link").click();
  check(data.edges.some(edge => edge.from === bias && "n" + edge.to === current()[0]), "a link does not lead to the use of a leaf");

  // Everything at once.
  get("expand").click();
  const everything = count + data.scopes.length;
  const drawn = checkDrawing("all open");
  check(drawn === everything, `${drawn} boxes when all are open, not ${everything}`);
  for (const control of ["zoom-in", "zoom-out", "fit", "collapse"]) get(control).click();
  check(checkDrawing("all closed") === seen.closed, "Close all leaves something open");
  get("play").click();
  check(get("play").textContent === "Pause", "Play does not start");
  const before = get("slider").value;
  setTimeout(() => {
    check(Number(get("slider").value) > Number(before), "Play does not move");
    get("play").click();
    check(get("play").textContent === "Play", "Pause does not stop it");
    seen.done = true;
    report();
  }, 1500);
});
"""


def fail(message):
    print("graph_page:", message)
    sys.exit(1)


def main():
    program, config = sys.argv[1:]
    browser = find_browser("graph_page")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as temporary:
        folder = Path(temporary)
        page = folder / "page.html"
        subprocess.run([program, "graph", config, "--out", page], check=True, timeout=LIMIT)
        page.write_text(with_scripts(page.read_text(encoding="utf-8"), USE), encoding="utf-8")
        result = browse(browser, page, folder)
    for problem in result["problems"][:20]:
        print("graph_page:", problem)
    if result["problems"]:
        fail(f"{len(result['problems'])} problems")
    if "done" not in result["seen"]:
        fail("the page did not get to the end of its use")
    panel = result["seen"]["panel"]
    for words in ("head.bias", "(10,)", "f32", "Gradient norm"):
        if words not in panel:
            fail(f"the panel of head.bias lacks {words!r}: {panel!r}")
    if Path(config).name not in result["seen"]["title"]:
        fail(f"the title is {result['seen']['title']!r}")
    print("graph_page: all is well in", browser)


if __name__ == "__main__":
    main()
