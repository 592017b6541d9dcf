"use strict";
// The table's first state is in the HTML; this adds sorting, filtering, other metrics and the drill-down.
const SVG = "http://www.w3.org/2000/svg";
const KEYS = 88, BLACK = new Set([1, 3, 6, 8, 10]), NAMES = ["C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B"];
const pitchName = key => NAMES[(key + 21) % 12] + (Math.floor((key + 21) / 12) - 1);
const KEY_OF = new Map(Array.from({ length: KEYS }, (_, key) => [pitchName(key), key]));
const CURVES = 12, NAMES_DRAWN = 40;  // lines and names that one plot can bear
const TOGETHER = 4;  // rolls that can be compared at a glance
const percent = value => value == null ? "–" : value.toFixed(1);

function element(name, properties = {}, ...children) {
  const { dataset, ...plain } = properties;
  const made = Object.assign(document.createElement(name), plain);
  Object.assign(made.dataset, dataset);
  made.append(...children);
  return made;
}

function shape(name, attributes) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

// ---- light and dark
const theme = document.getElementById("theme");
const stored = (() => { try { return localStorage.getItem("theme"); } catch { return null; } })();
if (stored) document.documentElement.dataset.theme = stored;
theme.addEventListener("click", () => {
  const dark = document.documentElement.dataset.theme
    ? document.documentElement.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  document.documentElement.dataset.theme = dark ? "light" : "dark";
  try { localStorage.setItem("theme", document.documentElement.dataset.theme); } catch { /* a file:// page may have no storage */ }
});

// ---- a board
class Board {
  constructor(section) {
    this.section = section;
    this.data = JSON.parse(section.querySelector(".board-data").textContent);
    this.details = section.querySelectorAll(".detail-data");
    this.body = section.querySelector("tbody.reproduced");
    this.rows = [...this.body.querySelectorAll("tr.entry")];
    this.empty = this.body.querySelector(".empty");
    this.opened = new Map();
    this.filter = section.querySelector(".filter");
    this.verified = section.querySelector(".verified-only");
    this.parts = [...section.querySelectorAll(".metric-part")];
    this.filter.addEventListener("input", () => this.show());
    this.verified.addEventListener("change", () => this.show());
    section.querySelector(".clear").addEventListener("click", () => { this.filter.value = ""; this.verified.checked = false; this.show(); this.filter.focus(); });
    section.querySelector(".show-reported").addEventListener("change", event => {
      const reported = section.querySelector("tbody.reported");
      if (reported) reported.hidden = !event.target.checked;
    });
    for (const part of this.parts) part.addEventListener("change", () => { this.measure(); this.address(); });
    section.querySelector("thead").addEventListener("click", event => {
      const button = event.target.closest("button[data-key]");
      if (button) this.sort(button);
    });
    this.body.addEventListener("click", event => {
      const button = event.target.closest("button.open");
      if (!button) return;
      this.toggle(button);
      this.address(button.getAttribute("aria-expanded") === "true" ? button.closest("tr") : null);
    });
    this.takeAway();
    if ("own" in section.dataset) {
      if (this.rows.length > 1) this.together = new Together(this);
      else this.toggle(this.rows[0].querySelector(".open"));
    }
    this.go();
    addEventListener("hashchange", () => this.go());
  }

  // #board, #board/row and #board/row;metric are the addresses of what is shown.
  address(row) {
    const name = row ? `/${this.data.keys.name[row.dataset.index]}` : "";
    const metric = this.metric === this.data.main ? "" : `;${this.metric}`;
    try { history.replaceState(null, "", `#${encodeURI(this.section.id + name + metric)}`); } catch { /* a page without an address of its own */ }
  }

  go() {
    let asked;
    try { asked = decodeURI(location.hash.slice(1)); } catch { return; }
    const [place, metric] = asked.split(";"), slash = place.indexOf("/");
    if ((slash < 0 ? place : place.slice(0, slash)) !== this.section.id) return;
    const values = metric?.match(/^(\w+)\.(\d+)@(.+)$/)?.slice(1) ?? [];
    if (values.length && this.parts.every((part, which) => [...part.options].some(option => option.value === values[which]))) {
      this.parts.forEach((part, which) => { part.value = values[which]; });
      this.measure();
    }
    const row = slash < 0 ? null : this.rows.find(each => this.data.keys.name[each.dataset.index] === place.slice(slash + 1));
    const button = row?.querySelector(".open");
    if (button?.getAttribute("aria-expanded") === "false") this.toggle(button);
    (row ?? this.section).scrollIntoView({ block: "start" });
  }

  // The rows that are shown, in the order they stand in.
  shown() { return [...this.body.querySelectorAll("tr.entry:not([hidden])")]; }

  content(row) { return JSON.parse(this.details[row.dataset.index].textContent); }

  // The table as it is shown, one object a row.
  table(rows = this.shown()) {
    return rows.map(row => {
      const made = { board: this.section.id, metric: this.metric };
      for (const [key, values] of Object.entries(this.data.keys)) made[key] = values[row.dataset.index] ?? null;
      ["precision", "recall", "accuracy", "f1", "low", "high"].forEach((part, place) => { made[part] = this.values(row)?.[place] ?? null; });
      return made;
    });
  }

  takeAway() {
    const form = this.section.querySelector("form.controls");
    const files = {
      CSV: ["text/csv", rows => [Object.keys(this.table(this.rows)[0]), ...rows.map(Object.values)].map(line => line.map(quoted).join(",")).join("\n") + "\n"],
      JSON: ["application/json", rows => JSON.stringify(rows, null, 1) + "\n"],
    };
    for (const [kind, [type, write]] of Object.entries(files)) {
      const button = element("button", { type: "button", className: "file", textContent: kind, title: `The rows that are shown, as ${kind}` });
      button.addEventListener("click", () => {
        const href = URL.createObjectURL(new Blob([write(this.table())], { type }));
        element("a", { href, download: `${this.section.id}-${this.metric}.${kind.toLowerCase()}` }).click();
        setTimeout(() => URL.revokeObjectURL(href), 1000);
      });
      form.append(button);
    }
    const axes = { parameters: "parameters", speed: "frames answered a second", "CPU-seconds": "CPU-seconds of training", "GPU-seconds": "GPU-seconds of training" };
    for (const [key, title] of Object.entries(axes))
      if ((this.data.keys[key] ?? []).filter(Boolean).length > 1) this.foldedPlot(`F1 against ${title}`, () => this.plot(key, title));
    if (this.parts[2].options.length > 1) this.foldedPlot("Precision against recall, by threshold", () => this.curves());
    // On a phone the ranking comes first, what chooses it is folded away.
    if (matchMedia("(max-width: 46rem)").matches) {
      const folded = element("details", { className: "choose" }, element("summary", { textContent: "Filter, metric, files" }));
      form.before(folded);
      folded.append(form);
    }
  }

  // Drawn when it is opened, and anew when other rows or another metric are shown.
  foldedPlot(title, draw) {
    const plot = element("details", { className: "plot" }, element("summary", { textContent: title }));
    plot.redraw = () => { plot.querySelector("svg")?.remove(); const drawn = plot.open && draw(); if (drawn) plot.append(drawn); };
    plot.addEventListener("toggle", plot.redraw);
    this.section.append(plot);
  }

  redraw() {
    for (const plot of this.section.querySelectorAll(".plot")) plot.redraw();
    this.together?.show();
  }

  plot(key, title) {
    const points = this.table().filter(row => row[key] && row.f1 != null), x = points.map(row => Math.log10(row[key])), y = points.map(row => row.f1);
    if (!points.length) return null;
    const words = points.map(row => `${row.name}: F1 ${percent(row.f1)} %, ${row[key].toLocaleString("en")} ${title}`);
    const chart = new Chart(words, [x, `${title} (logarithmic)`, powers], [y, `F1 %, ${this.metric}`]);
    points.forEach((row, which) => chart.dot(x[which], y[which], words[which]));
    points.forEach((row, which) => chart.name(row.name, x[which], y[which]));
    return chart.picture;
  }

  // The first rows that are shown, a line each, a dot for each threshold; the chosen one's is larger.
  curves() {
    const [average, keys, chosen] = this.parts.map(part => part.value), thresholds = [...this.parts[2].options].map(option => option.value);
    const lines = this.shown().slice(0, CURVES).map(row => [this.data.keys.name[row.dataset.index], thresholds.flatMap(threshold => {
      const [precision, recall] = this.data.scores[`${average}.${keys}@${threshold}`]?.[row.dataset.index] ?? [];
      return precision == null || recall == null ? [] : [{ threshold, precision, recall }];
    })]).filter(([, points]) => points.length);
    if (!lines.length) return null;
    const words = lines.map(([name, points]) => `${name}: ${points.map(point => `at ${point.threshold} precision ${percent(point.precision)} %, recall ${percent(point.recall)} %`).join(", ")}`);
    const all = lines.flatMap(([, points]) => points), recalls = all.map(point => point.recall);
    const chart = new Chart(words, [recalls, "recall %"], [all.map(point => point.precision), `precision %, ${average}.${keys}`]);
    lines.forEach(([name, points], which) => {
      chart.line(points.map(point => [point.recall, point.precision]));
      for (const point of points) chart.dot(point.recall, point.precision, words[which], point.threshold === chosen ? 5 : 3);
    });
    for (const [name, points] of lines) chart.name(name, points.at(-1).recall, points.at(-1).precision);
    return chart.picture;
  }

  get metric() { return `${this.parts[0].value}.${this.parts[1].value}@${this.parts[2].value}`; }

  show() {
    const words = this.filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const row of this.rows) {
      const fits = words.every(word => row.dataset.search.includes(word)) && (!this.verified.checked || "verified" in row.dataset);
      row.hidden = !fits;
      const detail = this.opened.get(row);
      if (detail) detail.hidden = !fits || row.querySelector(".open").getAttribute("aria-expanded") !== "true";
      shown += fits;
    }
    this.empty.hidden = shown > 0;
    this.redraw();
    this.section.querySelector(".shown").value = `${shown} of ${this.rows.length}`;
  }

  // Values by index: precision, recall, accuracy, F1, interval low, interval high; null where the row lacks the metric.
  values(row) { return this.data.scores[this.metric]?.[row.dataset.index] ?? null; }

  measure() {
    const [low, high] = this.data.axes[this.metric] ?? [0, 100];
    this.section.querySelector(".axis").textContent = `axis ${low} to ${high} %`;
    const place = value => Math.min(100, Math.max(0, 100 * (value - low) / (high - low)));
    for (const row of this.rows) {
      const [precision, recall, accuracy, f1, lower, upper] = this.values(row) ?? [];
      row.querySelector(".precision").textContent = percent(precision);
      row.querySelector(".recall").textContent = percent(recall);
      row.querySelector(".accuracy").textContent = percent(accuracy);
      row.querySelector(".f1 .value").textContent = percent(f1);
      row.querySelector(".interval").textContent = lower == null ? "" : `${percent(lower)} – ${percent(upper)}`;
      const track = row.querySelector(".track");
      if (f1 == null) { track.removeAttribute("style"); continue; }
      track.style.setProperty("--mid", `${place(f1)}%`);
      track.style.setProperty("--low", `${place(lower ?? f1)}%`);
      track.style.setProperty("--high", `${place(upper ?? f1)}%`);
    }
    // The paper reports one metric: its cells stand only beside that one.
    this.section.classList.toggle("other-metric", this.metric !== this.data.main);
    for (const [row, detail] of this.opened) { detail.remove(); this.opened.delete(row); row.querySelector(".open").setAttribute("aria-expanded", "false"); }
    const sorted = this.section.querySelector('th[aria-sort="ascending"] button, th[aria-sort="descending"] button');
    if (sorted) this.arrange(sorted.dataset.key, sorted.closest("th").getAttribute("aria-sort"));
    this.redraw();
  }

  sort(button) {
    const head = button.closest("th"), now = head.getAttribute("aria-sort");
    const direction = now === "none" ? button.dataset.first : now === "ascending" ? "descending" : "ascending";
    for (const other of head.parentNode.querySelectorAll("th[aria-sort]")) other.setAttribute("aria-sort", "none");
    head.setAttribute("aria-sort", direction);
    this.arrange(button.dataset.key, direction);
    this.redraw();
  }

  arrange(key, direction) {
    const place = { precision: 0, recall: 1, accuracy: 2, f1: 3 }[key];
    const { keys } = this.data, trained = index => keys["CPU-seconds"][index] ?? keys["GPU-seconds"][index];
    const value = row => place !== undefined ? this.values(row)?.[place] : key === "training" ? trained(row.dataset.index) : keys[key][row.dataset.index];
    const sign = direction === "ascending" ? 1 : -1;
    const keyed = this.rows.map(row => [value(row), row]);
    keyed.sort(([a, one], [b, two]) => {
      // What is unknown stays last whichever way the column runs.
      if (a == null || b == null) return (a == null) - (b == null) || one.dataset.index - two.dataset.index;
      return sign * (typeof a === "string" ? a.localeCompare(b) : a - b) || one.dataset.index - two.dataset.index;
    });
    this.body.append(...keyed.flatMap(([, row]) => this.opened.has(row) ? [row, this.opened.get(row)] : [row]), this.empty);
  }

  toggle(button) {
    const row = button.closest("tr"), open = button.getAttribute("aria-expanded") !== "true";
    button.setAttribute("aria-expanded", String(open));
    let detail = this.opened.get(row);
    if (!detail && open) {
      detail = new Detail(this, row).row;
      this.opened.set(row, detail);
      row.after(detail);
    }
    if (detail) detail.hidden = !open;
  }
}

// ---- a plot: values across and up, a title for each
class Chart {
  constructor(words, [across, below, ticksAcross = steps], [up, above]) {
    const width = this.width = 720, height = this.height = 340, edge = this.edge = 46;
    const span = values => { const low = Math.min(...values), high = Math.max(...values), room = (high - low || 1) * .08; return [low - room, high + room]; };
    const [left, right] = span(across), [low, high] = span(up);
    this.x = value => edge + (width - 2 * edge) * (value - left) / (right - left);
    this.y = value => height - edge - (height - 2 * edge) * (value - low) / (high - low);
    this.taken = [];  // boxes that no name may cover: left, top, right, bottom
    this.picture = shape("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": words.join("; ") });
    this.path(`M${edge} ${edge / 2}V${height - edge}H${width - edge}`);
    this.write(above, { x: edge, y: 14 });
    this.write(below, { x: width - edge, y: height - 8, "text-anchor": "end" });
    for (const [value, text] of steps(low, high)) { this.path(`M${edge - 4} ${this.y(value)}h4`); this.write(text, { x: edge - 6, y: this.y(value) + 4, "text-anchor": "end" }); }
    for (const [value, text] of ticksAcross(left, right)) {
      this.path(`M${this.x(value)} ${height - edge}v4`);
      this.write(text, { x: this.x(value), y: height - edge + 16, "text-anchor": "middle", class: "tick-across" });
    }
  }

  write(text, at) { const made = shape("text", at); made.textContent = text; this.picture.append(made); }

  path(d, attributes = {}) { this.picture.append(shape("path", { d, ...attributes })); }

  line(points) {
    const places = points.map(([x, y]) => [this.x(x), this.y(y)]);
    this.path(`M${places.map(place => place.join(" ")).join("L")}`);
    places.slice(1).forEach(([x, y], which) => {
      const [fromX, fromY] = places[which], count = Math.ceil(Math.hypot(x - fromX, y - fromY) / 8);
      for (let step = 1; step < count; step++) {
        const [atX, atY] = [fromX + (x - fromX) * step / count, fromY + (y - fromY) * step / count];
        this.taken.push([atX - 1, atY - 1, atX + 1, atY + 1]);
      }
    });
  }

  dot(x, y, words, r = 5) {
    const dot = shape("circle", { cx: this.x(x), cy: this.y(y), r }), name = shape("title", {});
    name.textContent = words; dot.append(name); this.picture.append(dot);
    this.taken.push([this.x(x) - r, this.y(y) - r, this.x(x) + r, this.y(y) + r]);
  }

  // After all dots: beside its own, or as far above or below as nothing is covered, with a line that leads back.
  // Where there is no room at all the name is left to the dot's title.
  name(text, x, y) {
    if (this.picture.querySelectorAll(".named").length >= NAMES_DRAWN) return;
    const [left, middle] = [this.x(x), this.y(y)], long = 6.9 * text.length, tall = 14;
    for (let step = 0; step < 2 * this.height / tall; step++) {
      const at = middle + (step % 2 ? -1 : 1) * Math.ceil(step / 2) * tall;
      for (const start of [left + 9, left - 9 - long]) {
        const box = [start, at - tall / 2, start + long, at + tall / 2];
        const inside = box[0] > this.edge && box[2] < this.width && box[1] > 18 && box[3] < this.height - this.edge;
        if (!inside || this.taken.some(other => box[0] < other[2] && other[0] < box[2] && box[1] < other[3] && other[1] < box[3])) continue;
        this.taken.push(box);
        const late = start < left;
        if (step > 2) this.path(`M${left} ${middle}L${late ? box[2] + 1 : start - 2} ${at}`, { class: "lead" });
        this.write(text, { x: late ? box[2] : start, y: at + 4, "text-anchor": late ? "end" : "start", class: "named" });
        return;
      }
    }
  }
}

const inWords = value => value.toLocaleString("en", { maximumSignificantDigits: 4, notation: value < 1e4 ? "standard" : "compact" });

// Ticks as [value, text], round and at least two: on an axis that is linear, and on one of powers of ten.
function steps(low, high) {
  const rough = (high - low) / 5, unit = 10 ** Math.floor(Math.log10(rough)), step = [1, 2, 2.5, 5, 10].map(each => each * unit).find(each => each >= rough);
  const first = Math.ceil(low / step), count = Math.floor(high / step) - first + 1;
  return Array.from({ length: count }, (_, which) => (first + which) * step).map(value => [value, inWords(value)]);
}

function powers(left, right) {
  const low = 10 ** left, high = 10 ** right, decades = Array.from({ length: Math.ceil(right) - Math.floor(left) + 1 }, (_, which) => 10 ** (Math.floor(left) + which));
  const within = factors => decades.flatMap(decade => factors.map(factor => factor * decade)).filter(value => value >= low && value <= high);
  const round = [[1, 2, 5], [1]].map(within).find(values => values.length <= 9);
  return (round.length > 1 ? round.map(value => [value, inWords(value)]) : steps(low, high)).map(([value, text]) => [Math.log10(value), text]);
}

// ---- the drill-down of one row
class Detail {
  constructor(board, row) {
    this.board = board; this.name = board.data.keys.name[row.dataset.index]; this.content = board.content(row);
    this.figure = element("figure", { className: "roll" });
    const wide = element("td", {}, element("div", { className: "sheet" }, this.columns(), this.figure));
    wide.colSpan = board.section.querySelectorAll(".scroll > table > thead th").length;
    this.row = element("tr", { className: "detail" }, wide);
    const first = this.row.querySelector(".recording");
    if (first) first.click();
  }

  columns() {
    const head = element("tr", {}, ...["Recording", "Seconds", "F1", "Precision", "Recall"].map((title, index) =>
      element("th", { scope: "col", className: index ? "num" : "" , textContent: title })));
    const body = element("tbody");
    for (const [id, recording] of Object.entries(this.content.recordings)) {
      const [precision, recall, , f1] = recording.scores[this.board.metric] ?? [];
      const button = chooser(id, recording, () => drawExcerpt(this.board, this.figure, id, [[this.name, recording]]));
      const name = element("th", { scope: "row" }, button);
      body.append(element("tr", {}, name, ...[(recording.frames / 25).toFixed(0), percent(f1), percent(precision), percent(recall)]
        .map(text => element("td", { className: "num", textContent: text }))));
    }
    const facts = element("dl");
    for (const [title, text] of this.content.facts) facts.append(element("dt", { textContent: title }), element("dd", { textContent: text, className: title === "Command" || title.includes("SHA") ? "mono" : "" }));
    const table = element("table", {}, element("thead", {}, head), body);
    return element("div", { className: "columns" },
      element("div", { className: "recordings" }, element("h3", { textContent: "Per recording" }), table),
      element("div", {}, element("h3", { textContent: "Where it comes from" }), facts));
  }
}

// ---- runs of one's own, the first that are shown: one recording at a time, a roll for each
class Together {
  constructor(board) {
    this.board = board;
    this.contents = board.rows.map(row => board.content(row));
    this.figure = element("figure", { className: "roll" });
    const choose = element("div", { className: "recordings" }, ...Object.entries(this.contents[0].recordings).map(([id, recording]) =>
      chooser(id, recording, () => { this.id = id; this.show(); })));
    board.section.querySelector(".scroll").before(element("div", { className: "together" }, element("h3", { textContent: "Side by side" }), choose, this.figure));
    choose.querySelector(".recording").click();
  }

  show() {
    const rows = this.board.shown().slice(0, TOGETHER).map(row => row.dataset.index);
    drawExcerpt(this.board, this.figure, this.id, rows.map(index => [this.board.data.keys.name[index], this.contents[index].recordings[this.id]]));
  }
}

function chooser(id, recording, choose) {
  const button = element("button", { type: "button", className: "recording", textContent: recording.title || id, dataset: { recording: id } });
  button.setAttribute("aria-pressed", "false");
  button.addEventListener("click", () => {
    for (const other of button.closest(".recordings").querySelectorAll(".recording")) other.setAttribute("aria-pressed", String(other === button));
    choose();
  });
  return button;
}

// Twenty seconds of a recording into a figure: the film, below it a roll for each answer, on one time axis.
function drawExcerpt(board, figure, id, answers) {
  Player.stop();
  const [[, recording] = []] = answers, excerpt = recording?.excerpt, truth = board.data.truths[`${id}/${excerpt?.start}`];
  if (!excerpt || !truth) { figure.replaceChildren(element("figcaption", { textContent: recording ? "This row carries no excerpt of this recording." : "No run fits this filter." })); return; }
  const frames = truth.frames, wanted = grid(truth.runs, frames), several = answers.length > 1;
  const grids = answers.map(([, each]) => grid(each.excerpt.answer, frames));
  const readout = element("span", { className: "readout" });
  const swatch = (kind, text) => element("span", {}, element("i", { className: `swatch ${kind}` }), text);
  const caption = element("figcaption", {}, element("strong", { textContent: `${recording.title || id}, ${clock(excerpt.start)} to ${clock(excerpt.start + frames)}` }),
    swatch("right", "right"), swatch("extra", "played though not in the truth"), swatch("missed", "missed"), readout);
  const sounding = wanted.map((line, key) => [wanted, ...grids].some(each => each[key].some(Boolean)));
  const lowest = Math.max(0, sounding.indexOf(true) - 2), highest = Math.min(KEYS - 1, sounding.lastIndexOf(true) + 2);
  const stage = { pictures: [], atFrame: null }, parts = [caption];
  if (truth.film) parts.push(element("div", { className: "plate" }, film(board, truth, stage)));
  answers.forEach(([name, each], which) => {
    const answer = grids[which], picture = drawRoll(answer, wanted, frames, lowest, highest);
    picture.setAttribute("aria-label", `Piano roll of ${several ? `${name}, ` : ""}${recording.title || id}: ${describe(answer, wanted)}`);
    picture.addEventListener("pointermove", event => {
      const box = picture.getBoundingClientRect();
      const frame = Math.floor((event.clientX - box.left) / box.width * frames);
      const key = highest - Math.floor((event.clientY - box.top) / box.height * (highest - lowest + 1));
      if (!(frame >= 0 && frame < frames && key >= 0 && key < KEYS)) return;
      stage.atFrame?.(frame);
      const state = [["", "missed"], ["extra", "right"]][+answer[key][frame]][+wanted[key][frame]];
      readout.textContent = `${pitchName(key)} at ${((excerpt.start + frame) / 25).toFixed(2)} s${state && ": " + state}`;
    });
    stage.pictures.push(picture);
    if (several) parts.push(element("p", { className: "whose" }, element("strong", { textContent: name }), ` F1 ${percent(each.scores[board.metric]?.[3])} % of this recording`));
    parts.push(element("div", { className: "plate" }, picture, octaves(lowest, highest)));
  });
  const ruler = element("div", { className: "seconds" });
  for (let step = 0; step <= 4; step++) ruler.append(element("span", { textContent: clock(excerpt.start + frames * step / 4) }));
  const hear = element("div", { className: "hear" });
  const voices = [...answers.map(([name, each], which) => [several ? name : "the answer", grids[which], each.audio]), ["the truth", wanted, truth.audio]];
  for (const [title, roll] of voices) {
    const button = element("button", { type: "button", textContent: `▶ Hear ${title}` });
    button.addEventListener("click", () => Player.toggle(button, roll, frames, stage));
    hear.append(button);
  }
  hear.append("plain tones made by this page");
  for (const [title, , source] of voices) {
    if (!source) continue;
    const player = element("audio", { controls: true, preload: "none", src: source });
    player.addEventListener("timeupdate", () => playhead(stage, player.currentTime * 25));
    hear.append(element("label", {}, `${title}, on a piano`, player));
  }
  figure.replaceChildren(...parts, ruler, hear);
  figure.classList.toggle("several", several);
}

function octaves(lowest, highest) {
  const marks = element("div", { className: "octaves" });
  for (let key = lowest; key <= highest; key++) {
    if ((key + 21) % 12) continue;
    const mark = element("span", { className: "octave", textContent: pitchName(key) });
    mark.style.top = `${100 * (highest - key + .5) / (highest - lowest + 1)}%`;
    marks.append(mark);
  }
  return marks;
}

// Five pictures along the time axis, and above them the one at the pointer or the playhead.
function film(board, truth, stage) {
  const step = board.data.filmStep, count = Math.ceil(truth.frames / step);
  const show = (place, frame) => { place.style.backgroundPositionY = `${count > 1 ? 100 * Math.min(count - 1, Math.floor(frame / step)) / (count - 1) : 0}%`; };
  const still = () => element("i", { style: `background-image:url(${truth.film});background-size:100% ${100 * count}%` });
  const large = still(), strip = Array.from({ length: 5 }, (_, part) => { const small = still(); show(small, part * truth.frames / 5); return small; });
  large.className = "large"; show(large, 0);
  stage.atFrame = frame => show(large, frame);
  return element("div", { className: "film", ariaHidden: "true" }, large, ...strip);
}

function drawRoll(answer, wanted, frames, lowest, highest) {
  const picture = shape("svg", { viewBox: `0 0 ${frames} ${highest - lowest + 1}`, preserveAspectRatio: "none", role: "img" });
  for (let key = lowest; key <= highest; key++)
    if (BLACK.has((key + 21) % 12)) picture.append(shape("rect", { class: "lane", x: 0, y: highest - key, width: frames, height: 1 }));
  for (let frame = 125; frame < frames; frame += 125) picture.append(shape("line", { class: "second", x1: frame, x2: frame, y1: 0, y2: highest - lowest + 1 }));
  const outcomes = { missed: (a, w) => !a && w, extra: (a, w) => a && !w, right: (a, w) => a && w };
  for (const [kind, holds] of Object.entries(outcomes)) {
    let path = "";
    for (let key = lowest; key <= highest; key++) {
      for (let frame = 0; frame < frames; frame++) {
        if (!holds(answer[key][frame], wanted[key][frame])) continue;
        const first = frame;
        while (frame < frames && holds(answer[key][frame], wanted[key][frame])) frame++;
        path += `M${first} ${highest - key + .08}h${frame - first}v.84h${first - frame}z`;
      }
    }
    picture.append(shape("path", { class: kind, d: path }));
  }
  return picture;
}

function grid(runs, frames) {
  const lines = Array.from({ length: KEYS }, () => new Uint8Array(frames));
  for (const [name, text] of Object.entries(runs))
    for (const run of text.split(" ")) { const [first, length] = run.split("+").map(Number); lines[KEY_OF.get(name)].fill(1, first, first + length); }
  return lines;
}

function describe(answer, wanted) {
  let right = 0, extra = 0, missed = 0;
  answer.forEach((line, key) => line.forEach((on, frame) => { const due = wanted[key][frame]; right += on & due; extra += on & !due; missed += !on & due; }));
  const all = right + extra + missed || 1;
  return `${Math.round(100 * right / all)} % of the marked cells right, ${Math.round(100 * extra / all)} % extra, ${Math.round(100 * missed / all)} % missed`;
}

function quoted(value) { const text = String(value ?? ""); return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text; }

function clock(frame) { const seconds = Math.round(frame / 25); return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`; }

function playhead(stage, frame) {
  if (frame != null) stage.atFrame?.(frame);
  for (const picture of stage.pictures) {
    picture.querySelector(".playhead")?.remove();
    if (frame != null) picture.append(shape("line", { class: "playhead", x1: frame, x2: frame, y1: 0, y2: KEYS }));
  }
}

// ---- plain tones, so that any row can be heard without an audio file
const Player = {
  context: null, button: null, timer: 0,
  stop() {
    if (!this.button) return;
    cancelAnimationFrame(this.timer); this.context.close(); playhead(this.stage, null);
    this.button.textContent = this.button.textContent.replace("■ Stop", "▶ Hear"); this.button = null;
  },
  toggle(button, roll, frames, stage) {
    const again = this.button === button;
    this.stop();
    if (again) return;
    const context = this.context = new AudioContext(), master = context.createGain(), start = context.currentTime + .1;
    const soft = context.createDynamicsCompressor();
    master.gain.value = .22; master.connect(soft).connect(context.destination);
    roll.forEach((line, key) => {
      for (let frame = 0; frame < frames; frame++) {
        if (!line[frame]) continue;
        const first = frame; while (frame < frames && line[frame]) frame++;
        const on = start + first / 25, off = start + frame / 25, tone = context.createOscillator(), gain = context.createGain();
        tone.type = "triangle"; tone.frequency.value = 440 * 2 ** ((key - 48) / 12);
        gain.gain.setValueAtTime(0, on); gain.gain.linearRampToValueAtTime(.5, on + .006);
        gain.gain.setTargetAtTime(.06, on + .006, .45); gain.gain.setTargetAtTime(0, off, .05);
        tone.connect(gain).connect(master); tone.start(on); tone.stop(off + .4);
      }
    });
    this.button = button; this.stage = stage;
    button.textContent = button.textContent.replace("▶ Hear", "■ Stop");
    const tick = () => {
      const frame = (context.currentTime - start) * 25;
      if (frame > frames + 10) { this.stop(); return; }
      playhead(stage, Math.max(0, Math.min(frames, frame))); this.timer = requestAnimationFrame(tick);
    };
    tick();
  },
};

for (const section of document.querySelectorAll("section.board")) if (section.querySelector(".board-data")) new Board(section);
