export default {
  extends: ["stylelint-config-recommended"],
  rules: {
    // Rules are grouped by the part of the page that they style, not by specificity.
    "no-descending-specificity": null,
  },
};
