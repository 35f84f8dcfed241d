// Copies identifiers, keys and examples. Pages work without it: the text can be selected.
(() => {
  const DONE_MS = 2000;
  const show = (button, words) => {
    const { ariaLabel, textContent } = button;
    const icon = button.querySelector("use");
    if (icon) button.ariaLabel = words;
    else button.textContent = words;
    button.dataset.done = words;
    setTimeout(() => {
      if (icon) button.ariaLabel = ariaLabel;
      else button.textContent = textContent;
      delete button.dataset.done;
    }, DONE_MS);
  };
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("button[data-copy]");
    if (!button || button.dataset.done) return;
    const text = document.getElementById(button.dataset.copy) ?? button.parentElement.querySelector("code");
    try {
      await navigator.clipboard.writeText(text.textContent);
      show(button, "Copied");
    } catch {
      // Without HTTPS there is no clipboard: select the text instead.
      getSelection().selectAllChildren(text);
      show(button, "Selected");
    }
  });
})();
