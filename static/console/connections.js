// Connections: the permission tree, and the popup in which a service asks for consent. Every page works without it.
// Like console.js it runs in the head and listens on the document. Calls to htmx wait until the page is ready.
(() => {
  const ready = new Promise((done) => { addEventListener("DOMContentLoaded", done); });

  // Permission tree: All Actions checks and disables all boxes; search; a live count

  const tree = (element) => element.closest("[data-scopes]");
  const boxes = (root) => [...root.querySelectorAll("input[name=scopes]")];

  const count = (root) => {
    const all = boxes(root);
    const chosen = all.filter((box) => box.checked).length;
    root.querySelector("[data-scope-count]").textContent = `${chosen} of ${all.length} permissions`;
  };
  document.addEventListener("change", (event) => {
    const root = tree(event.target);
    if (!root) return;
    if (event.target.name === "all_actions") {
      boxes(root).forEach((box) => {
        if (event.target.checked) box.dataset.before = box.checked ? "1" : "";
        box.checked = event.target.checked || box.dataset.before === "1";
        box.disabled = event.target.checked;
      });
    }
    count(root);
  });
  document.addEventListener("input", (event) => {
    if (!event.target.matches("[data-scope-search]")) return;
    const words = event.target.value.trim().toLowerCase().split(/\s+/);
    tree(event.target).querySelectorAll("details").forEach((module) => {
      const name = module.querySelector("summary").textContent.toLowerCase();
      let shown = 0;
      module.querySelectorAll("li").forEach((item) => {
        const text = `${name} ${item.textContent.toLowerCase()}`;
        item.hidden = !words.every((word) => text.includes(word));
        shown += item.hidden ? 0 : 1;
      });
      module.hidden = shown === 0;
      if (words[0]) module.open = shown > 0;
    });
  });

  // Popup with the service's page. The form targets it by name; this code only opens it with a size. It needs no opener.

  const channel = (flow) => new BroadcastChannel(`flow-${flow}`);
  let current = null;

  const openWindow = (form) => {
    const name = `authorize-${form.dataset.flow}`;
    const width = Math.min(600, screen.availWidth);
    const height = Math.min(760, screen.availHeight);
    const popup = window.open("", name, `popup,width=${width},height=${height}`);
    form.target = popup ? name : "";
    return popup !== null;
  };
  const wait = (form) => {
    const { flow, waiting } = form.dataset;
    current?.channel.close();
    current = { form, channel: channel(flow) };
    current.channel.addEventListener("message", (event) => {
      if (event.data !== "finished") return;
      current.channel.postMessage("seen");
      htmx.trigger("#flow-status", "flow-finished");
    });
    form.hidden = true;
    form.parentElement.querySelectorAll(".reuse, .message").forEach((other) => { other.hidden = true; });
    if (document.getElementById("flow-status")) return;
    const place = document.createElement("div");
    form.after(place);
    ready.then(() => htmx.ajax("GET", waiting, { target: place, swap: "outerHTML" }));
  };
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!form.matches("form[data-popup]")) return;
    // If the browser blocks popups, the service's page opens in this window.
    if (openWindow(form)) setTimeout(() => wait(form));
  }, true);
  document.addEventListener("click", (event) => {
    if (!event.target.closest("[data-popup-again]") || !current) return;
    current.form.requestSubmit();
  });

  // In the popup: notify the page that opened it; close on success, stay open on failure

  const finish = (element) => {
    const { flowResult, outcome, next } = element.dataset;
    if (!["completed", "failed"].includes(outcome)) return;
    const line = channel(flowResult);
    let seen = false;
    line.addEventListener("message", (event) => {
      if (event.data !== "seen" || seen) return;
      seen = true;
      if (outcome === "completed") window.close();
    });
    line.postMessage("finished");
    setTimeout(() => {
      if (!seen && outcome === "completed") location.replace(next);
    }, 1500);
  };
  ready.then(() => {
    const result = document.querySelector("[data-flow-result]");
    if (result) finish(result);
  });
})();
