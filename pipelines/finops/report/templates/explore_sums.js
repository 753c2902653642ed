"use strict";
/* What the explorer adds up. Costs are whole numbers of 1e-18 USD (BigInt), quantities are whole doubles: nothing is rounded
   until it is shown. */
const MS = 86400000;
const dayNumber = (text) => Math.round(Date.parse(text + "T00:00:00Z") / MS);
const dayText = (number) => new Date(number * MS).toISOString().slice(0, 10);

/* The charges: columns of the series, and their days and units one after another. */
async function unpack(data) {
  const text = atob(data.bytes), zipped = new Uint8Array(text.length);
  for (let n = 0; n < text.length; n++) zipped[n] = text.charCodeAt(n);
  const stream = new Blob([zipped]).stream().pipeThrough(new DecompressionStream("gzip"));
  const bytes = new Uint8Array(await new Response(stream).arrayBuffer());
  let at = 0;
  const read = (count, Kind) => {
    const found = new Kind(count);
    for (let n = 0; n < count; n++) {
      let value = 0, place = 1, byte;
      do {
        byte = bytes[at++];
        value += (byte & 127) * place;
        place *= 128;
      } while (byte > 127);
      found[n] = value;
    }
    return found;
  };
  const names = Object.keys(data.names);
  const columns = {};
  for (const name of [...names, "rate", "size"]) columns[name] = read(data.series, Uint32Array);
  const days = read(data.entries, Uint32Array);
  const units = read(data.entries, Float64Array);
  const first = dayNumber(data.first);
  let entry = 0;
  for (let series = 0; series < data.series; series++) {
    let day = first;
    for (let n = 0; n < columns.size[series]; n++, entry++) {
      day += days[entry];
      days[entry] = day;
      units[entry] = units[entry] % 2 ? -(units[entry] + 1) / 2 : units[entry] / 2;
    }
  }
  const rates = data.rates.map((rate) => (rate === "unknown" ? null : BigInt(rate.replace("d", ""))));
  const isDigit = data.rates.map((rate) => rate[0] === "d");
  return { names: data.names, columns, days, units, rates, isDigit, first, last: dayNumber(data.last), series: data.series };
}

const PERIODS = {
  day: (day) => dayText(day),
  week: (day) => dayText(day - ((day + 3) % 7)),
  month: (day) => dayText(day).slice(0, 7),
  quarter: (day) => `${dayText(day).slice(0, 4)}-Q${Math.ceil(Number(dayText(day).slice(5, 7)) / 3)}`,
};

/* Sums of the charges from `from` to `to` by two groups. Days of the stretch before it, of the same length, are summed as if they
   were those that many days later. Gives a map: row name -> column name -> {cost, before, requests, unpriced, tokens}. */
function summed(charges, { from, to, rows, columns, filters, compare }) {
  const length = to - from + 1;
  const sums = new Map();
  const allowed = Object.entries(filters).map(([name, values]) => {
    const wanted = new Set(values);
    return [charges.columns[name], charges.names[name].map((value) => wanted.has(value))];
  });
  const meters = charges.names.meter.map((name) => (name === "request" ? 1 : /^(in|out)put/.test(name) ? 2 : 0));
  const labels = { };
  const namer = (group) => {
    if (group === "all") return () => () => "all";
    if (!(group in PERIODS)) return (series) => { const name = charges.names[group][charges.columns[group][series]]; return () => name; };
    const known = (labels[group] ??= new Map());
    return () => (day) => {
      let label = known.get(day);
      if (label === undefined) known.set(day, (label = PERIODS[group](day)));
      return label;
    };
  };
  const rowOf = namer(rows), columnOf = namer(columns);
  const cell = (row, column) => {
    let line = sums.get(row);
    if (!line) sums.set(row, (line = new Map()));
    let found = line.get(column);
    if (!found) line.set(column, (found = { now: new Map(), then: new Map(), requests: 0, unpriced: 0, tokens: 0 }));
    return found;
  };
  let entry = 0;
  for (let series = 0; series < charges.series; series++) {
    const end = entry + charges.columns.size[series];
    if (allowed.some(([column, is]) => !is[column[series]])) { entry = end; continue; }
    const rate = charges.columns.rate[series];
    const meter = charges.isDigit[rate] ? 0 : meters[charges.columns.meter[series]];
    const unknown = charges.rates[rate] === null;
    const row = rowOf(series), column = columnOf(series);
    for (; entry < end; entry++) {
      const day = charges.days[entry];
      if (day >= from && day <= to) {
        const found = cell(row(day), column(day));
        const units = charges.units[entry];
        found.now.set(rate, (found.now.get(rate) ?? 0) + units);
        if (meter === 1) { found.requests += units; if (unknown) found.unpriced += units; }
        if (meter === 2) found.tokens += units;
      } else if (compare && day >= from - length && day < from) {
        const found = cell(row(day + length), column(day + length));
        found.then.set(rate, (found.then.get(rate) ?? 0) + charges.units[entry]);
      }
    }
  }
  const priced = (quantities) => {
    let cost = null;
    for (const [rate, units] of quantities) {
      if (charges.rates[rate] !== null) cost = (cost ?? 0n) + BigInt(units) * charges.rates[rate];
    }
    return cost;
  };
  for (const line of sums.values()) {
    for (const [name, found] of line) {
      const { requests, unpriced, tokens } = found;
      line.set(name, { cost: priced(found.now), before: priced(found.then), requests, unpriced, tokens });
    }
  }
  return sums;
}

/* The sum of what is known; null where nothing is. */
const added = (one, other) => (one === null ? other : other === null ? one : one + other);
function total(cells) {
  const sum = { cost: null, before: null, requests: 0, unpriced: 0, tokens: 0 };
  for (const cell of cells) for (const name of Object.keys(sum)) sum[name] = added(sum[name], cell[name]);
  return sum;
}

/* 1e-18 USD as a decimal number with all its digits. */
function exact(cost) {
  if (cost === null) return "";
  const digits = String(cost < 0n ? -cost : cost).padStart(19, "0");
  const text = `${digits.slice(0, -18)}.${digits.slice(-18)}`.replace(/\.?0+$/, "");
  return cost < 0n ? `-${text}` : text;
}

/* The same for people: thousands marked, halves away from zero, what is below the last digit as such. */
function dollars(cost, decimals = 2, plus = false) {
  if (cost === null) return "\u2013";
  const unit = 10n ** BigInt(18 - decimals);
  const size = cost < 0n ? -cost : cost;
  const rounded = (size + unit / 2n) / unit;
  const sign = cost < 0n ? "\u2212" : plus && cost > 0n ? "+" : "";
  if (size && !rounded) return `${cost < 0n ? ">\u00a0\u2212" : "<\u00a0"}$${(10 ** -decimals).toFixed(decimals)}`;
  const digits = String(rounded).padStart(decimals + 1, "0");
  const whole = digits.slice(0, digits.length - decimals).replace(/\B(?=(\d{3})+$)/g, ",");
  return `${sign}$${whole}${decimals ? "." + digits.slice(-decimals) : ""}`;
}
const decimalsFor = (largest) => (largest >= 10n ** 18n ? 2 : largest >= 10n ** 16n ? 4 : 6);
const whole = (number) => String(number).replace(/\B(?=(\d{3})+$)/g, ",");

/* Text of a CSV file; a cell that a spreadsheet would take for a formula gets an apostrophe. */
function asCsv(lines) {
  const cell = (value) => {
    let text = String(value);
    if (/^[=+\-@\t\r]/.test(text) && !/^-?\d+(\.\d+)?$/.test(text)) text = "'" + text;
    return /[",\r\n]/.test(text) ? `"${text.replace(/"/g, '""')}"` : text;
  };
  return lines.map((line) => line.map(cell).join(",")).join("\r\n") + "\r\n";
}
