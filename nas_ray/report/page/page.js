"use strict";
const read = (id) => JSON.parse(document.getElementById(id).textContent);
const settings = { responsive: true, displaylogo: false, modeBarButtonsToRemove: ["lasso2d", "select2d"] };
for (const place of document.querySelectorAll(".plot")) {
  const { data, layout } = read(place.dataset.figure);
  Plotly.newPlot(place, data, layout, settings);
}
addEventListener("beforeprint", () => document.querySelectorAll("details").forEach((one) => (one.open = true)));

const { columns, rows } = read("rows");
const PAGE = 50;
const state = { column: -1, down: false, page: 0, words: [] };
const find = (id) => document.getElementById(id);
const plain = (value) => (value === true ? "yes" : value === false ? "" : value === null ? "-" : value);
const number = (x) => Number.isInteger(x) && Math.abs(x) < 1e12 ? x.toLocaleString("en") :
  Math.abs(x) < 1e6 && Math.abs(x) > 1e-4 ? String(Number(x.toPrecision(6))) : x.toExponential(4);
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
      element("td", text(value), columns[i] === "arch" ? "arch" : typeof value === "string" ? "text" : "")));
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
