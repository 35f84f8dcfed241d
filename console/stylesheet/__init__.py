"""The subset of Tabler's style sheet that the console uses, built with the static files."""
