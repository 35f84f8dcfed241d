// Loads the editor, which is large, after the page, once the definition is in view or focused.
(() => {
  const root = document.querySelector("[data-editor]");
  if (!root) return;
  let loading = false;
  const load = () => {
    if (loading) return;
    loading = true;
    root.dataset.scripts.split(" ").forEach((url) => {
      const script = document.createElement("script");
      script.src = url;
      script.async = false; // keeps their order
      document.head.append(script);
    });
  };
  const seen = new IntersectionObserver((entries) => { if (entries.some((entry) => entry.isIntersecting)) load(); });
  root.addEventListener("focusin", load);
  if (document.readyState === "complete") seen.observe(root);
  else addEventListener("load", () => seen.observe(root));
})();
