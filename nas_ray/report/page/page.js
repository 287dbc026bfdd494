"use strict";
const read = (id) => JSON.parse(document.getElementById(id).textContent);
const settings = { responsive: true, displaylogo: false, showSendToCloud: false,  // nothing leaves the page
  modeBarButtonsToRemove: ["lasso2d", "select2d", "zoomIn2d", "zoomOut2d", "autoScale2d", "sendDataToCloud"] };
const places = document.querySelectorAll(".plot");
for (const place of places) {
  const { data, layout } = read(place.dataset.figure);
  Plotly.newPlot(place, data, layout, settings);
}
const dark = matchMedia("(prefers-color-scheme: dark)");
function colour(paper) {  // figures take the colours of the page; on paper it is a light one
  const style = getComputedStyle(document.documentElement);
  const of = (name, light) => (dark.matches && !paper ? style.getPropertyValue(name).trim() : light);
  const [ground, ink, line, soft] = [of("--ground", "white"), of("--ink", "#24292f"), of("--line", "#e4e7eb"), of("--soft", "#8a8f98")];
  const look = { paper_bgcolor: ground, plot_bgcolor: ground, "font.color": ink, "modebar.color": soft, "modebar.activecolor": ink,
    "modebar.bgcolor": "rgba(0,0,0,0)" };
  for (const axis of ["xaxis", "yaxis"]) Object.assign(look, { [`${axis}.gridcolor`]: line, [`${axis}.linecolor`]: soft });
  const opacity = dark.matches && !paper ? 0.9 : 0.6;  // pale points are not seen on a dark ground
  return Promise.all([...places].map((place) => {
    const pale = place.data.flatMap((trace, i) => (trace.mode === "markers" && trace.marker.size === 5 ? [i] : []));
    return Plotly.update(place, pale.length ? { "marker.opacity": opacity } : {}, look, pale.length ? pale : undefined);
  }));
}
colour();
dark.addEventListener("change", () => colour());
addEventListener("beforeprint", () => {
  document.querySelectorAll("details").forEach((one) => (one.open = true));
  colour(true);
});
addEventListener("afterprint", () => colour());

const { columns, rows } = read("rows");
const PAGE = 50;
const state = { column: -1, down: false, page: 0, words: [] };
const find = (id) => document.getElementById(id);
const plain = (value) => (value === true ? "yes" : value === false ? "" : value === null ? "-" : value);
const power = (x) => `${x < 0 ? "-" : ""}10^${Math.log10(Math.abs(x)).toFixed(2)}`;  // as the other tables write it
const number = (x) => Number.isInteger(x) && Math.abs(x) < 1e15 ? x.toLocaleString("en") :
  Math.abs(x) < 1e6 && Math.abs(x) >= 1e-4 ? String(Number(x.toPrecision(6))) : power(x);
const round = { seconds: 2, finished_at: 2, percentile: 1, accuracy: 2 };  // digits behind the point
for (const name of columns) if (/^(benchmark_)?(test|valid)_acc$/.test(name)) round[name] = 2;
const cell = (value, name) => (typeof value === "number" && name in round ? value.toFixed(round[name]) : text(value));
const text = (value) => (typeof value === "number" ? number(value) : String(plain(value)));
const failed = columns.indexOf("error");
const searched = rows.map((row) => row.map(text).join("\n").toLowerCase());

function order(a, b) {  // what is unknown comes last, whatever the direction
  const [x, y] = [rows[a][state.column], rows[b][state.column]];
  if (x === y) return a - b;
  if (x === null || y === null) return x === null ? 1 : -1;
  const less = typeof x === "string" ? x.localeCompare(y) : x - y;
  return (state.down ? -less : less) || a - b;
}

function element(name, content, kind) {
  const made = document.createElement(name);
  made.textContent = content;  // never markup
  if (kind) made.className = kind;
  return made;
}

function show() {
  const places = rows.map((_, place) => place).filter((place) => state.words.every((word) => searched[place].includes(word)));
  if (state.column >= 0) places.sort(order);
  const pages = Math.max(1, Math.ceil(places.length / PAGE));
  state.page = Math.min(Math.max(state.page, 0), pages - 1);
  const shown = places.slice(state.page * PAGE, (state.page + 1) * PAGE);
  find("body").replaceChildren(...shown.map((place) => {
    const line = element("tr", "", failed >= 0 && rows[place][failed] !== null ? "failed" : "");
    rows[place].forEach((value, i) => line.append(
      element("td", cell(value, columns[i]), columns[i] === "arch" ? "arch" : typeof value === "string" ? "text" : "")));
    return line;
  }));
  document.querySelectorAll("#head th").forEach((head, i) => head.setAttribute("aria-sort",
    i !== state.column ? "none" : state.down ? "descending" : "ascending"));
  find("count").textContent = `${places.length} of ${rows.length} rows, page ${state.page + 1} of ${pages}`;
}

const change = (changes) => { Object.assign(state, changes); show(); };
document.querySelectorAll("#head button").forEach((button, i) => button.addEventListener("click", () =>
  change({ down: state.column === i && !state.down, column: i, page: 0 })));
find("search").addEventListener("input", (event) => change({ words: event.target.value.toLowerCase().split(/\s+/), page: 0 }));
find("back").addEventListener("click", () => change({ page: state.page - 1 }));
find("next").addEventListener("click", () => change({ page: state.page + 1 }));
show();
