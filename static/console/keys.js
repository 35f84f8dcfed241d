// Submits the form that opens an application. The page works without it.
addEventListener("DOMContentLoaded", () => document.querySelector("form[data-send]")?.submit());
