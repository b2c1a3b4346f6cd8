// What graph_layout.js has laid out: the drawing, the walk through the nodes, the panel and the controls.

// -------------------------------------------------------------------------------------------------------- drawing

const canvas = byId("canvas"), view = byId("view");
const boxes = new Map();  // what is drawn: its element and place, by "n3" or "s2"
let paths = [];           // {element, edges}
let size = {w: 0, h: 0};

function svg(tag, attributes, parent, text) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  if (text !== undefined) element.textContent = text;
  parent.append(element);
  return element;
}

function draw() {
  const focused = document.activeElement?.dataset?.box;
  boxes.clear();
  paths = [];
  view.replaceChildren();
  size = layout(root, edgesByScope());
  drawLevel(size, 0, 0);
  mark();
  if (focused && boxes.has(focused)) boxes.get(focused).element.focus({preventScroll: true});
}

function drawLevel(level, x, y) {
  const items = level.all.filter(i => !i.lane && !i.port);
  for (const i of items) drawBox(i, x + i.x - i.w / 2, y + i.top);
  const line = (d, list, arrow) => paths.push({
    edges: list, element: svg("path", {d, class: "edge", ...(arrow && {"marker-end": "url(#arrow)"})}, view)});
  for (const i of level.all)
    if ((i.lane || i.port) && i.bottom > i.top)
      line(`M${x + i.x} ${y + i.top}V${y + i.bottom}`, [...new Set([...i.ups, ...i.downs].flatMap(s => s.edges))]);
  for (const s of level.segments) {
    const x1 = x + s.a.x + leaves(s), y1 = y + s.a.bottom, x2 = x + s.b.x + enters(s), y2 = y + s.b.top;
    const bend = y2 > y1 ? Math.max(10, (y2 - y1) / 2) : 40;
    const ends = !s.b.lane && !s.b.port && !s.b.inner;
    line(`M${x1} ${y1}C${x1} ${y1 + bend} ${x2} ${y2 - bend} ${x2} ${y2}`, s.edges, ends);
  }
}

function drawBox(i, x, y) {
  const isNode = i.id[0] === "n", thing = (isNode ? nodes : scopes)[+i.id.slice(1)];
  const kind = isNode ? (thing.is_leaf ? "leaf" : "op") : i.inner ? "module open" : "module";
  const label = isNode ? `${nodeTitle(thing)} ${i.lines[1]}` : scopeTitle(thing);
  if (i.inner) {
    svg("rect", {x, y, width: i.w, height: i.h, class: "inside"}, view);
    drawLevel(i.inner, x, y);
  }
  const g = svg("g", {class: "box " + kind, tabindex: 0, role: "button", "aria-label": label, "data-box": i.id}, view);
  if (!isNode) g.setAttribute("aria-expanded", Boolean(i.inner));
  const lines = i.inner ? ["\u2212 " + scopeTitle(thing)] : i.lines;  // an open module has a tab to close it by
  const {w, h} = i.inner ? {w: textWidth(lines[0], "600 " + boxFont) + 18, h: gap.header - 4} : i;
  svg("rect", {x, y, width: w, height: h}, g);
  lines.forEach((text, k) => svg("text", {x: x + w / 2, y: y + (i.inner ? 15 : 17) + 16 * k, "text-anchor": "middle",
                                          class: k ? "small" : ""}, g, text));
  boxes.set(i.id, {element: g, x, y, w: i.w, h: i.h});
  const act = () => isNode ? go(stepOf(thing)) : toggle(thing);
  g.addEventListener("click", () => { if (!dragged) act(); });
  g.addEventListener("keydown", event => {
    if (event.key !== "Enter" && event.key !== " ") return;
    event.preventDefault(), event.stopPropagation();
    act();
  });
}

function toggle(scope) {
  const id = "s" + scope.id, before = boxes.get(id);
  openedByWalk.delete(scope);
  open.has(scope) ? open.delete(scope) : open.add(scope);
  draw();
  const after = boxes.get(id);  // stays where it was on the screen
  camera.x += (before.x - after.x) * camera.scale;
  camera.y += (before.y - after.y) * camera.scale;
  moveCamera();
  showScope(scope);
}

// --------------------------------------------------------------------------------------------------- pan and zoom

const camera = {x: 0, y: 0, scale: 1};
let dragged = false;  // since the pointer went down: then its click is none

function moveCamera() {
  view.setAttribute("transform", `translate(${camera.x} ${camera.y}) scale(${camera.scale})`);
}

function zoom(factor, x = canvas.clientWidth / 2, y = canvas.clientHeight / 2) {
  const scale = Math.min(3, Math.max(0.05, camera.scale * factor));
  camera.x = x - (x - camera.x) * scale / camera.scale;
  camera.y = y - (y - camera.y) * scale / camera.scale;
  camera.scale = scale;
  moveCamera();
}

function fit(smallest = 0.05) {
  const {clientWidth: w, clientHeight: h} = canvas;
  camera.scale = Math.max(smallest, Math.min(1.2, w / size.w, h / size.h));
  camera.x = (w - size.w * camera.scale) / 2;
  camera.y = Math.max(0, (h - size.h * camera.scale) / 2);
  moveCamera();
}

// Moves to a box unless all of it is to be seen.
function reveal(box) {
  const margin = 24, {clientWidth: w, clientHeight: h} = canvas;
  if (camera.scale < 0.5) zoom(0.8 / camera.scale);
  const left = box.x * camera.scale + camera.x, top = box.y * camera.scale + camera.y;
  const right = left + box.w * camera.scale, bottom = top + box.h * camera.scale;
  if (left < margin || right > w - margin) camera.x += w / 2 - (left + right) / 2;
  if (top < margin || bottom > h - margin) camera.y += h / 2 - (top + bottom) / 2;
  moveCamera();
}

canvas.addEventListener("wheel", event => {
  event.preventDefault();
  if (event.ctrlKey || event.metaKey) return zoom(Math.exp(-event.deltaY / 300), event.offsetX, event.offsetY);
  camera.x -= event.shiftKey ? event.deltaY : event.deltaX;
  camera.y -= event.shiftKey ? 0 : event.deltaY;
  moveCamera();
}, {passive: false});
canvas.addEventListener("pointerdown", event => {
  dragged = false;
  const from = {x: event.clientX - camera.x, y: event.clientY - camera.y}, start = {x: event.clientX, y: event.clientY};
  const move = e => {
    if (!dragged && Math.hypot(e.clientX - start.x, e.clientY - start.y) < 4) return;
    dragged = true;
    canvas.classList.add("dragging");
    camera.x = e.clientX - from.x;
    camera.y = e.clientY - from.y;
    moveCamera();
  };
  const stop = () => {
    canvas.classList.remove("dragging");
    window.removeEventListener("pointermove", move);
  };
  window.addEventListener("pointermove", move);
  for (const end of ["pointerup", "pointercancel"]) window.addEventListener(end, stop, {once: true});
});

// ------------------------------------------------------------------------------------------------------- the walk

// Step 0 is before the first; then every node in the order of computation, then every node from the last back.
const steps = 2 * nodes.length;
let step = 0, timer = null;

const isBackward = () => step > nodes.length;
const nodeAt = s => s === 0 ? null : nodes[s <= nodes.length ? s - 1 : steps - s];
const stepOf = node => isBackward() ? steps - node.id : node.id + 1;

function go(to) {
  step = Math.max(0, Math.min(steps, to));
  const node = nodeAt(step), around = new Set(node ? node.chain : []);
  let changed = false;
  for (const scope of [...openedByWalk])
    if (!around.has(scope)) changed = open.delete(scope), openedByWalk.delete(scope);
  for (const scope of around)
    if (!open.has(scope)) changed = true, open.add(scope), openedByWalk.add(scope);
  changed ? draw() : mark();
  byId("slider").value = step;
  byId("slider").classList.toggle("backward", isBackward());
  byId("first").disabled = byId("prev").disabled = step === 0;
  byId("next").disabled = byId("last").disabled = step === steps;
  const place = isBackward() ? step - nodes.length : step;
  byId("where").textContent = node ? `${isBackward() ? "Backward" : "Forward"} ${place} of ${nodes.length}` : "Start";
  node ? showNode(node) : showOverview();
  if (node) reveal(boxes.get(visible(node)).element.isConnected && boxes.get(visible(node)));
}

// Colours what was reached, and the current node with its edges.
function mark() {
  const current = nodeAt(step), reached = isBackward() ? nodes.length : step, back = isBackward() ? steps - step : Infinity;
  const shown = current && visible(current);
  for (const [id, {element}] of boxes) {
    const thing = (id[0] === "n" ? nodes : scopes)[+id.slice(1)], first = thing.first ?? thing.id;
    const closed = id[0] === "n" || !open.has(thing);
    element.classList.toggle("current", id === shown);
    element.classList.toggle("computed", closed && first < reached);
    element.classList.toggle("differentiated", closed && first >= back);
  }
  for (const {element, edges: list} of paths) {
    element.classList.toggle("hot", Boolean(current) && list.some(e => e.from === current.id || e.to === current.id));
    element.classList.toggle("backward", isBackward());
  }
}

function play(on) {
  clearInterval(timer);
  timer = on ? setInterval(() => step < steps ? go(step + 1) : play(false), 500) : null;
  byId("play").textContent = on ? "Pause" : "Play";
}

// ------------------------------------------------------------------------------------------------------ the panel

const panel = byId("panel");

function html(tag, properties, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}
const fill = (...children) => { panel.replaceChildren(...children.filter(Boolean)); panel.scrollTop = 0; };
const facts = rows => html("dl", {}, ...rows.filter(row => row[1] !== "" && row[1] !== undefined).flatMap(
  ([name, value]) => [html("dt", {}, name), html("dd", {}, value)]));
const number = x => typeof x === "number" ? String(Number(x.toPrecision(5))) : x;
const plural = (n, what) => `${n.toLocaleString("en")} ${what}${n === 1 ? "" : "s"}`;
function byteText(n) {
  const units = ["B", "KiB", "MiB", "GiB"];
  let k = 0;
  for (; n >= 1024 && k < 3; ++k) n /= 1024;
  return `${k ? n.toFixed(1) : n} ${units[k]}`;
}

// A tensor as a table, a row for each index but the last.
function matrix(values, shape) {
  if (!values || values.length === 0) return "";
  const columns = shape.length ? shape[shape.length - 1] : 1, rows = values.length / columns;
  const table = html("table", {className: "matrix"});
  for (let r = 0; r < rows; ++r) {
    const index = [];
    for (let d = shape.length - 2, rest = r; d >= 0; rest = Math.floor(rest / shape[d--])) index.unshift(rest % shape[d]);
    const cells = values.slice(r * columns, (r + 1) * columns).map(x => html("td", {}, String(number(x))));
    table.append(html("tr", {}, ...(rows > 1 ? [html("th", {scope: "row"}, index.join(", "))] : []), ...cells));
  }
  return html("div", {className: "scroll", tabIndex: 0}, table);
}

const link = (node, prefix = "") => html("button", {className: "link", onclick: () => go(stepOf(node))},
  `${prefix}${node.is_leaf ? node.name || "leaf" : node.op}  ${shapesText(node)}`);
const unique = list => [...new Set(list)];

function showNode(node) {
  const leaf = node.is_leaf, back = isBackward();
  const scope = innermost(node);
  const phase = leaf ? (back ? "Backward: the gradient is added to grad()" : "A leaf: where gradients end up")
                     : back ? "Backward: gradients of the inputs from those of the outputs" : "Forward";
  fill(
    html("h2", {}, leaf ? node.name || "leaf" : node.op),
    html("p", {className: back ? "phase backward" : "phase"}, phase),
    facts([["Line", node.site && html("code", {}, node.site)],
           ["Module", scope !== root && ((scope.path ? scope.path + ", " : "") + scope.type) || undefined],
           ["Called at", scope.site && html("code", {}, scope.site)],
           ["Number", `${node.id + 1} of ${nodes.length}`]]),
    ...node.outputs.flatMap((out, k) => [
      html("h3", {}, leaf ? "Value" : node.outputs.length > 1 ? `Result ${k}` : "Result"),
      facts([["Shape", shapeText(out.shape)], ["Dtype", out.dtype]]),
      matrix(out.values, out.shape),
      facts([["Gradient norm", out.gradient ? number(out.gradient.norm) : "not known"]]),
      matrix(out.gradient?.values, out.shape)]),
    !leaf && html("h3", {}, `Saved for backward: ${node.released ? "freed" : byteText(node.bytes)}`),
    ...node.saved.map(saved => html("div", {className: "saved"},
      html("p", {}, `${shapeText(saved.shape)} ${saved.dtype}, ${byteText(saved.bytes)}, version ${saved.version}`),
      saved.version !== saved.version_now ? html("p", {className: "warning"}, `changed in place since: version ${saved.version_now}`) : "",
      matrix(saved.values, saved.shape))),
    node.inputs.length > 0 && html("h3", {}, back ? "Inputs, which get a gradient" : "Inputs"),
    ...node.inputs.map(e => link(nodes[e.from], node.inputs.length > 1 ? `${e.input}: ` : "")),
    node.uses.length > 0 && html("h3", {}, back ? "Uses, whose gradients are summed" : "Used by"),
    ...unique(node.uses.map(e => e.to)).map(id => link(nodes[id])));
}

function showScope(scope) {
  fill(
    html("h2", {}, scope.path || scope.type),
    html("p", {className: "muted"}, "A call of a module"),
    facts([["Type", scope.type], ["Called at", scope.site && html("code", {}, scope.site)],
           ["Ops", String(scope.ops)], ["Leaves", String(scope.total - scope.ops)],
           ["Saved", byteText(scope.bytes)]]));
}

function showOverview() {
  const ops = nodes.filter(node => !node.is_leaf).length;
  const changed = nodes.filter(node => node.saved.some(s => s.version !== s.version_now));
  const swatch = (kind, text) => [html("span", {className: "swatch " + kind}), html("span", {}, text)];
  fill(
    html("h2", {}, "Overview"),
    facts([["Ops", ops.toLocaleString("en")], ["Leaves", (nodes.length - ops).toLocaleString("en")],
           ["Edges", edges.length.toLocaleString("en")], ["Module calls", scopes.length.toLocaleString("en")],
           ["Saved for backward", byteText(graph.saved_bytes)]]),
    nodes.some(node => node.released) && html("p", {className: "muted"}, "What some ops saved was freed by a backward pass."),
    changed.length > 0 && html("p", {className: "warning"}, `${plural(changed.length, "op")} saved what was changed since:`),
    ...changed.map(node => link(node)),
    html("h3", {}, "Legend"),
    html("div", {className: "legend"}, ...swatch("", "an op, and the shape of its result"),
         ...swatch("leaf", "a leaf: a parameter, or another tensor that gets a gradient"),
         ...swatch("module", "a call of a module; click to open or close it"),
         ...swatch("forward", "the step, on the way forward"), ...swatch("backward", "the step, on the way back")),
    html("h3", {}, "Keys"),
    facts([[html("kbd", {}, "\u2190 \u2192"), "a step back or on"], [html("kbd", {}, "Home End"), "first and last step"],
           [html("kbd", {}, "Space"), "walk by itself"], [html("kbd", {}, "+ \u2212 0"), "zoom, show all"],
           [html("kbd", {}, "Tab Enter"), "to a box, and open it"]]),
    html("p", {className: "muted"}, "Drag or scroll to move, scroll with Ctrl to zoom."));
}

// -------------------------------------------------------------------------------------------------------- controls

const stop = action => () => { play(false); action(); };
const walk = {first: () => go(1), prev: () => go(step - 1), next: () => go(step + 1), last: () => go(steps)};
for (const [id, action] of Object.entries(walk)) byId(id).onclick = stop(action);
byId("play").onclick = () => { if (timer === null && step === steps) go(0); play(timer === null); };
byId("slider").max = steps;
byId("slider").oninput = stop(() => go(Number(byId("slider").value)));
byId("zoom-in").onclick = () => zoom(1.25);
byId("zoom-out").onclick = () => zoom(0.8);
byId("fit").onclick = () => fit();

function openAll(which) {
  open.clear();
  openedByWalk.clear();
  which.forEach(scope => open.add(scope));
  draw();
  fit(0.75);
}
// A single module around everything would hide it all.
const outer = root.scopes.length === 1 && root.scopes[0].scopes.length > 0 ? root.scopes : [];
byId("expand").onclick = () => openAll(scopes);
byId("collapse").onclick = () => openAll(outer);

const keys = {ArrowRight: "next", ArrowDown: "next", ArrowLeft: "prev", ArrowUp: "prev", Home: "first", End: "last",
              " ": "play", "+": "zoom-in", "=": "zoom-in", "-": "zoom-out", "0": "fit"};
document.addEventListener("keydown", event => {
  const onControl = event.target.closest("input") || (event.key === " " && event.target.closest("button"));
  if (onControl || event.ctrlKey || event.metaKey || event.altKey || !(event.key in keys)) return;
  event.preventDefault();
  byId(keys[event.key]).click();
});

document.title = title;
byId("title").textContent = title;
byId("summary").textContent = [plural(nodes.length, "node"), plural(scopes.length, "module call"),
                               byteText(graph.saved_bytes) + " saved for backward"].join("  \u00b7  ");
openAll(outer);
go(0);
