/* The lists of chapters and of contents, where they lie over the page, give way to what was chosen. */
(() => {
  "use strict";
  for (const dialog of document.querySelectorAll("#pst-primary-sidebar-modal, #pst-secondary-sidebar-modal")) {
    dialog.addEventListener("click", (event) => {
      if (event.target.closest("a[href], .search-button__button")) dialog.close();
    });
  }
})();

/* What is wider than its box can be scrolled by keyboard, too. */
(() => {
  "use strict";
  const BOXES = ".math-box, span.math, .pst-scrollable-table-container, pre, .cell_output > .output, .bd-sidebar-primary, .bd-sidebar-secondary";

  function update(box) {
    const scrolls = box.scrollWidth > box.clientWidth + 1 || box.scrollHeight > box.clientHeight + 1;
    if (scrolls && box.clientWidth) box.tabIndex = 0;
    else if (!scrolls) box.removeAttribute("tabindex");
  }

  /* Measuring a box lays it out, so that is done a few at a time when there is nothing else to do. */
  const idle = window.requestIdleCallback || ((task) => setTimeout(() => task({ timeRemaining: () => 8 }), 50));
  function updateAll() {
    const boxes = [...document.querySelectorAll(BOXES)];
    const some = (deadline) => {
      do update(boxes.pop()); while (boxes.length && deadline.timeRemaining() > 4);
      if (boxes.length) idle(some);
      else document.documentElement.dataset.measured = "yes"; // for the tests
    };
    if (boxes.length) idle(some);
    else document.documentElement.dataset.measured = "yes";
  }

  let timer = 0;
  const later = () => {
    clearTimeout(timer);
    timer = setTimeout(updateAll, 300);
  };
  addEventListener("load", updateAll);
  addEventListener("resize", later);
  document.addEventListener("click", later);
  // What a cell has just shown is small, and is for the keyboard from the moment it is there.
  document.addEventListener("new-output", ({ target }) => target.querySelectorAll(BOXES).forEach(update));
})();
