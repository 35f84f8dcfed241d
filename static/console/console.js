// Behavior of all pages. Every page works without it.
// It runs in the head and listens on the document, so no click or key press comes too early for it.
(() => {
  const root = document.documentElement;
  const UNANSWERED = "The console did not respond. Nothing was changed. Try again.";
  const REFUSED = "The console rejected this request. This page may be out of date. Nothing was changed. Reload the page and try again.";

  const ANSWERS = "form :is(input:not([type=hidden], [type=radio]:not(:checked)), select, textarea, button:not([tabindex='-1']))";

  // Theme

  const showTheme = () => {
    document.querySelectorAll("input[name=theme]").forEach((input) => {
      input.checked = input.value === (root.dataset.bsTheme ?? "system");
    });
  };
  document.addEventListener("change", ({ target }) => {
    if (!target.matches("input[name=theme]")) return;
    if (target.value === "system") delete root.dataset.bsTheme;
    else root.dataset.bsTheme = target.value;
    try {
      localStorage.setItem("theme", target.value);
    } catch {
      // Storage is blocked: the choice lasts for this page only.
    }
  });

  // Search

  const writing = (element) => element.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(element.tagName);
  document.addEventListener("keydown", (event) => {
    const slash = event.key === "/" && !event.ctrlKey && !event.metaKey && !event.altKey && !writing(event.target);
    const search = document.getElementById("search");
    if (!slash || !search || document.querySelector("dialog:modal")) return;
    event.preventDefault();
    search.focus();
    search.select();
  });

  // Dialogs: the server renders them open and inline; this makes them modal.

  // By default the browser focuses the close button. Focus the first field instead.
  const focusAnswer = (dialog) => {
    (dialog.querySelector("[autofocus], [aria-invalid=true]") ?? dialog.querySelector(ANSWERS))?.focus();
  };
  const openDialogs = () => {
    document.querySelectorAll("dialog[data-modal]:not(:modal)").forEach((dialog) => {
      const focused = document.activeElement;
      dialog.removeAttribute("open");
      dialog.showModal();
      // People cannot reach anything outside it.
      dialog.prepend(...document.querySelectorAll("#messages > .message"));
      // Keep the focus of a person who is already typing.
      if (dialog.contains(focused) && focused.matches(ANSWERS)) focused.focus();
      else focusAnswer(dialog);
    });
  };
  const leave = (dialog) => {
    if (dialog.dataset.closeUrl) location.assign(dialog.dataset.closeUrl);
    else dialog.close();
  };
  document.addEventListener("click", (event) => {
    event.target.closest("[data-dismiss]")?.closest(".message").remove();
  });
  // The cancel event does not bubble. File inputs fire one too.
  document.addEventListener("cancel", (event) => {
    if (!event.target.matches("dialog[data-modal]")) return;
    event.preventDefault();
    leave(event.target);
  }, true);

  // Times in the reader's time zone

  const format = (options) => new Intl.DateTimeFormat(undefined, options);
  const zoned = format({ dateStyle: "long", timeStyle: "short" });
  // The same styles as in interface.py.
  const day = { day: "numeric", month: "short" };
  const hour = { hour: "2-digit", minute: "2-digit" };
  const styles = {
    date: format(day),
    time: format(hour),
    "date-time": format({ ...day, ...hour }),
    exact: format({ dateStyle: "long", timeStyle: "long" }),
  };
  const localize = () => {
    document.querySelectorAll("time[datetime]:not([data-local])").forEach((time) => {
      const moment = new Date(time.dateTime);
      if (Number.isNaN(moment.valueOf())) return;
      if (time.dataset.style) time.textContent = styles[time.dataset.style].format(moment);
      else time.title = zoned.format(moment);
      time.dataset.local = "";
    });
    // A <title> in SVG cannot contain an element.
    document.querySelectorAll("title[data-moment]").forEach((title) => {
      const moment = styles["date-time"].format(new Date(title.dataset.moment));
      title.textContent = `${moment}: ${title.dataset.words}`;
      delete title.dataset.moment;
    });
    document.querySelectorAll("[data-time-zone]").forEach((place) => {
      place.textContent = zoned.resolvedOptions().timeZone;
    });
  };

  // Forms that were not saved because the session had ended: what was typed is kept in this tab until the next page of
  // the same person. If the server says that the form was not saved, that page gets it back.

  const KEPT = "form";
  const personHere = () => document.querySelector("[data-person]")?.dataset.person;
  const isTick = (field) => ["checkbox", "radio"].includes(field.type);
  const nameOf = (field) => (isTick(field) ? `${field.name}=${field.value}` : field.name);
  const isPost = (form) => form.getAttribute("method") === "post";
  const actionOf = (form) => new URL(form.getAttribute("action") ?? "", location).pathname;
  // Never a secret, and nothing that the page itself sets.
  const typedFields = (form) => [...form.elements].filter((field) => field.name
    && field.matches("input:not([type=hidden], [type=password], [type=file], [type=submit]), select, textarea"));
  const keep = (form) => {
    const person = personHere();
    if (!person || !form || !isPost(form)) return;
    const values = typedFields(form).map((field) => [nameOf(field), isTick(field) ? field.checked : field.value]);
    try {
      sessionStorage.setItem(KEPT, JSON.stringify({ person, action: actionOf(form), values: Object.fromEntries(values) }));
    } catch {
      // Storage is blocked or full: the text is not kept.
    }
  };
  document.addEventListener("submit", ({ target }) => keep(target), true);
  document.addEventListener("htmx:beforeRequest", ({ target }) => keep(target.closest("form")));
  const takeKept = () => {
    try {
      const kept = JSON.parse(sessionStorage.getItem(KEPT));
      sessionStorage.removeItem(KEPT);
      return kept;
    } catch {
      return null;
    }
  };
  const restore = () => {
    const person = personHere();
    if (!person) return; // signing in
    const kept = takeKept();
    const message = document.querySelector("[data-restores] .message-words");
    if (!message || kept?.person !== person) return;
    const form = [...document.forms].find((each) => isPost(each) && actionOf(each) === kept.action
      && typedFields(each).some((field) => nameOf(field) in kept.values));
    if (!form) return;
    typedFields(form).forEach((field) => {
      const value = kept.values[nameOf(field)];
      if (value === undefined || value === (isTick(field) ? field.checked : field.value)) return;
      if (isTick(field)) field.checked = value;
      else field.value = value;
      ["input", "change"].forEach((type) => field.dispatchEvent(new Event(type, { bubbles: true })));
    });
    message.append(" What you typed is in the form again.");
  };

  // Progress and failure

  const progress = (shown) => { document.getElementById("progress").hidden = !shown; };
  let running = 0;
  let timer = 0;
  const begin = () => {
    running += 1;
    clearTimeout(timer);
    timer = setTimeout(progress, 100, true);
  };
  const end = () => {
    running = Math.max(0, running - 1);
    if (running) return;
    clearTimeout(timer);
    progress(false);
  };
  const say = (words) => {
    // While a modal dialog is open, people cannot reach anything outside it.
    const place = document.querySelector("dialog:modal") ?? document.getElementById("messages");
    const message = document.getElementById("message-failure").content.cloneNode(true);
    message.querySelector(".message-words").textContent = words;
    place.querySelectorAll(":scope > .message[data-failure]").forEach((old) => old.remove());
    message.querySelector(".message").dataset.failure = "";
    place.prepend(message);
  };

  document.addEventListener("submit", (event) => {
    const form = event.target;
    // htmx has its own events. A form that opens another window leaves this page in use.
    if (event.defaultPrevented || form.target || form.method === "dialog") return;
    if (form.ariaBusy === "true") {
      event.preventDefault();
      return;
    }
    form.ariaBusy = "true";
    if (event.submitter) event.submitter.ariaBusy = "true";
    begin();
  });
  addEventListener("pageshow", (event) => {
    if (!event.persisted) return;
    document.querySelectorAll("[aria-busy=true]").forEach((busy) => { busy.ariaBusy = null; });
    running = 0;
    end();
  });

  const busy = (event, is) => {
    const { elt, requestConfig } = event.detail;
    const button = requestConfig?.triggeringEvent?.submitter ?? elt;
    if (button.matches(".btn, button")) button.ariaBusy = is ? "true" : null;
  };
  // A page that is redirected asks nothing more: the next answer would take the messages of the page that is loading.
  let isLeaving = false;
  document.addEventListener("htmx:beforeOnLoad", ({ detail }) => { isLeaving ||= detail.xhr.getResponseHeader("HX-Redirect") !== null; });
  addEventListener("pageshow", () => { isLeaving = false; });
  document.addEventListener("htmx:beforeRequest", (event) => {
    if (isLeaving) {
      event.preventDefault();
      return;
    }
    begin();
    busy(event, true);
  });
  document.addEventListener("htmx:afterRequest", (event) => { end(); busy(event, false); });
  document.addEventListener("htmx:sendError", () => say(UNANSWERED));
  document.addEventListener("htmx:timeout", () => say(UNANSWERED));
  document.addEventListener("htmx:responseError", (event) => {
    say(event.detail.xhr.status >= 500 ? UNANSWERED : REFUSED);
  });
  document.addEventListener("htmx:beforeSwap", ({ detail }) => {
    // A redirect led to another page, for example because another tab has finished this step. Open it as a page.
    if (!detail.shouldSwap || !/^\s*<!doctype/i.test(detail.serverResponse)) return;
    const part = detail.select ?? detail.requestConfig.elt.closest("[hx-select]")?.getAttribute("hx-select");
    const answer = new DOMParser().parseFromString(detail.serverResponse, "text/html");
    if (part && answer.querySelector(part)) return;
    detail.shouldSwap = false;
    location.assign(detail.xhr.responseURL);
  });
  document.addEventListener("htmx:load", (event) => {
    openDialogs();
    localize();
    // The focused element was replaced by the next step of the dialog.
    const dialog = event.target.closest("dialog:modal");
    if (dialog && document.activeElement === document.body) focusAnswer(dialog);
  });

  // Start. htmx begins to listen at DOMContentLoaded. Events that happen earlier are recorded here and triggered
  // again once it listens. Browser tests wait for data-ready.

  const EARLY_TYPES = ["input", "change", "toggle"];
  const earlyEvents = [];
  const recordEarly = ({ type, target }) => {
    if (!target.closest("[hx-trigger]") || earlyEvents.some((old) => old.type === type && old.target === target)) return;
    earlyEvents.push({ type, target });
  };
  EARLY_TYPES.forEach((type) => document.addEventListener(type, recordEarly, true));
  addEventListener("DOMContentLoaded", () => {
    showTheme();
    openDialogs();
    localize();
    restore();
    EARLY_TYPES.forEach((type) => document.removeEventListener(type, recordEarly, true));
    earlyEvents.forEach(({ type, target }) => window.htmx?.trigger(target, type));
    root.dataset.ready = "";
  });
})();
