// Runs in the head, before anything is painted. Without it the system's preference stands.
(() => {
  const root = document.documentElement;
  root.classList.add("scripted");
  let theme = "system";
  try {
    theme = localStorage.getItem("theme") ?? theme;
  } catch {
    // A browser that forbids storage follows the system.
  }
  if (theme === "light" || theme === "dark") root.dataset.bsTheme = theme;
})();
