/* What a reference leads to, shown beside it: equations, figures, terms and cited works, at the
   pointer, at the focus of the keyboard and at a long press. The link stays what it is. */
(() => {
  "use strict";
  const KINDS = [/^equation-/, /^fig-/, /^term-/];
  const DWELL = 250, LEAVE = 250, LONG_PRESS = 500, EDGE = 8;
  const script = document.currentScript.src, pages = new Map();
  let shown = null, card = null, timer = 0, pressed = false;

  const cited = (link) => link.dataset.work;
  const place = (link) => decodeURIComponent(link.hash.slice(1));
  const previewed = (node) => {
    const link = node.closest?.(".bd-article a.reference.internal[href*='#']");
    if (!link || link.closest(".preview")) return null;
    return cited(link) || KINDS.some((kind) => kind.test(place(link))) ? link : null;
  };

  /* Another page of the book, once; a page that was opened from a folder may not read others. */
  function page(address) {
    if (!pages.has(address)) {
      const read = fetch(address).then((answer) => (answer.ok ? answer.text() : Promise.reject(new Error(answer.status))));
      pages.set(address, read.then((text) => new DOMParser().parseFromString(text, "text/html")));
      pages.get(address).catch(() => pages.delete(address)); // offline, perhaps not the next time
    }
    return pages.get(address);
  }

  async function target(link) {
    const address = link.href.split("#")[0];
    const here = address === location.href.split("#")[0];
    if (!here && !/^http/.test(location.protocol)) return null;
    const found = (here ? document : await page(address)).getElementById(place(link));
    return found && { found, address };
  }

  /* A copy without what only the original needs: names, buttons, places for the keyboard. */
  function copied({ found, address }) {
    const parts = [found];
    if (found.matches("dt")) {
      for (let next = found; (next = next.nextElementSibling) && parts.length < 3; ) {
        parts.push(next);
        if (next.matches("dd")) break;
      }
    }
    return parts.map((part) => {
      const copy = document.importNode(part, true);
      for (const node of [copy, ...copy.querySelectorAll("*")]) {
        node.removeAttribute("id");
        node.removeAttribute("loading");
        for (const name of ["src", "href"]) {
          const value = node.getAttribute(name);
          if (value) node.setAttribute(name, new URL(value, address));
        }
        if (node.matches("a")) node.tabIndex = -1;
      }
      for (const node of copy.querySelectorAll(".headerlink, button")) node.remove();
      return copy;
    });
  }

  function hide() {
    clearTimeout(timer);
    shown?.removeAttribute("aria-describedby");
    card?.remove();
    shown = card = null;
  }

  /* Below the link, or above it where there is more room; never past an edge of the window. */
  function put(link) {
    const at = link.getClientRects()[0], width = document.documentElement.clientWidth;
    const below = innerHeight - at.bottom, above = at.top;
    card.style.maxHeight = `${Math.max(below, above) - 2 * EDGE}px`;
    card.style.left = `${Math.max(EDGE, Math.min(at.left, width - card.offsetWidth - EDGE)) + scrollX}px`;
    const top = below > card.offsetHeight + EDGE || below >= above ? at.bottom + 6 : at.top - card.offsetHeight - 6;
    card.style.top = `${top + scrollY}px`;
  }

  async function show(link) {
    if (shown === link) return;
    hide();
    shown = link;
    const content = cited(link) ? [cited(link)] : await target(link).then((it) => it && copied(it), () => null);
    if (shown !== link || !content) return;
    card = document.createElement("div");
    card.id = "preview";
    card.className = "preview bd-article";
    card.setAttribute("role", "tooltip");
    card.append(...content);
    card.addEventListener("pointerenter", () => clearTimeout(timer));
    card.addEventListener("pointerleave", (event) => event.pointerType === "mouse" && later(hide, LEAVE));
    if (card.querySelector(".katex") && !document.querySelector("link[href*='katex.min.css']")) {
      const sheet = document.createElement("link"); // which only pages with equations have
      Object.assign(sheet, { rel: "stylesheet", href: new URL("../katex/katex.min.css", script) });
      sheet.addEventListener("load", () => card && put(link));
      document.head.append(sheet);
    }
    document.body.append(card);
    link.setAttribute("aria-describedby", "preview");
    put(link);
    const there = card;
    for (const image of card.querySelectorAll("img")) image.addEventListener("load", () => card === there && put(link));
  }

  function later(action, ms) {
    clearTimeout(timer);
    timer = setTimeout(action, ms);
  }

  for (const link of document.querySelectorAll(".bd-article .bibtex-citation a[title]")) {
    link.dataset.work = link.title; // instead of the browser's own box, which no keyboard opens
    link.removeAttribute("title");
  }

  document.addEventListener("pointerover", (event) => {
    const link = event.pointerType === "mouse" && previewed(event.target);
    if (link) later(() => show(link), DWELL);
  });
  document.addEventListener("pointerout", (event) => {
    if (event.pointerType !== "mouse" || !previewed(event.target)) return;
    later(() => document.activeElement !== shown && hide(), LEAVE);
  });
  document.addEventListener("focusin", (event) => {
    const link = previewed(event.target);
    if (link?.matches(":focus-visible")) show(link);
    else if (link !== shown && !card?.contains(event.target)) hide();
  });
  document.addEventListener("focusout", (event) => event.target === shown && hide());
  document.addEventListener("keydown", (event) => event.key === "Escape" && hide());

  /* A long press shows what a tap would lead to; the tap itself leads there as ever. */
  document.addEventListener("pointerdown", (event) => {
    pressed = false;
    const link = previewed(event.target);
    if (event.pointerType !== "mouse" && link) later(() => { pressed = true; show(link); }, LONG_PRESS);
    else if (card && !card.contains(event.target)) hide();
  });
  for (const kind of ["pointerup", "pointercancel"])
    document.addEventListener(kind, (event) => event.pointerType !== "mouse" && !pressed && clearTimeout(timer));
  document.addEventListener("contextmenu", (event) => {
    if (pressed && previewed(event.target)) event.preventDefault();
  });
  document.addEventListener("click", (event) => {
    if (!previewed(event.target)) return;
    if (pressed) event.preventDefault();
    else hide();
    pressed = false;
  });
})();
