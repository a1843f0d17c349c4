/* A cell's code, to be written in: the painted code below, a text field without colours above it. */

const TOKENS = [
  ["c1", /#[^\n]*/],
  ["s2", /(?:\b[rbfuRBFU]{1,2})?(?:"""[^]*?(?:"""|$)|'''[^]*?(?:'''|$)|"(?:\\.|[^"\\\n])*"?|'(?:\\.|[^'\\\n])*'?)/],
  ["kc", /\b(?:False|None|True)\b/],
  ["ow", /\b(?:and|in|is|not|or)\b/],
  ["k", /\b(?:as|assert|async|await|break|class|continue|def|del|elif|else|except|finally|for|from|global|if|import|lambda|nonlocal|pass|raise|return|try|while|with|yield)\b/],
  ["mi", /\b\d[\d_]*(?:\.\d*)?(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?/],
  ["o", /[-+*/%@=<>!&|^~]+/],
];
const TOKEN = new RegExp(TOKENS.map(([, pattern]) => `(${pattern.source})`).join("|"), "g");
const INDENT = "    ";

/* Colour code with the classes that the page's own style sheet knows. */
function paint(code, into) {
  into.textContent = "";
  let at = 0;
  for (const match of code.matchAll(TOKEN)) {
    into.append(code.slice(at, match.index));
    const span = document.createElement("span");
    span.className = TOKENS[match.slice(1).findIndex((group) => group !== undefined)][0];
    span.textContent = match[0];
    into.append(span);
    at = match.index + match[0].length;
  }
  into.append(`${code.slice(at)}\n`);
}

export class Editor {
  /* `pre` holds the code as it was built; `label` names the field. */
  constructor(pre, label, { changed, run }) {
    this.pre = pre;
    this.original = pre.textContent.replace(/\n+$/, "");
    this.built = [...pre.childNodes].map((node) => node.cloneNode(true));
    this.changed = changed;
    this.run = run;
    this.takesTab = false;
    this.area = document.createElement("textarea");
    Object.assign(this.area, { className: "live-area", spellcheck: false, value: this.original });
    for (const [name, value] of Object.entries({
      "aria-label": label, "aria-describedby": "live-keys", autocapitalize: "off",
      autocomplete: "off", autocorrect: "off", wrap: "off",
    })) this.area.setAttribute(name, value);
    pre.parentElement.classList.add("live-box");
    pre.removeAttribute("tabindex");
    pre.after(this.area);
    this.area.addEventListener("input", () => this.onInput());
    this.area.addEventListener("keydown", (event) => this.onKey(event));
    this.area.addEventListener("pointerdown", () => (this.takesTab = true));
    this.area.addEventListener("blur", () => (this.takesTab = false));
  }

  get code() {
    return this.area.value;
  }

  set code(text) {
    this.area.value = text;
    this.repaint();
  }

  get isChanged() {
    return this.code !== this.original;
  }

  repaint() {
    if (this.isChanged) paint(this.code, this.pre);
    else this.pre.replaceChildren(...this.built.map((node) => node.cloneNode(true)));
  }

  onInput() {
    this.repaint();
    this.changed();
  }

  /* Write at the cursor so that undo knows of it. */
  insert(text) {
    if (document.execCommand("insertText", false, text)) return;
    this.area.setRangeText(text, this.area.selectionStart, this.area.selectionEnd, "end");
    this.onInput();
  }

  /* Tab indents only for who writes here: whoever walks through the page by Tab walks on. */
  onKey(event) {
    const { key, shiftKey, ctrlKey, metaKey, altKey, isComposing } = event;
    if (isComposing) return;
    if (key === "Enter" && (shiftKey || ctrlKey || metaKey)) {
      event.preventDefault();
      this.run();
    } else if (key === "Escape") {
      this.takesTab = false;
    } else if (key === "Tab" && this.takesTab && !ctrlKey && !metaKey && !altKey) {
      event.preventDefault();
      this.indent(shiftKey);
    } else if (key === "Enter") {
      event.preventDefault();
      const line = this.code.slice(0, this.area.selectionStart).split("\n").pop();
      this.insert(`\n${line.match(/^ */)[0]}${/:\s*$/.test(line) ? INDENT : ""}`);
      this.takesTab = true;
    } else if (key === "Backspace" && this.area.selectionStart === this.area.selectionEnd) {
      const line = this.code.slice(0, this.area.selectionStart).split("\n").pop();
      if (line && /^ +$/.test(line) && line.length % INDENT.length === 0) {
        event.preventDefault();
        this.area.selectionStart -= INDENT.length;
        if (!document.execCommand("delete")) this.insert("");
      }
    } else if (key.length === 1 && !ctrlKey && !metaKey) {
      this.takesTab = true;
    }
  }

  indent(back) {
    const { selectionStart: from, selectionEnd: to } = this.area;
    if (from === to && !back) {
      this.insert(INDENT);
      return;
    }
    const start = this.code.lastIndexOf("\n", from - 1) + 1;
    const lines = this.code.slice(start, to).split("\n");
    const moved = lines.map((line) => (back ? line.replace(/^ {1,4}/, "") : INDENT + line)).join("\n");
    this.area.setSelectionRange(start, to);
    this.insert(moved);
    this.area.setSelectionRange(from === to ? start + moved.length : start, start + moved.length);
  }
}
