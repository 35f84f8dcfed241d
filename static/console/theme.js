// Applies the chosen theme. It runs in the head, before the first paint. Without it, the system's preference applies.
(() => {
  const root = document.documentElement;
  root.classList.add("scripted");
  let theme = "system";
  try {
    theme = localStorage.getItem("theme") ?? theme;
  } catch {
    // Storage is blocked: follow the system.
  }
  if (theme === "light" || theme === "dark") root.dataset.bsTheme = theme;
})();
