/* The lists of chapters and of contents, where they lie over the page, give way to what was chosen. */
(() => {
  "use strict";
  for (const dialog of document.querySelectorAll("#pst-primary-sidebar-modal, #pst-secondary-sidebar-modal")) {
    dialog.addEventListener("click", (event) => {
      if (event.target.closest("a[href], .search-button__button")) dialog.close();
    });
  }
})();

/* What is wider than its box can be scrolled by keyboard, too, and shows at which edge more lies. */
(() => {
  "use strict";
  const BOXES = ".math-box, span.math, .pst-scrollable-table-container, .table-figure, pre, .cell_output > .output, .bd-sidebar-primary, .bd-sidebar-secondary";

  const scrolls = (box) => box.scrollWidth > box.clientWidth + 1 || box.scrollHeight > box.clientHeight + 1;
  const measured = (box) => [box, scrolls(box), box.clientWidth, box.scrollLeft, box.scrollWidth - box.clientWidth - box.scrollLeft];

  function set([box, wide, shown, before, after]) {
    if (wide && shown) box.tabIndex = 0;
    else if (!wide) box.removeAttribute("tabindex");
    box.classList.toggle("more-left", before > 1);
    box.classList.toggle("more-right", after > 1);
  }

  const update = (box) => set(measured(box));

  /* Measuring a box lays it out, so that is done a few at a time when there is nothing else to do. */
  const idle = window.requestIdleCallback || ((task) => setTimeout(() => task({ timeRemaining: () => 8 }), 50));
  function updateAll() {
    const boxes = [...document.querySelectorAll(BOXES)];
    const next = (deadline) => {
      const some = []; // all are measured before one is changed, which would lay out the page again
      do some.push(measured(boxes.pop())); while (boxes.length && deadline.timeRemaining() > 4);
      some.forEach(set);
      if (boxes.length) idle(next);
      else document.documentElement.dataset.measured = "yes"; // for the tests
    };
    if (boxes.length) idle(next);
    else document.documentElement.dataset.measured = "yes";
  }

  let timer = 0;
  const later = () => {
    clearTimeout(timer);
    timer = setTimeout(updateAll, 300);
  };
  addEventListener("load", updateAll);
  addEventListener("resize", later);
  document.addEventListener("scroll", ({ target }) => target.matches?.(BOXES) && update(target), { capture: true, passive: true });
  document.addEventListener("click", later);
  // What a cell has just shown is small, and is for the keyboard from the moment it is there.
  document.addEventListener("new-output", ({ target }) => target.querySelectorAll(BOXES).forEach(update));
})();

/* A figure that is tapped fills the window, and can be moved there. For the keyboard there is a
   button, which is seen when the focus is on it. */
(() => {
  "use strict";
  const PICTURES = ".bd-article figure img";

  function named(figure) {
    return figure.querySelector(".caption-number")?.textContent.trim() || "this figure";
  }

  // Enlarged on white, a figure is the one of the light theme in both.
  function enlarge(shown) {
    const figure = shown.closest("figure"), image = figure.querySelector("img");
    const dialog = document.createElement("dialog");
    dialog.className = "enlarged";
    dialog.setAttribute("aria-label", `${named(figure)}, enlarged`);
    const close = document.createElement("button");
    close.type = "button";
    close.textContent = "Close";
    const picture = new Image();
    picture.src = image.currentSrc || image.src;
    picture.alt = image.alt;
    const box = document.createElement("div");
    box.tabIndex = 0; // what is larger than the window is moved by the arrow keys
    box.setAttribute("role", "group");
    box.setAttribute("aria-label", "The figure");
    box.append(picture);
    dialog.append(close, box);
    // As large as its lettering wants to be, and larger where there is room. What has not been loaded
    // yet does not know its size.
    const fit = (width) => { picture.style.width = `max(${width}px, min(96vw, ${1.5 * width}px))`; };
    fit(image.naturalWidth || image.width);
    picture.addEventListener("load", () => fit(picture.naturalWidth));
    dialog.addEventListener("click", (event) => event.target !== box && dialog.close());
    dialog.addEventListener("close", () => dialog.remove());
    document.body.append(dialog);
    dialog.showModal();
  }

  for (const image of document.querySelectorAll(PICTURES)) {
    const figure = image.closest("figure"), button = document.createElement("button");
    button.type = "button";
    button.className = "enlarge";
    button.textContent = `Enlarge ${named(figure)}`;
    image.after(button);
  }
  document.addEventListener("click", (event) => {
    if (event.target.matches(PICTURES) && !event.target.closest("a, .preview")) enlarge(event.target);
    const button = event.target.closest(".enlarge");
    if (button) enlarge(button.parentElement.querySelector("img"));
  });
})();

/* The arrow keys turn the page, unless they are wanted where the focus is. */
(() => {
  "use strict";
  const TAKEN = "input, textarea, select, button, summary, [tabindex], [contenteditable], [role]:not(main), .explore *, .live-editor *";

  document.addEventListener("keydown", (event) => {
    const side = { ArrowLeft: "prev", ArrowRight: "next" }[event.key];
    const modified = event.altKey || event.ctrlKey || event.metaKey || event.shiftKey;
    if (!side || modified || event.defaultPrevented || event.target.closest?.(TAKEN)) return;
    const root = document.documentElement;
    if (document.querySelector("dialog[open]") || root.scrollWidth > root.clientWidth) return;
    const link = document.querySelector(`link[rel="${side}"]`);
    if (link) location.href = link.href;
  });
})();

/* The contents of the page follow the reader: marked is the section whose heading was passed last.
   The theme marks headings that come by, and loses track in a jump and on the way up. */
(() => {
  "use strict";
  const PASSED = 0.3; // of the window's height from its top, as the theme has it
  const links = [...document.querySelectorAll("#pst-page-toc-nav a[href^='#']")].filter((link) => link.hash.length > 1);
  const target = (link) => document.getElementById(decodeURIComponent(link.hash.slice(1)));
  const places = links.map(target);
  if (!links.length) return;

  function current() {
    const tops = places.map((place) => place?.getBoundingClientRect().top ?? Infinity);
    const passed = tops.findLastIndex((top) => top < PASSED * innerHeight);
    const root = document.documentElement;
    const asked = links.findIndex((link) => link.hash === location.hash);
    // Of two headings close to each other it is the one that was asked for, while it is in sight.
    if (asked >= 0 && asked < passed && tops[asked] >= 0) return links[asked];
    if (scrollY + innerHeight < root.scrollHeight - 2) return links[Math.max(0, passed)];
    // The last sections cannot come to the top: there it is the one that was asked for, too.
    return links[asked > passed && tops[asked] < innerHeight ? asked : tops.findLastIndex((top) => top < innerHeight)];
  }

  function mark() {
    const chosen = current();
    for (const link of links) {
      link.classList.toggle("active", link === chosen);
      if (link === chosen) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
    }
    for (const entry of document.querySelectorAll("#pst-page-toc-nav .toc-entry")) {
      entry.classList.toggle("active", entry.contains(chosen));
    }
    const bar = chosen.closest(".bd-sidebar-secondary");
    if (!bar) return;
    const link = chosen.getBoundingClientRect(), box = bar.getBoundingClientRect();
    bar.scrollTop += Math.min(0, link.top - box.top - 8) + Math.max(0, link.bottom - Math.min(box.bottom, innerHeight) + 8);
  }

  let timer = 0;
  addEventListener("scroll", () => {
    clearTimeout(timer);
    timer = setTimeout(mark, 100); // when the theme has had its say
  }, { passive: true });
  addEventListener("load", mark);
})();
