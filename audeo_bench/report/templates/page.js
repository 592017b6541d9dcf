"use strict";
// The table's first state is in the HTML; this adds sorting, filtering, other metrics and the drill-down.
const SVG = "http://www.w3.org/2000/svg";
const KEYS = 88, BLACK = new Set([1, 3, 6, 8, 10]), NAMES = ["C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B"];
const pitchName = key => NAMES[(key + 21) % 12] + (Math.floor((key + 21) / 12) - 1);
const KEY_OF = new Map(Array.from({ length: KEYS }, (_, key) => [pitchName(key), key]));
const CURVES = 12;  // lines that one plot can bear
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
    if ("own" in section.dataset) for (const row of this.rows.slice(0, 2)) this.toggle(row.querySelector(".open"));
    this.takeAway();
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
    row?.scrollIntoView({ block: "start" });
  }

  // The table as it is shown, one object a row.
  table() {
    return this.rows.map(row => {
      const made = { board: this.section.id, metric: this.metric };
      for (const [key, values] of Object.entries(this.data.keys)) made[key] = values[row.dataset.index] ?? null;
      ["precision", "recall", "accuracy", "f1", "low", "high"].forEach((part, place) => { made[part] = this.values(row)?.[place] ?? null; });
      return made;
    });
  }

  takeAway() {
    const form = this.section.querySelector("form.controls");
    const files = {
      CSV: ["text/csv", rows => [Object.keys(rows[0]), ...rows.map(Object.values)].map(line => line.map(quoted).join(",")).join("\n") + "\n"],
      JSON: ["application/json", rows => JSON.stringify(rows, null, 1) + "\n"],
    };
    for (const [kind, [type, write]] of Object.entries(files)) {
      const button = element("button", { type: "button", className: "file", textContent: kind, title: `This table as ${kind}` });
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

  redraw() { for (const plot of this.section.querySelectorAll(".plot")) plot.redraw(); }

  plot(key, title) {
    const points = this.table().filter(row => row[key] && row.f1 != null), x = points.map(row => Math.log10(row[key])), y = points.map(row => row.f1);
    if (!points.length) return null;
    const words = points.map(row => `${row.name}: F1 ${percent(row.f1)} %, ${row[key].toLocaleString("en")} ${title}`);
    const powers = Array.from({ length: 12 }, (_, each) => [each, (10 ** each).toLocaleString("en")]);
    const chart = new Chart(words, [x, `${title} (logarithmic)`, powers], [y, `F1 %, ${this.metric}`]);
    points.forEach((row, which) => { chart.dot(x[which], y[which], words[which]); chart.name(row.name, x[which], y[which]); });
    return chart.picture;
  }

  // The first rows that are shown, a line each, a dot for each threshold; the chosen one's is larger.
  curves() {
    const [average, keys, chosen] = this.parts.map(part => part.value), thresholds = [...this.parts[2].options].map(option => option.value);
    const lines = this.rows.filter(row => !row.hidden).slice(0, CURVES).map(row => [this.data.keys.name[row.dataset.index], thresholds.flatMap(threshold => {
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
      chart.name(name, points.at(-1).recall, points.at(-1).precision);
    });
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
  }

  arrange(key, direction) {
    const place = { precision: 0, recall: 1, accuracy: 2, f1: 3 }[key];
    const value = row => place === undefined ? this.data.keys[key][row.dataset.index] : this.values(row)?.[place];
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
      detail = new Detail(this, JSON.parse(this.details[row.dataset.index].textContent)).row;
      this.opened.set(row, detail);
      row.after(detail);
    }
    if (detail) detail.hidden = !open;
  }
}

// ---- a plot: values across and up, a title for each; ticks across as [value, text], or at the ends alone
class Chart {
  constructor(words, [across, below, ticks], [up, above]) {
    const width = this.width = 720, height = 320, edge = 46;
    const span = values => { const low = Math.min(...values), high = Math.max(...values), room = (high - low || 1) * .08; return [low - room, high + room]; };
    const [left, right] = span(across), [low, high] = span(up), ends = (from, to) => [Math.ceil(from), Math.floor(to)];
    this.x = value => edge + (width - 2 * edge) * (value - left) / (right - left);
    this.y = value => height - edge - (height - 2 * edge) * (value - low) / (high - low);
    this.picture = shape("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": words.join("; ") });
    this.path(`M${edge} ${edge / 2}V${height - edge}H${width - edge}`);
    this.write(above, { x: edge, y: 14 });
    this.write(below, { x: width - edge, y: height - 8, "text-anchor": "end" });
    for (const value of ends(low, high)) this.write(value, { x: edge - 6, y: this.y(value) + 4, "text-anchor": "end" });
    for (const [value, text] of ticks ?? ends(left, right).map(each => [each, each]))
      if (value >= left && value <= right) this.write(text, { x: this.x(value), y: height - edge + 16, "text-anchor": "middle" });
  }

  write(text, at) { const made = shape("text", at); made.textContent = text; this.picture.append(made); }

  path(d) { this.picture.append(shape("path", { d })); }

  line(points) { this.path(`M${points.map(([x, y]) => `${this.x(x)} ${this.y(y)}`).join("L")}`); }

  dot(x, y, words, r = 5) {
    const dot = shape("circle", { cx: this.x(x), cy: this.y(y), r }), name = shape("title", {});
    name.textContent = words; dot.append(name); this.picture.append(dot);
  }

  name(text, x, y) {
    const late = this.x(x) > .7 * this.width;
    this.write(text, { x: this.x(x) + (late ? -9 : 9), y: this.y(y) + 4, "text-anchor": late ? "end" : "start" });
  }
}

// ---- the drill-down of one row
class Detail {
  constructor(board, content) {
    this.board = board; this.content = content;
    this.figure = element("figure", { className: "roll" });
    const wide = element("td", {}, this.columns(), this.figure);
    wide.colSpan = board.section.querySelectorAll(".scroll > table > thead th").length;
    this.row = element("tr", { className: "detail" }, wide);
    const first = this.row.querySelector(".recording");
    if (first) first.click();
  }

  columns() {
    const head = element("tr", {}, ...["Recording", "Seconds", "F1", "Precision", "Recall"].map((title, index) =>
      element("th", { scope: "col", className: index ? "num" : "" , textContent: title })));
    const body = element("tbody");
    const recordings = Object.entries(this.content.recordings);
    for (const [id, recording] of recordings) {
      const [precision, recall, , f1] = recording.scores[this.board.metric] ?? [];
      const button = element("button", { type: "button", className: "recording", textContent: recording.title || id });
      button.setAttribute("aria-pressed", "false");
      button.dataset.recording = id;
      button.addEventListener("click", event => {
        for (const other of body.querySelectorAll(".recording")) other.setAttribute("aria-pressed", String(other === button));
        this.draw(id, recording);
        if (!event.isTrusted || !("own" in this.board.section.dataset)) return;
        // Rows that are open side by side show the same recording.
        for (const other of this.board.section.querySelectorAll(".recording"))
          if (other !== button && other.dataset.recording === id) other.click();
      });
      const name = element("th", { scope: "row" }, button);
      body.append(element("tr", {}, name, ...[(recording.frames / 25).toFixed(0), percent(f1), percent(precision), percent(recall)]
        .map(text => element("td", { className: "num", textContent: text }))));
    }
    const facts = element("dl");
    for (const [title, text] of this.content.facts) facts.append(element("dt", { textContent: title }), element("dd", { textContent: text, className: title === "Command" || title.includes("SHA") ? "mono" : "" }));
    const table = element("table", {}, element("thead", {}, head), body);
    return element("div", { className: "columns" },
      element("div", {}, element("h3", { textContent: "Per recording" }), table),
      element("div", {}, element("h3", { textContent: "Where it comes from" }), facts));
  }

  draw(id, recording) {
    Player.stop();
    const excerpt = recording.excerpt, truth = this.board.data.truths[`${id}/${excerpt?.start}`];
    if (!excerpt || !truth) { this.figure.replaceChildren(element("figcaption", { textContent: "This row carries no excerpt of this recording." })); return; }
    const frames = truth.frames, answer = grid(excerpt.answer, frames), wanted = grid(truth.runs, frames);
    const readout = element("span", { className: "readout" });
    const swatch = (kind, text) => element("span", {}, element("i", { className: `swatch ${kind}` }), text);
    const caption = element("figcaption", {}, element("strong", { textContent: `${recording.title || id}, ${clock(excerpt.start)} to ${clock(excerpt.start + frames)}` }),
      swatch("right", "right"), swatch("extra", "played though not in the truth"), swatch("missed", "missed"), readout);
    const sounding = answer.map((line, key) => line.some(Boolean) || wanted[key].some(Boolean));
    const lowest = Math.max(0, sounding.indexOf(true) - 2), highest = Math.min(KEYS - 1, sounding.lastIndexOf(true) + 2);
    const picture = this.picture(answer, wanted, frames, lowest, highest);
    picture.setAttribute("aria-label", `Piano roll of ${recording.title || id}: ${describe(answer, wanted)}`);
    picture.addEventListener("pointermove", event => {
      const box = picture.getBoundingClientRect();
      const frame = Math.floor((event.clientX - box.left) / box.width * frames);
      const key = highest - Math.floor((event.clientY - box.top) / box.height * (highest - lowest + 1));
      if (!(frame >= 0 && frame < frames && key >= 0 && key < KEYS)) return;
      picture.atFrame?.(frame);
      const state = [["", "missed"], ["extra", "right"]][+answer[key][frame]][+wanted[key][frame]];
      readout.textContent = `${pitchName(key)} at ${((excerpt.start + frame) / 25).toFixed(2)} s${state && ": " + state}`;
    });
    const ruler = element("div", { className: "seconds" });
    for (let step = 0; step <= 4; step++) ruler.append(element("span", { textContent: clock(excerpt.start + frames * step / 4) }));
    const hear = element("div", { className: "hear" });
    for (const [title, roll] of [["answer", answer], ["truth", wanted]]) {
      const button = element("button", { type: "button", textContent: `▶ Hear the ${title}` });
      button.addEventListener("click", () => Player.toggle(button, roll, frames, picture));
      hear.append(button);
    }
    hear.append("plain tones made by this page");
    for (const [title, source] of recording.audio ?? []) {
      const player = element("audio", { controls: true, preload: "none", src: source });
      player.addEventListener("timeupdate", () => playhead(picture, player.currentTime * 25));
      hear.append(element("label", {}, title, player));
    }
    const plate = element("div", { className: "plate" }, ...(truth.film ? [this.film(truth, picture)] : []), picture);
    const marks = element("div", { className: "octaves" });
    plate.append(marks);
    for (let key = lowest; key <= highest; key++) {
      if ((key + 21) % 12) continue;
      const mark = element("span", { className: "octave", textContent: pitchName(key) });
      mark.style.top = `${100 * (highest - key + .5) / (highest - lowest + 1)}%`;
      marks.append(mark);
    }
    this.figure.replaceChildren(caption, plate, ruler, hear);
  }

  // Five pictures along the time axis, and above them the one at the pointer or the playhead.
  film(truth, picture) {
    const step = this.board.data.filmStep, count = Math.ceil(truth.frames / step);
    const show = (place, frame) => { place.style.backgroundPositionY = `${count > 1 ? 100 * Math.min(count - 1, Math.floor(frame / step)) / (count - 1) : 0}%`; };
    const still = () => element("i", { style: `background-image:url(${truth.film});background-size:100% ${100 * count}%` });
    const large = still(), strip = Array.from({ length: 5 }, (_, part) => { const small = still(); show(small, part * truth.frames / 5); return small; });
    large.className = "large"; show(large, 0);
    picture.atFrame = frame => show(large, frame);
    return element("div", { className: "film", ariaHidden: "true" }, large, ...strip);
  }

  picture(answer, wanted, frames, lowest, highest) {
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

function playhead(picture, frame) {
  picture.querySelector(".playhead")?.remove();
  if (frame != null) picture.atFrame?.(frame);
  if (frame != null) picture.append(shape("line", { class: "playhead", x1: frame, x2: frame, y1: 0, y2: KEYS }));
}

// ---- plain tones, so that any row can be heard without an audio file
const Player = {
  context: null, button: null, timer: 0,
  stop() {
    if (!this.button) return;
    cancelAnimationFrame(this.timer); this.context.close(); playhead(this.picture, null);
    this.button.textContent = this.button.textContent.replace("■ Stop", "▶ Hear"); this.button = null;
  },
  toggle(button, roll, frames, picture) {
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
    this.button = button; this.picture = picture;
    button.textContent = button.textContent.replace("▶ Hear", "■ Stop");
    const tick = () => {
      const frame = (context.currentTime - start) * 25;
      if (frame > frames + 10) { this.stop(); return; }
      playhead(picture, Math.max(0, Math.min(frames, frame))); this.timer = requestAnimationFrame(tick);
    };
    tick();
  },
};

for (const section of document.querySelectorAll("section.board")) if (section.querySelector(".board-data")) new Board(section);
