"use strict";
// The graph that is in #data, and where its boxes and edges go: modules are boxes in boxes, each laid out by itself in
// layers. Boxes are called "n3" (node 3) and "s2" (scope, that is module, 2).

const {title, graph} = JSON.parse(document.getElementById("data").textContent);
const {nodes, scopes, edges} = graph;
const byId = id => document.getElementById(id);
const counted = (n, one, many) => `${n} ${n === 1 ? one : many}`;

// ------------------------------------------------------------------------------------------------------ the graph

const root = {id: -1, path: "", nodes: [], scopes: [], total: 0};
for (const [i, scope] of scopes.entries()) {
  Object.assign(scope, {id: i, nodes: [], scopes: [], total: 0, ops: 0, bytes: 0, first: Infinity});
  scope.around = scope.parent < 0 ? root : scopes[scope.parent];
  scope.chain = scope.parent < 0 ? [] : [...scope.around.chain, scope.around];
  scope.around.scopes.push(scope);
}
for (const [i, node] of nodes.entries()) {
  const scope = node.scope < 0 ? root : scopes[node.scope];
  Object.assign(node, {id: i, inputs: [], uses: []});
  node.chain = scope === root ? [] : [...scope.chain, scope];  // the modules around it, outermost first
  node.bytes = node.saved.reduce((sum, saved) => sum + saved.bytes, 0);
  scope.nodes.push(node);
  for (const around of node.chain) {
    around.total += 1;
    around.ops += node.is_leaf ? 0 : 1;
    around.bytes += node.bytes;
    around.first = Math.min(around.first, i);
  }
}
for (const edge of edges) {
  nodes[edge.from].uses.push(edge);
  nodes[edge.to].inputs.push(edge);
}

const within = (name, path) => path && name.startsWith(path + ".") ? name.slice(path.length + 1) : name;
const innermost = node => node.chain.length ? node.chain[node.chain.length - 1] : root;
const shapeText = shape => "(" + shape.join(", ") + (shape.length === 1 ? ",)" : ")");
// "(2, 3)"; "3 \u00d7 (2, 3)" of a node with three such results.
function shapesText(node) {
  const shapes = node.outputs.map(o => shapeText(o.shape));
  return shapes.length > 1 && new Set(shapes).size === 1 ? `${shapes.length} \u00d7 ${shapes[0]}` : shapes.join(" ");
}
const nodeTitle = node => node.is_leaf ? within(node.name, innermost(node).path) || "leaf" : node.op;
const scopeTitle = scope => (within(scope.path, scope.around.path) + "  " + scope.type).trim();

// --------------------------------------------------------------------------------------------------------- layout

const open = new Set();                   // scopes shown with what is in them
const openedByWalk = new Set();           // those of them that the walk has opened, and closes again
const gap = {x: 16, y: 30, port: 12, pad: 14, header: 26};

const pen = document.createElement("canvas").getContext("2d");
function textWidth(text, font) {
  pen.font = font;
  return pen.measureText(text).width;
}
const boxFont = '12px system-ui, "DejaVu Sans", sans-serif';
function boxSize(lines, bold) {
  const widths = lines.map((line, i) => textWidth(line, (bold && i === 0 ? "600 " : "") + boxFont));
  return {lines, w: Math.max(60, Math.ceil(Math.max(...widths)) + 22), h: 10 + 16 * lines.length};
}

// What is seen of a node: itself, or the outermost closed module around it.
function visible(node) {
  const closed = node.chain.find(scope => !open.has(scope));
  return closed ? "s" + closed.id : "n" + node.id;
}

// The edges inside each open module, between the boxes in it. An edge that goes in or out ends at a port, "in:" or
// "out:" and the box it comes from, so that all uses of one result share a line.
function edgesByScope() {
  const result = new Map();
  const add = (scope, from, to, source, edge) => {
    if (!result.has(scope)) result.set(scope, new Map());
    const id = from + ">" + to + ">" + source, level = result.get(scope);
    if (!level.has(id)) level.set(id, {from, to, source, edges: []});
    level.get(id).edges.push(edge);
  };
  const boxAt = (node, depth) => depth < node.chain.length ? "s" + node.chain[depth].id : "n" + node.id;
  for (const edge of edges) {
    const u = nodes[edge.from], v = nodes[edge.to], source = visible(u);
    let depth = 0;
    while (depth < u.chain.length && u.chain[depth] === v.chain[depth] && open.has(u.chain[depth])) ++depth;
    if (boxAt(u, depth) === boxAt(v, depth)) continue;  // inside a closed module
    add(depth ? u.chain[depth - 1] : root, boxAt(u, depth), boxAt(v, depth), source, edge);
    for (let d = depth; d < u.chain.length && open.has(u.chain[d]); ++d)
      add(u.chain[d], boxAt(u, d + 1), "out:" + source, source, edge);
    for (let d = depth; d < v.chain.length && open.has(v.chain[d]); ++d)
      add(v.chain[d], "in:" + source, boxAt(v, d + 1), source, edge);
  }
  return result;
}

// Boxes in layers, an edge always leading to a later one, bent around what lies between by dummies. Gives the size,
// the items with their places, the segments of edges, and where its ports are. x is an item's middle.
function layout(scope, levels) {
  const items = new Map();
  const item = (id, order, size) =>
    items.set(id, {id, order, layer: 0, x: 0, ups: [], downs: [], free: true, ...size}).get(id);
  for (const node of scope.nodes)
    item("n" + node.id, node.id, boxSize([nodeTitle(node), shapesText(node)]));
  for (const part of scope.scopes) {
    if (part.total === 0) continue;
    const inner = open.has(part) ? layout(part, levels) : null;
    const holds = `${counted(part.ops, "op", "ops")}, ${counted(part.total - part.ops, "leaf", "leaves")}`;
    const size = inner || boxSize([scopeTitle(part), holds], true);
    item("s" + part.id, part.first, {lines: size.lines, w: size.w, h: size.h, inner});
  }
  const links = [...(levels.get(scope) || new Map()).values()];
  const port = id => items.get(id) || item(id, id.startsWith("in:") ? -1 : Infinity, {w: 6, h: 0, port: true});
  for (const link of links) {
    link.a = port(link.from);
    link.b = port(link.to);
  }
  const forward = links.filter(link => link.a.order < link.b.order);

  // Layers: each box below all it takes; what takes only leaves as far down as its uses allow.
  const sorted = [...items.values()].sort((a, b) => a.order - b.order);
  const into = new Map(sorted.map(i => [i, []])), outOf = new Map(sorted.map(i => [i, []]));
  for (const {a, b} of forward) into.get(b).push(a), outOf.get(a).push(b);
  for (const i of sorted) {
    i.layer = into.get(i).reduce((layer, a) => Math.max(layer, a.layer + 1), 0);
    i.free = i.order >= 0 && into.get(i).every(a => a.free);
  }
  const deepest = sorted.reduce((layer, i) => Math.max(layer, i.order === Infinity ? 0 : i.layer), 0);
  for (const i of sorted.reverse()) {
    if (i.order === Infinity) i.layer = deepest + 1;
    else if (i.free && outOf.get(i).length) i.layer = Math.min(...outOf.get(i).map(b => b.layer)) - 1;
  }

  // Segments: from layer to layer. The line of one result runs down past its uses as a bus, so that each takes one lane.
  const segments = [], lanes = new Map();
  const connect = (a, b, source, list) => {
    let segment = a.downs.find(s => s.b === b && s.source === source);
    if (!segment) {
      segment = {a, b, source, edges: []};
      segments.push(segment);
      a.downs.push(segment), b.ups.push(segment);
    }
    segment.edges.push(...list);
  };
  for (const {a, b, source, edges: list} of forward) {
    let last = a;
    for (let layer = a.layer + 1; layer < b.layer; ++layer) {
      const id = `${a.id}>${source}>${layer}`;
      if (!lanes.has(id)) lanes.set(id, {id, order: a.order + 0.5, layer, x: 0, w: 6, h: 0, ups: [], downs: [], lane: true});
      connect(last, lanes.get(id), source, list);
      last = lanes.get(id);
    }
    connect(last, b, source, list);
  }
  const all = [...items.values(), ...lanes.values()].sort((a, b) => a.order - b.order);
  const layers = [];
  for (const i of all) (layers[i.layer] ||= []).push(i);
  arrange(layers.filter(Boolean));

  // Places inside the box, which has a header unless it is the whole.
  const header = scope === root ? gap.pad : gap.header + 4;
  const least = scope === root ? 0 : textWidth("- " + scopeTitle(scope), "600 " + boxFont) + 2 * gap.pad;
  const left = Math.min(...all.map(i => i.x - i.w / 2)), right = Math.max(...all.map(i => i.x + i.w / 2));
  const w = Math.max(right - left + 2 * gap.pad, least), shift = (w - right - left) / 2;
  let y = header, h = 0;
  for (const [n, layer] of layers.filter(Boolean).entries()) {
    if (n > 0) y += h && layer.some(i => !i.port) ? gap.y : gap.port;
    h = Math.max(...layer.map(i => i.h));
    for (const i of layer) {
      i.x += shift;
      [i.top, i.bottom] = i.lane || i.port ? [y, y + h] : [y + (h - i.h) / 2, y + (h + i.h) / 2];
      if (i.port && i.order < 0) i.top = 0;
    }
    y += h;
  }
  h = y + gap.pad;
  const ports = new Map();
  for (const i of items.values())
    if (i.port) {
      if (i.order > 0) i.bottom = h;
      ports.set(i.id, i.x - w / 2);
    }
  for (const link of links)
    if (!(link.a.order < link.b.order)) segments.push(link);  // back up, in the graph of a backward pass
  return {w, h, all, segments, ports};
}

// Where a segment leaves and enters: the middle, or a port of an open module.
const leaves = s => s.a.inner ? s.a.inner.ports.get("out:" + s.source) || 0 : 0;
const enters = s => s.b.inner ? s.b.inner.ports.get("in:" + s.source) || 0 : 0;

// Orders the items of each layer and gives them an x: down and up again, each moves to the middle of its neighbours in
// the layer before. What comes from leaves alone gives way to the rest, so that the trunk is straight; the last round
// moves only such.
function arrange(layers) {
  for (const layer of layers) {
    for (const i of layer) i.weight = i.free ? 0.01 : 1, i.wish = 0;
    pack(layer);
  }
  const rounds = 10;
  for (let round = 0; round < rounds; ++round) {
    const down = round % 2 === 0, last = round === rounds - 1;
    for (const layer of down ? layers : [...layers].reverse()) {
      for (const i of layer) {
        const near = down ? i.ups.map(s => [s.a.weight, s.a.x + leaves(s) - enters(s)])
                          : i.downs.map(s => [s.b.weight, s.b.x + enters(s) - leaves(s)]);
        const weight = near.reduce((sum, [w]) => sum + w, 0);
        i.wish = weight && !(last && !i.free) ? near.reduce((sum, [w, x]) => sum + w * x, 0) / weight : i.x;
        if (last && !i.free) i.weight = 1e4;
      }
      if (!last) layer.sort((a, b) => a.wish - b.wish);
      pack(layer);
    }
  }
}

// The places nearest to those wished for (least squares) that leave the order and the gaps as they must be.
function pack(layer) {
  const offsets = [], blocks = [];
  let offset = 0;
  for (const [k, i] of layer.entries()) {
    if (k > 0) offset += (layer[k - 1].w + i.w) / 2 + gap.x;
    offsets.push(offset);
    blocks.push({sum: (i.wish - offset) * i.weight, weight: i.weight, count: 1});
    while (blocks.length > 1) {
      const b = blocks[blocks.length - 1], a = blocks[blocks.length - 2];
      if (a.sum / a.weight <= b.sum / b.weight) break;
      blocks.splice(-2, 2, {sum: a.sum + b.sum, weight: a.weight + b.weight, count: a.count + b.count});
    }
  }
  let k = 0;
  for (const block of blocks)
    for (let n = 0; n < block.count; ++n, ++k) layer[k].x = block.sum / block.weight + offsets[k];
}
