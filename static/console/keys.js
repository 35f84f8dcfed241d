// Copies keys and tokens, and submits the form that opens an application. Pages work without it.
(() => {
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("button[data-copy]");
    if (!button) return;
    const text = document.getElementById(button.dataset.copy);
    try {
      await navigator.clipboard.writeText(text.textContent);
      button.textContent = "Copied";
    } catch {
      // Without HTTPS there is no clipboard: select the text instead.
      getSelection().selectAllChildren(text);
      button.textContent = "Selected";
    }
  });
  addEventListener("DOMContentLoaded", () => document.querySelector("form[data-send]")?.submit());
})();
