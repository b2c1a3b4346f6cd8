// What the pointer, or a finger, is on: the values of a chart's curves at that place. On paper everything is open.

const tip = document.getElementById("tip");

function svg(tag, attributes, parent) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  parent.append(element);
  return element;
}

// The curves of a chart: {name, color, points: [[x, y], ..]}.
function curvesOf(chart) {
  return [...chart.querySelectorAll(".curve:not(.dots)")].map(g => ({
    name: g.dataset.name, element: g, points: g.dataset.values.split(";").map(pair => pair.split(",").map(Number))}));
}

function nearest(points, x) {
  return points.reduce((best, point) => Math.abs(point[0] - x) < Math.abs(best[0] - x) ? point : best);
}

function showValues(chart, curves, event) {
  const [left, right, low, high] = chart.dataset.x.split(",").map(Number);
  const box = chart.getBoundingClientRect(), scale = chart.viewBox.baseVal.width / box.width;
  const at = low + ((event.clientX - box.left) * scale - left) / (right - left) * (high - low);
  const found = curves.map(curve => ({...curve, point: nearest(curve.points, at)}));
  const x = found.reduce((best, f) => Math.abs(f.point[0] - at) < Math.abs(best - at) ? f.point[0] : best, Infinity);
  const place = left + (x - low) / (high - low) * (right - left);
  chart.querySelector(".cursor")?.remove();
  const {height} = chart.viewBox.baseVal;
  svg("line", {class: "cursor", x1: place, x2: place, y1: 34, y2: height - 34}, chart);
  tip.replaceChildren();
  const line = (...parts) => {
    const row = document.createElement("div");
    row.append(...parts);
    tip.append(row);
  };
  line(`${chart.dataset.xName} ${x}`);
  for (const {name, point, element} of found) {
    const key = document.createElement("span"), value = document.createElement("b");
    key.className = "key";
    key.style.borderTopColor = getComputedStyle(element).getPropertyValue("--c");
    value.textContent = point[1];
    line(key, `${name} `, value, point[0] === x ? "" : ` (${chart.dataset.xName} ${point[0]})`);
  }
  tip.hidden = false;
  const {width: w, height: h} = tip.getBoundingClientRect();
  tip.style.left = `${Math.max(4, Math.min(event.clientX + 14, innerWidth - w - 4))}px`;
  tip.style.top = `${event.clientY + 18 + h > innerHeight ? Math.max(4, event.clientY - h - 12) : event.clientY + 18}px`;
}

for (const chart of document.querySelectorAll("svg.chart")) {
  const curves = curvesOf(chart);
  if (curves.length === 0) continue;
  for (const name of ["pointermove", "pointerdown"]) chart.addEventListener(name, event => showValues(chart, curves, event));
  chart.addEventListener("pointerleave", () => {
    tip.hidden = true;
    chart.querySelector(".cursor")?.remove();
  });
}

addEventListener("beforeprint", () => {
  for (const details of document.querySelectorAll("details:not([open])")) details.open = true, details.dataset.printed = "";
});
addEventListener("afterprint", () => {
  for (const details of document.querySelectorAll("details[data-printed]")) details.open = false, delete details.dataset.printed;
});
