/* Run the code cells of a chapter in the reader's own browser. Nothing is fetched before asked. */

import { Editor } from "./editor.js";
import { store, tickChapters } from "./solved.js";

const root = new URL("../../", import.meta.url).href;
const chapter = location.pathname.split("/").pop().replace(/\.html$/, "");
const data = JSON.parse(document.getElementById("live-data").textContent);
const line = document.querySelector(".live-start");
const seconds = (ms) => (ms < 9950 ? (ms / 1000).toFixed(1) : Math.round(ms / 1000)) + " s";
const duration = (s) => (s < 100 ? `${Math.ceil(s / 10) * 10} seconds` : `${Math.round(s / 60)} minutes`);

function element(name, className, ...children) {
  const made = document.createElement(name);
  made.className = className;
  made.append(...children);
  return made;
}

function button(text, action) {
  const made = element("button", "", text);
  made.type = "button";
  made.addEventListener("click", action);
  return made;
}

/* -------------------------------------------------------------------------- one cell */

class Cell {
  constructor(box, index) {
    this.box = box;
    this.index = index;
    this.name = `cell ${index + 1}`;
    this.exercise = box.closest(".exercise");
    this.isCheck = box.classList.contains("tag_check");
    this.isSolution = box.classList.contains("tag_solution");
    this.heavy = data.heavy[box.id] ?? null;
    this.key = `code:${chapter}:${box.id}`;
    this.output = box.querySelector(":scope > .cell_output, :scope > figure, :scope > .output");
    this.kinds = [];
  }

  get source() {
    return this.editor ? this.editor.code : this.box.querySelector(".cell_input pre").textContent.replace(/\n+$/, "");
  }

  activate() {
    this.note = element("span", "live-note");
    this.note.setAttribute("role", "status");
    this.runButton = button(this.isCheck ? "Check" : "Run", () => this.onRun());
    this.resetButton = button("Put back", () => this.putBack());
    this.runButton.setAttribute("aria-label", `${this.runButton.textContent} ${this.name}`);
    this.resetButton.setAttribute("aria-label", `Put back ${this.name} as it was`);
    this.bar = element("div", "live-bar", this.runButton, this.resetButton, this.note);
    if (this.heavy) {
      const really = button(`Run it really: about ${duration(this.heavy.seconds)}`, () => session.run(this, true));
      this.bar.insertBefore(really, this.note);
    }
    this.box.querySelector(".cell_input").after(this.bar);
    this.editor = new Editor(this.box.querySelector(".cell_input pre"), `Code of ${this.name}`, {
      changed: () => this.onChange(),
      run: () => session.run(this),
    });
    const kept = store.get(this.key);
    // What was written for another version of the cell is not lost, and not shown as this one.
    if (kept && kept.of === this.editor.original) this.editor.code = kept.code;
    this.resetButton.hidden = !this.editor.isChanged;
  }

  onRun() {
    if (session.running === this) session.stop();
    else session.run(this);
  }

  onChange() {
    const { isChanged, original, code } = this.editor;
    this.resetButton.hidden = !isChanged;
    store.set(this.key, isChanged ? { of: original, code } : null);
  }

  putBack() {
    this.editor.code = this.editor.original;
    this.onChange();
    this.editor.area.focus();
  }

  say(text) {
    this.note.textContent = text;
  }

  begin() {
    this.kinds = [];
    this.stream = null;
    this.fresh = element("div", "cell_output docutils container live-output");
    this.box.classList.add("live-running");
    this.runButton.textContent = "Stop";
    this.runButton.setAttribute("aria-label", `Stop ${this.name}`);
    const began = performance.now();
    this.say("running");
    this.timer = setInterval(() => {
      this.say(`running, ${Math.round((performance.now() - began) / 1000)} s`);
    }, 1000);
  }

  /* The new output takes the place of the old one when there is something to see. */
  show() {
    if (this.fresh.isConnected) return;
    this.output?.replaceWith(this.fresh);
    if (!this.fresh.isConnected) this.bar.after(this.fresh);
    this.built ??= this.output;
    this.output = this.fresh;
  }

  add(kind, text) {
    this.kinds.push([kind, text]);
    if (kind === "stdout" || kind === "stderr") {
      if (this.stream?.kind !== kind) {
        const pre = element("pre", "");
        this.fresh.append(element("div", "output stream notranslate", element("div", "highlight", pre)));
        this.stream = { kind, pre, text: "" };
      }
      this.stream.text += text;
      this.stream.pre.textContent = this.stream.text.replace(/[^\n]*\r(?!\n)/g, ""); // as a terminal
    } else {
      this.stream = null;
      this.fresh.append(this.shown(kind, text));
    }
    this.show();
    this.fresh.dispatchEvent(new CustomEvent("new-output", { bubbles: true }));
  }

  shown(kind, text) {
    if (kind === "html") {
      const box = element("div", "output text_html");
      box.innerHTML = text;
      return box;
    }
    if (kind === "png") return this.picture(text);
    const box = element("div", kind === "error" ? "output live-error" : "output text_plain highlight");
    box.append(element("pre", "", text));
    return box;
  }

  /* A figure keeps its number, its caption and what is said of it. */
  picture(text) {
    const old = (this.built ?? this.output)?.querySelector("figure, img");
    const box = old ? old.cloneNode(true) : element("img", "");
    const image = box.querySelector("img") ?? box;
    for (const name of ["width", "height", "loading", "srcset"]) image.removeAttribute(name);
    for (const other of box.querySelectorAll("source, .by-night")) other.remove(); // drawings of the built page
    image.closest(".by-day")?.classList.remove("by-day");
    image.classList.remove("drawing", "follows-theme");
    image.src = `data:image/png;base64,${text}`;
    image.alt ||= "Drawn by the code above";
    return box;
  }

  end(outcome, ms) {
    clearInterval(this.timer);
    this.box.classList.remove("live-running");
    this.runButton.textContent = this.isCheck ? "Check" : "Run";
    this.runButton.setAttribute("aria-label", `${this.runButton.textContent} ${this.name}`);
    this.outcome = outcome;
    this.ms = ms;
    if (outcome === "stored") {
      this.say("taken from the book's own run");
      return;
    }
    if (outcome !== "stopped" && !this.kinds.length && this.output) this.show();
    const words = { failed: "an error after ", stopped: "stopped after " };
    this.say((words[outcome] ?? "") + seconds(ms));
  }
}

/* ------------------------------------------------------------- the Python behind the page */

const session = {
  cells: [...document.querySelectorAll("div.cell")]
    .filter((box) => box.querySelector(".cell_input pre"))
    .map((box, index) => new Cell(box, index)),
  worker: null,
  ready: null,
  running: null,
  queue: Promise.resolve(),
  waiting: new Map(),
  next: 0,

  start() {
    this.ready ??= this.begin();
    return this.ready;
  },

  async begin() {
    this.say("Starting Python …");
    stop.hidden = false;
    await keepForLater();
    const began = performance.now();
    return new Promise((resolve, reject) => {
      const fail = (text) => {
        this.drop();
        this.say(`Python could not be started: ${text}`);
        reject(new Error(text));
      };
      this.worker = new Worker(`${root}_static/live/worker.js`);
      this.worker.onerror = (event) => fail(event.message || "the worker did not load");
      this.worker.onmessage = ({ data: message }) => {
        if (message.type === "progress") this.say(`${message.text} …`);
        if (message.type === "output" && message.cell !== null && !this.cells[message.cell].reads)
          this.cells[message.cell].add(message.kind, message.text);
        if (message.type === "ready") {
          this.times = { ...message.times, all: Math.round(performance.now() - began) };
          stop.hidden = this.running === null;
          this.say(`Python is ready, after ${seconds(this.times.all)}.`);
          resolve();
        }
        if (message.type === "broken" && message.id === undefined) fail(message.text);
        if (message.heap) this.heap = message.heap;
        if (this.waiting.has(message.id)) {
          this.waiting.get(message.id)(message);
          this.waiting.delete(message.id);
        }
      };
      this.worker.postMessage({ type: "boot", ...data.boot });
    });
  },

  ask(message) {
    const id = this.next++;
    return new Promise((resolve) => {
      this.waiting.set(id, resolve);
      this.worker.postMessage({ ...message, id });
    });
  },

  say(text) {
    status.textContent = text;
  },

  /* Cells wait for each other; a later one is run even if an earlier one has failed. */
  run(cell, really = false) {
    const job = this.queue.then(() => this.runNow(cell, really));
    this.queue = job.catch(() => false);
    return job;
  },

  async runNow(cell, really) {
    stop.hidden = false;
    try {
      return await this.runSteps(cell, really);
    } finally {
      stop.hidden = true;
    }
  },

  async runSteps(cell, really) {
    cell.say("waiting for Python");
    try {
      await this.start();
    } catch {
      cell.say("");
      return false;
    }
    cell.say("");
    const sources = this.cells.map((c) => c.source);
    const skip = this.cells.filter((c) => c.isSolution).map((c) => c.index);
    const { order } = await this.ask({ type: "plan", target: cell.index, sources, skip });
    const steps = (order ?? []).map(([index, code]) => {
      const step = this.cells[index];
      const holds = step.heavy?.code === code && !(really && step === cell);
      return { step, stored: holds ? step.heavy.file : null };
    });
    const long = steps.filter(({ step, stored }) => step.heavy && !stored && !(really && step === cell));
    if (long.length && !(await this.agreed(cell, long))) return false;
    for (const { step, stored } of steps) {
      step.reads = stored !== null;
      this.running = step;
      step.begin();
      if (step !== cell) cell.say(`needs ${step.name} first`);
      const began = performance.now();
      const answer = await this.ask({ type: "run", cell: step.index, source: sources[step.index], name: step.name, stored });
      this.running = null;
      const outcome = answer.outcome ?? "failed";
      step.end(stored && outcome === "ok" ? "stored" : outcome, answer.ms ?? performance.now() - began);
      if (answer.type === "broken" && answer.text) step.add("error", answer.text);
      if (step.isCheck) this.solved(step, outcome);
      if (outcome === "failed" || outcome === "stopped") {
        if (step !== cell) cell.say(`${step.name} above, which it needs, did not run through`);
        return false;
      }
    }
    if (/^Loading/.test(status.textContent)) this.say("Python is ready.");
    return true;
  },

  /* What takes minutes here is not begun without a word. */
  agreed(cell, long) {
    const all = long.reduce((sum, { step }) => sum + step.heavy.seconds, 0);
    const names = long.map(({ step }) => step.name).join(", ");
    return new Promise((resolve) => {
      const answer = (yes) => () => {
        box.remove();
        this.asking = null;
        cell.runButton.focus();
        resolve(yes);
      };
      const text = `Something that ${names} needs was changed, so the stored result does not hold. To compute it here takes about ${duration(all)}. `;
      const box = element("p", "live-question", text, button("Compute it", answer(true)), " ", button("Leave it", answer(false)));
      this.asking = answer(false);
      cell.bar.after(box);
      box.querySelector("button").focus();
    });
  },

  solved(cell, outcome) {
    const stub = this.cells.find((c) => c.exercise === cell.exercise && c.box.classList.contains("tag_stub"));
    if (outcome !== "right" || !cell.exercise || !stub?.editor.isChanged) return;
    const known = new Set(store.get(`solved:${chapter}`)?.solved ?? []);
    known.add(cell.exercise.id);
    store.set(`solved:${chapter}`, { of: exercises().length, solved: [...known] });
    tickExercises();
  },

  async runAll() {
    for (const cell of this.cells)
      if (!cell.exercise && !cell.isSolution && !(await this.run(cell)) && cell.outcome === "stopped") return;
  },

  drop() {
    this.worker?.terminate();
    this.worker = this.ready = null;
    stop.hidden = true;
    for (const [, resolve] of this.waiting) resolve({ outcome: "stopped" });
    this.waiting.clear();
  },

  /* Python itself cannot be interrupted without shared memory, so it is thrown away. */
  stop() {
    this.asking?.();
    this.drop();
    this.queue = Promise.resolve();
    this.say("Stopped. Your text is untouched; the next Run starts Python anew.");
  },
};

/* ----------------------------------------------------------- what is kept on this device */

const exercises = () => [...document.querySelectorAll(".exercise")].filter((box) => box.querySelector(".tag_check"));

function tickExercises() {
  const known = new Set(store.get(`solved:${chapter}`)?.solved ?? []);
  for (const box of exercises()) {
    const title = box.querySelector(".admonition-title");
    title.querySelector(".live-tick")?.remove();
    if (known.has(box.id)) title.append(" ", element("span", "live-tick", "✓ solved"));
  }
  tickChapters();
}

/* A service worker keeps what was loaded, so that the next visit needs no network. */
async function keepForLater() {
  try {
    await navigator.serviceWorker.register(`${root}live-cache.js`, { updateViaCache: "none" });
    const { active } = await navigator.serviceWorker.ready;
    const loaded = performance.getEntriesByType("resource").map((entry) => entry.name.split("#")[0]);
    active.postMessage({ keep: [location.href.split("#")[0], ...new Set(loaded)] });
    if (!navigator.serviceWorker.controller)
      await Promise.race([
        new Promise((resolve) => navigator.serviceWorker.addEventListener("controllerchange", resolve, { once: true })),
        new Promise((resolve) => setTimeout(resolve, 2000)),
      ]);
  } catch {
    /* a private window, or no secure address: Python is loaded again next time */
  }
}

async function saveNotebook() {
  const response = await fetch(`${root}notebooks/learner/${chapter}.ipynb`);
  const notebook = await response.json();
  const text = (cell) => [cell.source].flat().join("");
  for (const { editor } of session.cells) {
    if (!editor.isChanged) continue;
    const same = notebook.cells.find((cell) => cell.cell_type === "code" && !cell.mine && text(cell).trim() === editor.original.trim());
    if (same) Object.assign(same, { source: editor.code, mine: true });
  }
  for (const cell of notebook.cells) delete cell.mine;
  const link = element("a", "");
  link.href = URL.createObjectURL(new Blob([JSON.stringify(notebook, null, 1)], { type: "application/json" }));
  link.download = `${chapter}-mine.ipynb`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  session.say(`Saved as ${link.download}, with what you have written.`);
}

function clearAll() {
  if (!confirm("Put every cell of this chapter back as it was, and forget which exercises are solved?")) return;
  for (const cell of session.cells) {
    cell.editor.code = cell.editor.original;
    cell.onChange();
  }
  store.set(`solved:${chapter}`, null);
  tickExercises();
  session.say("All cells are as they were.");
}

/* ------------------------------------------------------------------- the line at the top */

const status = element("span", "live-status");
status.setAttribute("role", "status");
const stop = button("Stop", () => session.stop());
stop.hidden = true;

function activate() {
  if (session.active) return;
  session.active = true;
  document.body.append(element("p", "live-keys", "Shift and Enter run the cell. Tab indents once you write; Escape, then Tab, leaves the field."));
  document.querySelector(".live-keys").id = "live-keys";
  session.cells.forEach((cell) => cell.activate());
  more.hidden = false;
}

const go = button("Run the code on this page", () => {
  activate();
  go.hidden = true;
  session.start().catch(() => (go.hidden = false));
});
const more = element(
  "span", "live-more",
  button("Run all", () => session.runAll()),
  button("Save as notebook", saveNotebook),
  button("Clear what I wrote", clearAll),
);
more.hidden = true;

/* Where a page may not compile WebAssembly, Python would wait for ever. */
function canCompile() {
  try {
    return Boolean(new WebAssembly.Module(Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0)));
  } catch {
    return false;
  }
}

if (line && session.cells.length) {
  if (!window.Worker || !canCompile()) {
    line.textContent = "The code on this page cannot be run here: this browser, or this site's own settings, do not allow WebAssembly. The notebook above runs in Jupyter.";
  } else {
    status.textContent = `In this browser, with about ${data.megabytes} MB from this site and none from elsewhere; what you write stays on this device.`;
    line.replaceChildren(go, stop, status, more);
    tickExercises();
    if (session.cells.some((cell) => store.get(cell.key))) activate();
  }
}

window.liveSession = session; // for the tests
