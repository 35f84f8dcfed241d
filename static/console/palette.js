// The palette on Ctrl+K: a combobox with a listbox (WAI-ARIA APG) in a modal dialog. The server finds the results.
// Every page works without it: the header has a search form.
(() => {
  const dialog = () => document.getElementById("palette");
  const input = () => document.getElementById("palette-input");
  const options = () => [...document.querySelectorAll("#palette-results [role=option]")];
  const chosen = () => options().find((option) => option.ariaSelected === "true");

  const choose = (option) => {
    options().forEach((each) => { each.ariaSelected = String(each === option); });
    if (option) input().setAttribute("aria-activedescendant", option.id);
    else input().removeAttribute("aria-activedescendant");
    option?.scrollIntoView({ block: "nearest" });
  };
  const move = (step) => {
    const all = options();
    if (all.length === 0) return;
    const at = all.indexOf(chosen());
    choose(all[(at + step + all.length) % all.length]);
  };
  const open = () => {
    if (!dialog() || document.querySelector("dialog:modal")) return;
    dialog().showModal(); // the browser keeps the focus inside, and returns it afterwards
    input().focus();
    input().select();
    window.htmx?.trigger(input(), "palette-open");
  };

  document.addEventListener("keydown", (event) => {
    const ctrlK = event.key.toLowerCase() === "k" && (event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey;
    if (!ctrlK || !dialog()) return;
    event.preventDefault();
    if (dialog().open) dialog().close();
    else open();
  });
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-palette-open]")) open();
    if (event.target.closest("[data-palette-close]") || event.target === dialog()) dialog().close();
    const theme = event.target.closest("[data-theme-choice]")?.dataset.themeChoice;
    if (!theme) return;
    const radio = document.querySelector(`input[name=theme][value=${theme}]`);
    radio.checked = true;
    radio.dispatchEvent(new Event("change", { bubbles: true }));
    dialog().close();
  });
  document.addEventListener("keydown", (event) => {
    if (event.target !== input()) return;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) {
      event.preventDefault();
      move(step);
    } else if (event.key === "Enter" && chosen()) {
      event.preventDefault();
      chosen().click();
    }
  });
  document.addEventListener("mousemove", (event) => {
    const option = event.target.closest("#palette-results [role=option]");
    if (option && option.ariaSelected !== "true") choose(option);
  });
  document.addEventListener("htmx:afterSwap", (event) => {
    if (event.target.id !== "palette-results") return;
    const all = options();
    input().ariaExpanded = String(all.length > 0);
    choose(all[0]);
    document.getElementById("palette-status").textContent = all.length === 1 ? "1 result" : `${all.length} results`;
  });
})();
