// Lists: one box ticks all rows of the page. Every list works without it.
(() => {
  const boxes = (all) => [...all.closest("table").querySelectorAll("tbody input[type=checkbox]")];
  document.addEventListener("change", ({ target }) => {
    if (target.matches("[data-tick-all]")) {
      boxes(target).forEach((box) => { box.checked = target.checked; });
      return;
    }
    const all = target.closest("table")?.querySelector("[data-tick-all]");
    if (!all) return;
    const ticked = boxes(all).filter((box) => box.checked).length;
    all.checked = ticked === boxes(all).length;
    all.indeterminate = ticked > 0 && !all.checked;
  });
})();
