// What the shell does beyond plain pages. Every page works without it.
// It runs in the head and listens on the document, so that no press comes before it.
(() => {
  const root = document.documentElement;
  const UNANSWERED = "The console did not answer. Nothing was changed. Try again.";
  const REFUSED = "The console refused this, perhaps because this page is out of date. Nothing was changed. Reload the page and try again.";

  const ANSWERS = "form :is(input:not([type=hidden], [type=radio]:not(:checked)), select, textarea, button)";

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
      // The choice then lasts for this page.
    }
  });

  // Search

  const writing = (element) => element.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(element.tagName);
  document.addEventListener("keydown", (event) => {
    const slash = event.key === "/" && !event.ctrlKey && !event.metaKey && !event.altKey && !writing(event.target);
    const ctrlK = event.key.toLowerCase() === "k" && (event.ctrlKey || event.metaKey);
    const search = document.getElementById("search");
    if (!(slash || ctrlK) || !search || document.querySelector("dialog:modal")) return;
    event.preventDefault();
    search.focus();
    search.select();
  });

  // Dialogs: the server sends them open, as a part of the page; here they become modal.

  // Left alone, the focus would land on the close button.
  const focusAnswer = (dialog) => {
    (dialog.querySelector("[autofocus], [aria-invalid=true]") ?? dialog.querySelector(ANSWERS))?.focus();
  };
  const openDialogs = () => {
    document.querySelectorAll("dialog[data-modal]:not(:modal)").forEach((dialog) => {
      const focused = document.activeElement;
      dialog.removeAttribute("open");
      dialog.showModal();
      // A person who has begun to type goes on where they are.
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
  // cancel does not bubble; a file input fires one too.
  document.addEventListener("cancel", (event) => {
    if (!event.target.matches("dialog[data-modal]")) return;
    event.preventDefault();
    leave(event.target);
  }, true);

  // Times in the reader's zone

  const zoned = new Intl.DateTimeFormat(undefined, { dateStyle: "long", timeStyle: "short" });
  const localize = () => {
    document.querySelectorAll("time[datetime]:not([data-local])").forEach((time) => {
      const moment = new Date(time.dateTime);
      if (Number.isNaN(moment.valueOf())) return;
      time.title = zoned.format(moment);
      time.dataset.local = "";
    });
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
    // Outside an open modal dialog nothing can be read or closed.
    const place = document.querySelector("dialog:modal") ?? document.getElementById("messages");
    const message = document.getElementById("message-failure").content.cloneNode(true);
    message.querySelector(".message-words").textContent = words;
    place.querySelectorAll(":scope > .message[data-failure]").forEach((old) => old.remove());
    message.querySelector(".message").dataset.failure = "";
    place.prepend(message);
  };

  document.addEventListener("submit", (event) => {
    const form = event.target;
    // htmx has its own events, and a form that opens another window leaves this page as it is.
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
  document.addEventListener("htmx:beforeRequest", (event) => { begin(); busy(event, true); });
  document.addEventListener("htmx:afterRequest", (event) => { end(); busy(event, false); });
  document.addEventListener("htmx:sendError", () => say(UNANSWERED));
  document.addEventListener("htmx:timeout", () => say(UNANSWERED));
  document.addEventListener("htmx:responseError", (event) => {
    say(event.detail.xhr.status >= 500 ? UNANSWERED : REFUSED);
  });
  document.addEventListener("htmx:beforeSwap", (event) => {
    // The session ended: a sign-in page has no place inside another page.
    if (!new URL(event.detail.xhr.responseURL).pathname.endsWith("/accounts/login/")) return;
    event.detail.shouldSwap = false;
    location.reload();
  });
  document.addEventListener("htmx:load", (event) => {
    openDialogs();
    localize();
    // The next step of a dialog has taken away what had the focus.
    const dialog = event.target.closest("dialog:modal");
    if (dialog && document.activeElement === document.body) focusAnswer(dialog);
  });

  // The start. htmx listens from DOMContentLoaded on, which the window hears after the document: what was
  // answered or opened before is told to htmx then. Tests wait for data-ready.

  const HELD = ["input", "change", "toggle"];
  const held = [];
  const hold = ({ type, target }) => {
    if (!target.closest("[hx-trigger]") || held.some((old) => old.type === type && old.target === target)) return;
    held.push({ type, target });
  };
  HELD.forEach((type) => document.addEventListener(type, hold, true));
  addEventListener("DOMContentLoaded", () => {
    showTheme();
    openDialogs();
    localize();
    HELD.forEach((type) => document.removeEventListener(type, hold, true));
    held.forEach(({ type, target }) => window.htmx?.trigger(target, type));
    root.dataset.ready = "";
  });
})();
