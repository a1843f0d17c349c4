/* The search: results while one types, each leading to a section, an equation, a term or a function.
   The index is made with the site (book/_ext/section_index.py) and loaded when somebody asks. */
(() => {
  "use strict";
  const GREEK = Object.fromEntries(
    ("alpha α beta β gamma γ delta δ epsilon ε zeta ζ eta η theta θ theta ϑ iota ι kappa κ lambda λ mu μ nu ν " +
      "xi ξ pi π rho ρ sigma σ sigma ς tau τ upsilon υ phi φ chi χ psi ψ omega ω").split(" ")
      .reduce((pairs, _, k, all) => (k % 2 ? pairs : [...pairs, [all[k + 1], all[k]]]), []));
  const MARKS = { "\u0302": " hat", "\u0304": " bar", "\u0303": " tilde" };
  const MOST = 12;

  /* Words in small letters, without accents; Greek letters by their names. */
  function plain(text) {
    return text
      .normalize("NFKD")
      .replace(/[α-ωϑΑ-Ω][\u0302-\u0304]?/g, (sign) =>
        ` ${GREEK[sign[0].toLowerCase()] || ""}${MARKS[sign[1]] || ""} `)
      .replace(/([A-Za-z])([\u0302-\u0304])/g, (_, letter, mark) => ` ${letter}${MARKS[mark]} `)
      .replace(/[\u0300-\u036f]/g, "")
      .toLowerCase()
      .replace(/['’]s\b/g, "")
      .replace(/[^a-z0-9.]+/g, " ")
      .replace(/\.(?!\d)|(?<!\d)\./g, " ")
      .replace(/\s+/g, " ")
      .trim();
  }

  /* Plural and singular are one; articles at the beginning of a title do not count. */
  const stem = (word) => (word.length > 3 && !word.endsWith("ss") ? word.replace(/s$/, "") : word);
  const stems = (text) => text.split(" ").map(stem).join(" ");
  const titled = (text) => stems(plain(text)).replace(/^(?:the|a|an) /, "");

  let index = null;
  function prepared() {
    if (index) return index;
    index = [];
    for (const [address, entries] of window.sectionIndex || []) {
      const page = entries.length ? entries[0][2] : "";
      let section = page;
      for (const [kind, anchor, title, also, text, code] of entries) {
        const names = kind === "name" ? [anchor.split(".").at(-1), anchor] : also.split("|");
        if (["page", "section", "generic"].includes(kind)) section = title;
        const title_ = titled(title.replace(/^(?:[\d.]+|Eq\. \([\d.]+\)) /, ""));
        index.push({
          kind, title, text, title_,
          address: address + (anchor ? `#${anchor}` : ""),
          where: kind === "page" ? "" : section === page || section === title ? page : `${page} › ${section}`,
          also_: names.map((name) => stems(plain(name))).filter(Boolean),
          page_: titled(page),
          text_: ` ${stems(plain(text))}`,
          code_: ` ${stems(plain(code))}`,
        });
      }
    }
    return index;
  }

  const WEIGHT = { page: 30, section: 15, generic: -10, equation: 10, figure: 0, term: 12, symbol: 8, name: 4 };
  const CODE = /[_.(]|[a-z][A-Z]/;

  /* How well an entry answers: its title before its other names, these before its words. */
  function score(entry, { phrase, tokens, code }) {
    const weight = WEIGHT[entry.kind] + (entry.kind === "name" && !code ? -140 : 0);
    const within = ` ${entry.title_}`;
    const share = Math.min(1, phrase.length / Math.max(1, entry.title_.length)) * 50;
    if (entry.also_.includes(phrase)) return 420 + weight;
    if (entry.title_ === phrase) return 400 + weight;
    if (entry.title_.startsWith(phrase)) return 250 + share + weight;
    if (within.includes(` ${phrase}`)) return 200 + share + weight;
    const all = (words) => tokens.every((token) => words.includes(` ${token}`));
    if (all(within)) return 150 + share + weight;
    if (all(`${within} ${entry.page_}`)) return 100 + weight;
    const count = entry.text_.split(` ${phrase}`).length - 1;
    if (count) return 60 + Math.min(25, 5 * count) + weight;
    if (entry.code_.includes(` ${phrase}`)) return 40 + weight / 3;
    if (all(`${entry.text_}${entry.code_}${within} ${entry.also_.join(" ")} ${entry.page_}`)) return 25 + weight / 3;
    return 0;
  }

  /* `eq 5.1` and `(5.1)` are the equation; `5.1` alone is a figure or a section as well. */
  function asked(question) {
    const number = question.match(/^\(?(eqs?|equations?|figs?|figures?)?\.? *(\(?) *(\d+(?:\.\d+)+) *\)?$/i);
    if (!number) return [question];
    const [, kind, bracket, digits] = number;
    if (/^f/i.test(kind || "")) return [`figure ${digits}`];
    return kind || bracket || question.startsWith("(") ? [`eq ${digits}`] : [`eq ${digits}`, `figure ${digits}`, digits];
  }

  function ranked(phrase, code) {
    const wanted = { phrase, tokens: phrase.split(" "), code };
    return prepared()
      .map((entry, order) => ({ entry, order, points: score(entry, wanted) }))
      .filter(({ points }) => points > 0)
      .sort((a, b) => b.points - a.points || a.order - b.order)
      .map(({ entry }) => entry);
  }

  function find(question) {
    question = question.trim();
    const phrases = asked(question).map((words) => stems(plain(words)).replace(/^(?:the|a|an) (?=.)/, ""));
    if (!phrases[0]) return { results: [], tokens: [] };
    const code = phrases.length === 1 && !/^(?:eq|figure) \d/.test(phrases[0]) && CODE.test(question.slice(0, -1));
    const tokens = phrases.length > 1 ? [phrases.at(-1)] : phrases[0].split(" ");
    const results = [...new Set(phrases.flatMap((phrase) => ranked(phrase, code)))];
    if (results.length) return { results, tokens };
    // Nothing has all the words: take those that occur, shortened if need be, the rarest first.
    const known = tokens.map((token) => {
      for (let length = token.length; length >= Math.min(token.length, Math.max(4, token.length - 4)); length--) {
        const hits = ranked(token.slice(0, length), code);
        if (hits.length) return { token: token.slice(0, length), hits };
      }
      return { token, hits: [] };
    }).filter(({ hits }) => hits.length).sort((a, b) => a.hits.length - b.hits.length);
    return { results: known.length ? known[0].hits : [], tokens: known.map(({ token }) => token) };
  }

  function element(name, attributes = {}, ...children) {
    const node = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
    node.append(...children);
    return node;
  }

  /* Text with the words marked that were asked for. */
  function marked(words, tokens) {
    const parts = [];
    for (const word of words) {
      const found = ` ${stems(plain(word))}`;
      const hit = tokens.some((token) => found.includes(` ${token}`));
      parts.push(hit ? element("mark", {}, word) : word, " ");
    }
    return parts;
  }

  /* The words around the best hit: the phrase if it is there, else where most of the words are near. */
  function snippet(text, tokens, length = 28) {
    const words = text.split(" ");
    const hits = words.map((word) => {
      const found = ` ${stems(plain(word))}`;
      return tokens.findIndex((token) => found.includes(` ${token}`));
    });
    let [best, start] = [-1, 0];
    for (let k = 0; k < words.length; k++) {
      if (hits[k] < 0) continue;
      const near = hits.slice(k, k + length);
      const run = tokens.length > 1 && hits[k] === 0 && hits[k + 1] === 1 ? 2 : 0;
      const worth = new Set(near.filter((hit) => hit >= 0)).size + run;
      if (worth > best) [best, start] = [worth, k];
    }
    const from = Math.max(0, start - 8);
    const part = words.slice(from, from + length);
    return [from ? "… " : "", ...marked(part, tokens), from + length < words.length ? "…" : ""];
  }

  let loading = null;
  const root = document.documentElement.dataset.content_root || "./";
  function load() {
    loading ||= new Promise((resolve, reject) => {
      const script = element("script", { src: `${root}_static/search-index.js` });
      script.onload = resolve;
      script.onerror = () => { loading = null; script.remove(); reject(new Error("no index")); };
      document.head.append(script);
    });
    return loading;
  }

  let serial = 0;
  function attach(form) {
    const input = form.querySelector("input[name=q]");
    const dialog = form.closest("dialog");
    const id = `search-results-${++serial}`;
    const list = element("div", { id, class: "found", role: "listbox", "aria-label": "Results" });
    const status = element("p", { class: "found-status", role: "status" });
    const box = element("div", { class: "found-box" }, status, list);
    form.after(box);
    for (const [key, value] of Object.entries({
      role: "combobox", "aria-autocomplete": "list", "aria-controls": id, "aria-expanded": "false",
    })) input.setAttribute(key, value);
    let chosen = -1;
    let answered = null; // the question whose results are shown

    function choose(k) {
      const options = [...list.children];
      chosen = options.length ? (k + options.length) % options.length : -1;
      options.forEach((option, j) => option.setAttribute("aria-selected", String(j === chosen)));
      if (chosen < 0) return input.removeAttribute("aria-activedescendant");
      input.setAttribute("aria-activedescendant", options[chosen].id);
      options[chosen].scrollIntoView({ block: "nearest" });
    }

    function show() {
      const question = answered = input.value;
      if (!dialog && location.pathname.endsWith("search.html")) history.replaceState(null, "", question ? `?q=${encodeURIComponent(question)}` : location.pathname);
      const { results, tokens } = find(question);
      const shown = results.slice(0, dialog ? MOST : 3 * MOST);
      list.replaceChildren(...shown.map((entry, k) => {
        const heading = element("span", { class: "found-title" }, ...marked(entry.title.split(" "), tokens));
        const option = element("a", { href: root + entry.address, role: "option", id: `${id}-${k}`, tabindex: "-1", "aria-selected": "false" }, heading);
        if (entry.where) option.append(element("span", { class: "found-where" }, entry.where));
        if (entry.text) option.append(element("span", { class: "found-text" }, ...snippet(entry.text, tokens)));
        return option;
      }));
      input.setAttribute("aria-expanded", String(shown.length > 0));
      status.textContent = !question.trim() ? "Words, a symbol (rho hat), an equation (5.1) or a function."
        : !results.length ? `Nothing was found for “${question.trim()}”.`
        : results.length > shown.length ? `The best ${shown.length} of ${results.length} results`
        : results.length === 1 ? "1 result" : `${results.length} results`;
      choose(shown.length ? 0 : -1);
    }

    const search = () => load().then(show, () => { status.textContent = "The index of the search could not be loaded."; });
    input.addEventListener("input", search);
    input.addEventListener("focus", () => { if (!list.children.length) search(); });
    input.addEventListener("keydown", (event) => {
      const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
      if (step && list.children.length) {
        event.preventDefault();
        choose(chosen + step);
      }
    });
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const go = () => list.children[chosen]?.click();
      if (answered === input.value) go();
      else search().then(go);
    });
    list.addEventListener("click", (event) => {
      if (event.target.closest("a") && dialog?.open) dialog.close();
    });
    if (!dialog) {
      input.value = new URLSearchParams(location.search).get("q") || "";
      input.focus();
    }
  }

  document.querySelectorAll("form.bd-search").forEach(attach);
  window.bookSearch = { load, find, plain }; // for the tests
})();
