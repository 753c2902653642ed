/* Controls, chart and table of the explorer. What is shown follows from `state`, and `state` from the address. */
const $ = (id) => document.getElementById(id);
const GROUPS = {
  day: "Day", week: "Week", month: "Month", quarter: "Quarter", provider_id: "Seller", model_id: "Model", team: "Team",
  project: "Project", cost_centre: "Cost centre", meter: "Meter", all: "All together",
};
const MEASURES = { cost: "Cost, USD", requests: "Requests", tokens: "Tokens" };
const STRETCHES = { "": "as chosen", 7: "last 7 days", 30: "last 30 days", 90: "last 90 days", all: "everything" };
const SERIES = 7, BARS = 62, TABLE_COLUMNS = 8, OTHERS = "all others";
let charges, state, shown;

function element(name, attributes = {}, ...children) {
  const made = name in { svg: 1, rect: 1, line: 1, text: 1, g: 1, title: 1 } ? document.createElementNS("http://www.w3.org/2000/svg", name) : document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

/* The address: only what differs from what a fresh page shows. */
function initial() {
  const from = Math.max(charges.first, charges.last - 29);
  return { from, to: charges.last, rows: "day", columns: "model_id", measure: "cost", compare: false, filters: {} };
}
function readAddress() {
  const asked = new URLSearchParams(location.hash.slice(1));
  const found = initial();
  for (const name of ["from", "to"]) if (/^\d{4}-\d\d-\d\d$/.test(asked.get(name) ?? "")) found[name] = dayNumber(asked.get(name)) || found[name];
  for (const name of ["rows", "columns"]) if (Object.hasOwn(GROUPS, asked.get(name))) found[name] = asked.get(name);
  if (Object.hasOwn(MEASURES, asked.get("measure"))) found.measure = asked.get("measure");
  found.compare = asked.get("compare") === "1";
  for (const name of Object.keys(charges.names)) {
    const known = asked.getAll(name).filter((value) => charges.names[name].includes(value));
    if (known.length) found.filters[name] = known;
  }
  if (found.to < found.from) found.to = found.from;
  state = found;
}
function address() {
  const fresh = initial(), parts = new URLSearchParams();
  for (const name of ["from", "to"]) if (state[name] !== fresh[name]) parts.set(name, dayText(state[name]));
  for (const name of ["rows", "columns", "measure"]) if (state[name] !== fresh[name]) parts.set(name, state[name]);
  if (state.compare) parts.set("compare", "1");
  for (const [name, values] of Object.entries(state.filters)) for (const value of values) parts.append(name, value);
  return String(parts);
}
function change(changes) {
  Object.assign(state, changes);
  if (state.to < state.from) state.to = state.from;
  history.replaceState(null, "", "#" + address());
  show();
}

/* Sums for what is chosen: rows and columns in the order in which they are shown. */
function compute() {
  const sums = summed(charges, state);
  const size = (cell) => (state.measure === "cost" ? Number(cell.cost ?? 0n) : cell[state.measure]);
  const bySize = (cells) => (a, b) => size(cells.get(b)) - size(cells.get(a)) || (a < b ? -1 : 1);
  const rowTotals = new Map([...sums].map(([name, line]) => [name, total(line.values())]));
  const byColumn = new Map();
  for (const line of sums.values()) for (const [name, cell] of line) byColumn.set(name, total([byColumn.get(name), cell].filter(Boolean)));
  const order = (group, cells) => (group in PERIODS ? [...cells.keys()].sort() : [...cells.keys()].sort(bySize(cells)));
  return { sums, size, rows: order(state.rows, rowTotals), columns: order(state.columns, byColumn), rowTotals, byColumn, whole: total(rowTotals.values()) };
}
const measured = (cell, decimals) => (cell === undefined ? "\u2013" : state.measure === "cost" ? dollars(cell.cost, decimals) : whole(cell[state.measure]));

function sentence() {
  const { whole: sum } = shown;
  const days = state.to - state.from + 1;
  let text = `${dollars(sum.cost)} for ${whole(sum.requests)} requests and ${whole(sum.tokens)} tokens, ${dayText(state.from)} to ${dayText(state.to)} (${days} ${days === 1 ? "day" : "days"})`;
  if (state.compare) {
    const before = `${dayText(state.from - days)} to ${dayText(state.from - 1)}`;
    const share = sum.before ? Number(((sum.cost ?? 0n) - sum.before) * 1000n / sum.before) / 10 : null;
    text += sum.before === null ? `; no cost is known of ${before}` : `; ${dollars((sum.cost ?? 0n) - sum.before, 2, true)}${share === null ? "" : ` (${share > 0 ? "+" : ""}${share.toFixed(1)} %)`} on ${before}`;
  }
  if (sum.unpriced) text += `; ${whole(sum.unpriced)} requests have no known cost`;
  const chosen = Object.entries(state.filters).map(([name, values]) => `${GROUPS[name].toLowerCase()} ${values.length > 3 ? values.length + " chosen" : values.join(", ")}`);
  return text + (chosen.length ? `; ${chosen.join("; ")}.` : ".");
}

/* Stacked bars: one bar a row, one colour a column. */
function ticks(highest) {
  const rough = highest / 5 || 1, power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((n) => n * power).find((size) => size >= rough);
  return Array.from({ length: Math.ceil(highest / step - 1e-9) + 1 }, (_, n) => n * step);
}
function tickText(value, step) {
  if (state.measure !== "cost") return value >= 1e9 ? value / 1e9 + " bn" : value >= 1e6 ? value / 1e6 + " m" : whole(value);
  const decimals = step >= 1 ? 0 : Math.max(2, -Math.floor(Math.log10(step)));
  return "$" + value.toFixed(decimals).replace(/\B(?=(\d{3})+(?!\d))/g, decimals ? "" : ",");
}
/* Every day, week, month or quarter from the first row to the last: those without charges are gaps. */
function stretch(rows) {
  const found = new Set();
  for (let day = state.from; day <= state.to; day++) found.add(PERIODS[state.rows](day));
  return [...found].filter((name) => name >= rows[0] && name <= rows[rows.length - 1]);
}
function stacks() {
  const bars = state.rows in PERIODS ? stretch(shown.rows).slice(-BARS * 7) : shown.rows.slice(0, 20);
  const named = [...shown.byColumn.keys()].sort((a, b) => shown.size(shown.byColumn.get(b)) - shown.size(shown.byColumn.get(a)) || (a < b ? -1 : 1));
  const series = named.length > SERIES ? [...named.slice(0, SERIES - 1), OTHERS] : named;
  const values = bars.map((row) => {
    const heights = new Map(series.map((name) => [name, 0]));
    for (const [column, cell] of shown.sums.get(row) ?? []) {
      const name = heights.has(column) ? column : OTHERS;
      heights.set(name, heights.get(name) + Math.max(0, state.measure === "cost" ? Number(cell.cost ?? 0n) / 1e18 : cell[state.measure]));
    }
    return heights;
  });
  return { bars, series, values };
}
function draw() {
  const { bars, series, values } = stacks();
  const box = $("chart"), width = Math.max(300, Math.min(box.clientWidth || 900, 1100)), height = width < 500 ? 260 : 320;
  const highest = Math.max(...values.map((heights) => [...heights.values()].reduce((a, b) => a + b, 0)), 0);
  const marks = ticks(highest), top = marks[marks.length - 1] || 1, left = 64, bottom = 28;
  const y = (value) => height - bottom - (value / top) * (height - bottom - 22);
  const svg = element("svg", { viewBox: `0 0 ${width} ${height}`, "aria-hidden": "true" });
  svg.append(element("text", { x: 0, y: 11, class: "axis" }, MEASURES[state.measure]));
  for (const mark of marks) {
    svg.append(element("line", { x1: left, x2: width, y1: y(mark), y2: y(mark), class: "grid" }));
    svg.append(element("text", { x: left - 6, y: y(mark) + 4, class: "axis", "text-anchor": "end" }, tickText(mark, marks[1] ?? 1)));
  }
  const step = (width - left) / Math.max(bars.length, 1), every = Math.ceil(bars.length / Math.max(1, Math.floor((width - left) / 84)));
  bars.forEach((row, n) => {
    let base = 0;
    for (const [at, name] of series.entries()) {
      const value = values[n].get(name);
      if (!value) continue;
      const bar = element("rect", { x: left + n * step + step * 0.1, width: step * 0.8, y: y(base + value), height: Math.max(0.5, y(base) - y(base + value)), fill: colour(at, name) });
      bar.append(element("title", {}, `${row}, ${name}`));
      svg.append(bar);
      base += value;
    }
    if (n % every === 0) svg.append(element("text", { x: left + (n + 0.5) * step, y: height - 8, class: "axis", "text-anchor": "middle" }, short(row)));
  });
  box.replaceChildren(svg);
  box.setAttribute("aria-label", `Stacked bars of ${MEASURES[state.measure]} by ${GROUPS[state.rows].toLowerCase()} and ${GROUPS[state.columns].toLowerCase()}. The figures stand in the table below.`);
  $("legend").replaceChildren(...series.map((name, at) => {
    const swatch = element("span", { class: "swatch", "aria-hidden": "true" });
    swatch.style.background = colour(at, name);
    return element("li", {}, swatch, name);
  }));
}
const colour = (at, name) => (name === OTHERS ? "var(--s-others)" : `var(--s${at % 7})`);
const short = (name) => (state.rows === "day" || state.rows === "week" ? name.slice(5) : name.length > 12 ? name.slice(0, 11) + "\u2026" : name);

function tabulate() {
  const isCost = state.measure === "cost", compare = state.compare && isCost;
  const columns = shown.columns.slice(0, TABLE_COLUMNS), more = shown.columns.length - columns.length;
  let largest = 0n;
  for (const { cost } of shown.rowTotals.values()) if (cost !== null && cost > largest) largest = cost;
  const decimals = decimalsFor(largest);
  const number = (text) => element("td", { class: "number" }, text);
  const line = (name, sum, cells) => element("tr", {},
    element("th", { scope: "row" }, name),
    number(measured(sum, decimals)),
    ...(compare ? [number(dollars(sum.before, decimals)), number(sum.before === null && sum.cost === null ? "\u2013" : dollars((sum.cost ?? 0n) - (sum.before ?? 0n), decimals, true))] : []),
    ...columns.map((column) => number(measured(cells.get(column), decimals))),
    ...(more > 0 ? [number(measured(total(shown.columns.slice(TABLE_COLUMNS).map((column) => cells.get(column)).filter(Boolean)), decimals))] : []),
  );
  const head = (text, isNumber = true) => element("th", { scope: "col", ...(isNumber ? { class: "number" } : {}) }, text);
  const heads = [head(GROUPS[state.rows], false), head("Total"), ...(compare ? [head("Before"), head("Change")] : []), ...columns.map((name) => head(name)), ...(more > 0 ? [head(`${more} others`)] : [])];
  $("pivot-caption").textContent = `${MEASURES[state.measure]} by ${GROUPS[state.rows].toLowerCase()} and ${GROUPS[state.columns].toLowerCase()}`;
  const table = $("pivot");
  table.tHead.replaceChildren(element("tr", {}, ...heads));
  table.tBodies[0].replaceChildren(...shown.rows.slice(0, 500).map((row) => line(row, shown.rowTotals.get(row), shown.sums.get(row))));
  table.tFoot.replaceChildren(line(shown.rows.length > 500 ? `Total of ${shown.rows.length} rows` : "Total", shown.whole, shown.byColumn));
}

/* Every row and column that is shown, with all digits. */
function csv() {
  const lines = [[state.rows, state.columns, "cost_usd", ...(state.compare ? ["before_usd"] : []), "requests", "requests_without_cost", "tokens"]];
  for (const row of shown.rows) {
    for (const column of shown.columns) {
      const cell = shown.sums.get(row).get(column);
      if (cell) lines.push([row, column, exact(cell.cost), ...(state.compare ? [exact(cell.before)] : []), cell.requests, cell.unpriced, cell.tokens]);
    }
  }
  return asCsv(lines);
}

/* The controls show the state. */
function options(select, choices, chosen) {
  select.replaceChildren(...Object.entries(choices).map(([value, text]) => element("option", { value, ...(value === chosen ? { selected: "" } : {}) }, text)));
}
function controls() {
  for (const name of ["from", "to"]) Object.assign($(name), { value: dayText(state[name]), min: dayText(charges.first), max: dayText(charges.last) });
  options($("stretch"), STRETCHES, "");
  options($("rows"), GROUPS, state.rows);
  options($("columns"), GROUPS, state.columns);
  options($("measure"), MEASURES, state.measure);
  $("compare").checked = state.compare;
  for (const [name, values] of Object.entries(charges.names)) {
    const chosen = state.filters[name] ?? [];
    const box = $(`filter-${name}`);
    box.querySelector("summary").textContent = `${GROUPS[name]}: ${chosen.length ? `${chosen.length} of ${values.length}` : "all"}`;
    for (const input of box.querySelectorAll("input")) input.checked = chosen.includes(input.value);
  }
}
function buildFilters() {
  $("filters").replaceChildren(...Object.entries(charges.names).map(([name, values]) => {
    const list = element("div", { class: "list" }, ...values.map((value) => element("label", { class: "check" }, element("input", { type: "checkbox", value }), " " + (value || "(none)"))));
    const box = element("details", { id: `filter-${name}` }, element("summary"), list);
    box.addEventListener("change", () => {
      const chosen = [...box.querySelectorAll("input:checked")].map((input) => input.value);
      const filters = { ...state.filters };
      if (chosen.length) filters[name] = chosen; else delete filters[name];
      change({ filters });
    });
    return box;
  }));
}
function show() {
  shown = compute();
  controls();
  $("sentence").textContent = sentence();
  draw();
  tabulate();
}
function listen() {
  for (const name of ["from", "to"]) $(name).addEventListener("change", () => { if ($(name).value) change({ [name]: dayNumber($(name).value) }); });
  for (const name of ["rows", "columns", "measure"]) $(name).addEventListener("change", () => change({ [name]: $(name).value }));
  $("compare").addEventListener("change", () => change({ compare: $("compare").checked }));
  $("stretch").addEventListener("change", () => {
    const chosen = $("stretch").value;
    if (chosen) change({ from: chosen === "all" ? charges.first : Math.max(charges.first, charges.last - Number(chosen) + 1), to: charges.last });
  });
  $("reset").addEventListener("click", () => change({ ...initial(), from: charges.first }));
  $("print").addEventListener("click", () => print());
  $("download").addEventListener("click", () => {
    const link = element("a", { download: `spend-${dayText(state.from)}-${dayText(state.to)}.csv`, href: URL.createObjectURL(new Blob([csv()], { type: "text/csv" })) });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  });
  $("choices").addEventListener("submit", (event) => event.preventDefault());
  addEventListener("hashchange", () => { readAddress(); show(); });
  let waiting;
  addEventListener("resize", () => { clearTimeout(waiting); waiting = setTimeout(draw, 100); });
}
async function start() {
  charges = await unpack(JSON.parse($("charges").textContent));
  buildFilters();
  listen();
  readAddress();
  show();
  document.body.dataset.shownAfterMs = Math.round(performance.now());
}
start().catch((error) => { $("sentence").textContent = `This page could not sum its charges: ${error}`; });
