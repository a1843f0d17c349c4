/* What is wider than its box can be scrolled by keyboard, too. */
(() => {
  "use strict";
  const BOXES = ".math-box, span.math, .pst-scrollable-table-container, pre, .cell_output > .output, .bd-sidebar-primary, .bd-sidebar-secondary";

  function update() {
    for (const box of document.querySelectorAll(BOXES)) {
      const scrolls = box.scrollWidth > box.clientWidth + 1 || box.scrollHeight > box.clientHeight + 1;
      if (scrolls && box.clientWidth) box.tabIndex = 0;
      else if (!scrolls) box.removeAttribute("tabindex");
    }
  }

  addEventListener("load", update);
  addEventListener("resize", update);
  document.addEventListener("click", () => setTimeout(update, 300));
})();
