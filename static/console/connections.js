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
    root.querySelector("[data-scope-count]").textContent = `${chosen} of ${all.length} permission${all.length === 1 ? "" : "s"}`;
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

  // Popup with the service's page. The form targets it by name; this code only opens it with a size.
  // Every attempt has a name of its own: a window that shows another site cannot be used again.

  const MARK = "popup"; // in the session storage of a popup: its flow
  const channel = (flow) => new BroadcastChannel(`flow-${flow}`);
  const ownFlow = () => {
    try {
      return sessionStorage.getItem(MARK);
    } catch {
      return null; // storage is blocked
    }
  };
  const panel = () => document.getElementById("authorize");
  let current = null;

  // Removing an element while htmx loads it is logged as an error.
  const whenIdle = (act) => {
    if (!document.querySelector(".htmx-request")) act();
    else document.addEventListener("htmx:afterSettle", () => whenIdle(act), { once: true });
  };
  const openWindow = (form, flow) => {
    const width = Math.min(600, screen.availWidth);
    const height = Math.min(760, screen.availHeight);
    const name = `authorize-${Date.now()}`;
    const popup = window.open("", name, `popup,width=${width},height=${height}`);
    // If the browser blocks popups, the service's page opens in this window.
    form.target = popup ? name : "";
    if (!popup) return null;
    popup.opener = null; // the service must not be able to change this page
    try {
      popup.sessionStorage.setItem(MARK, flow);
    } catch {
      // Storage is blocked.
    }
    return popup;
  };
  // The address keeps the flow, so that this page still waits after it is reloaded.
  const setFlow = (flow) => {
    const url = new URL(location);
    if (flow) url.searchParams.set("flow", flow);
    else url.searchParams.delete("flow");
    history.replaceState(history.state, "", url);
  };
  // This page, with the environments that were chosen.
  const pageOf = (form) => {
    const url = new URL(location);
    url.searchParams.delete("environment");
    new FormData(form).getAll("environments").forEach((each) => url.searchParams.append("environment", each));
    return url.pathname + url.search;
  };
  const hideForms = () => {
    panel().querySelectorAll("form:not([data-flow-cancel]), :scope > .message, :scope > .wizard-body").forEach((part) => { part.hidden = true; });
  };
  // The service's page has no tie to this page, so only a window that still shows the console can be closed.
  const closeIfOwn = (popup) => {
    try {
      if (popup?.location.href) popup.close();
    } catch {
      // It shows the service.
    }
  };
  const stopWaiting = () => {
    current?.line.close();
    clearInterval(current?.timer);
    current = null;
    setFlow("");
  };
  const refused = (page) => {
    stopWaiting();
    whenIdle(() => htmx.swap("#authorize", page, { swapStyle: "outerHTML" }));
  };
  const wait = (form, popup) => {
    const { flow } = panel().dataset;
    current?.line.close();
    clearInterval(current?.timer);
    const line = channel(flow);
    line.addEventListener("message", ({ data }) => {
      if (data !== "finished" && !data.refused) return;
      line.postMessage("seen");
      if (data.refused) refused(data.refused);
      else htmx.trigger("#flow-status", "flow-finished");
    });
    // Some services cut the connection to the window, and it looks closed; then the focus shows that people are back.
    const isClosed = () => Boolean(popup?.closed) && document.hasFocus();
    const timer = setInterval(() => { panel()?.toggleAttribute("data-popup-closed", isClosed()); }, 500);
    current = { form, line, popup, timer };
    hideForms();
    setFlow(flow);
    if (document.getElementById("flow-status")) return;
    const place = document.createElement("div");
    form.after(place);
    ready.then(() => htmx.ajax("GET", form.dataset.waiting, { target: place, swap: "outerHTML" }));
  };
  // The server shows what is missing, in this page rather than in a new window.
  const isComplete = (form) => form.checkValidity()
    && [...form.querySelectorAll("fieldset:has([type=checkbox])")].every((group) => group.querySelector(":checked"));
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.matches("[data-flow-cancel]")) {
      const began = current;
      closeIfOwn(began?.popup);
      stopWaiting();
      // The server does not know the page of a flow that has not begun.
      if (began && form.elements.next) form.elements.next.value = pageOf(began.form);
    }
    if (!form.matches("form[data-popup]")) return;
    if (!isComplete(form)) {
      event.preventDefault();
      const swap = { source: form, target: "#authorize", select: "#authorize", swap: "outerHTML" };
      ready.then(() => htmx.ajax("POST", form.getAttribute("action"), swap));
      return;
    }
    const { flow } = panel().dataset;
    const popup = openWindow(form, flow);
    if (popup) setTimeout(() => wait(form, popup));
  }, true);
  document.addEventListener("click", ({ target }) => {
    if (target.closest("[data-popup-close]")) window.close();
    if (!current) return;
    if (target.closest("[data-popup-again]")) current.form.requestSubmit();
  });

  // In the popup: notify the page that opened it. It closes on success, and stays open on failure.

  const notify = (flow, message, seen) => {
    const line = channel(flow);
    line.addEventListener("message", ({ data }) => { if (data === "seen") seen(); });
    line.postMessage(message);
  };
  const finish = ({ flowResult, outcome, next, leadsBack }) => {
    if (!["completed", "failed"].includes(outcome)) return;
    const isPopup = ownFlow() === flowResult;
    if (isPopup) {
      document.querySelectorAll("[data-flow-next], .next-steps").forEach((part) => { part.hidden = true; });
      document.querySelector("[data-popup-close]").hidden = false;
    }
    let seen = false;
    notify(flowResult, "finished", () => {
      seen = true;
      if (outcome === "completed") window.close();
    });
    setTimeout(() => {
      if (seen || outcome !== "completed") return;
      if (!isPopup) location.replace(next);
      // The page that opened this window has asked for the outcome, and gone on to where people came from.
      else if (leadsBack !== undefined) window.close();
    }, 1500);
  };
  ready.then(() => {
    const result = document.querySelector("[data-flow-result]");
    if (result) finish(result.dataset);
    const form = panel()?.querySelector("form[data-popup]");
    if (form && document.querySelector("[data-flow-waiting]")) wait(form, null);
    // The console has rejected the form: the page that sent it shows why.
    if (panel() && ownFlow() === panel().dataset.flow) {
      notify(ownFlow(), { refused: panel().outerHTML }, () => whenIdle(() => window.close()));
    }
  });
})();
