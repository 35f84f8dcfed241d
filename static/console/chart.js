// Reads the numbers of a chart at the pointer, or with the arrow keys. The table below it has the same numbers without scripts.
(() => {
  const stepsOf = (plot) => [...plot.querySelectorAll("svg > g")];
  const choose = (plot, step) => {
    plot.querySelector(".plot-chosen")?.classList.remove("plot-chosen");
    step.classList.add("plot-chosen");
    plot.closest(".plot").querySelector("[data-readout]").textContent = step.querySelector("title").textContent;
  };

  document.addEventListener("pointerover", ({ target }) => {
    const step = target.closest?.("[data-plot] svg > g");
    if (step) choose(step.closest("[data-plot]"), step);
  });
  document.addEventListener("keydown", (event) => {
    const plot = event.target.closest?.("[data-plot]");
    const moves = { ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity };
    if (!plot || !(event.key in moves) || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    const steps = stepsOf(plot);
    const now = steps.findIndex((step) => step.matches(".plot-chosen"));
    // Nothing is chosen yet: the first arrow begins at its end of the chart.
    const begin = moves[event.key] > 0 ? -1 : steps.length;
    const wanted = (now < 0 ? begin : now) + moves[event.key];
    choose(plot, steps[Math.min(steps.length - 1, Math.max(0, wanted))]);
  });
})();
