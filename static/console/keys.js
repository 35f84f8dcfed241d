// Copies what is shown once, and sends the form that opens an application. Pages work without it.
(() => {
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("button[data-copy]");
    if (!button) return;
    const text = document.getElementById(button.dataset.copy);
    try {
      await navigator.clipboard.writeText(text.textContent);
      button.textContent = "Copied";
    } catch {
      // No clipboard without https: select it for the person.
      getSelection().selectAllChildren(text);
      button.textContent = "Selected";
    }
  });
  addEventListener("DOMContentLoaded", () => document.querySelector("form[data-send]")?.submit());
})();
