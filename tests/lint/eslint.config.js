// Rules for the console's own scripts. They run in the browser as they are: no build, no modules.
import js from "@eslint/js";
import globals from "globals";

export default [
  js.configs.recommended,
  {
    languageOptions: {
      ecmaVersion: 2023,
      sourceType: "script",
      globals: { ...globals.browser, htmx: "readonly", CodeMirror: "readonly" },
    },
    linterOptions: { reportUnusedDisableDirectives: "error" },
  },
];
