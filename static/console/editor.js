// A text area of JSON becomes an editor. Without scripts it stays a text area.
(() => {
  if (!window.CodeMirror) return;
  const {
    EditorState, EditorView, bracketMatching, classHighlighter, closeBrackets, closeBracketsKeymap, defaultKeymap,
    highlightActiveLineGutter, history, historyKeymap, indentOnInput, json, keymap, lineNumbers, lintGutter, lintKeymap,
    search, searchKeymap, setDiagnostics, syntaxHighlighting, syntaxTree,
  } = CodeMirror;
  const PAUSE = 500;

  // CodeMirror writes its styles into a <style>, which the policy refuses; in a shadow tree it adopts a sheet
  // instead. Rules of the page do not reach there, so editor.css is adopted too, after CodeMirror's own.
  const look = new CSSStyleSheet();
  const rules = document.querySelector("link[href*='/console/editor.']")?.sheet?.cssRules ?? [];
  [...rules].forEach((rule, index) => look.insertRule(rule.cssText, index));

  const words = (element) => element?.textContent.replace(/\s+/g, " ").trim();
  const place = (doc, { line, column }) => {
    const row = doc.line(Math.min(Math.max(line || 1, 1), doc.lines));
    // The server counts characters, the editor UTF-16 units.
    return row.from + [...row.text].slice(0, Math.max(column || 1, 1) - 1).join("").length;
  };
  const diagnostic = (state, fault) => {
    const from = place(state.doc, fault);
    const end = state.doc.lineAt(from).to;
    const node = syntaxTree(state).resolveInner(from, 1);
    const to = node.firstChild || node.to <= from ? end : Math.min(node.to, end);
    return { from, to, severity: "error", message: fault.message };
  };
  const summary = (faults, more) => {
    if (!faults.length) return "No faults.";
    const first = faults.reduce((a, b) => (b.line < a.line ? b : a));
    const start = faults.length === 1 ? "1 fault," : `${faults.length + more} faults; the first one`;
    return `${start} on line ${first.line}: ${first.message}`;
  };

  // Left to the browser, typing over a selection writes style attributes, which the policy refuses and reports.
  const typeOver = (event, view) => {
    const { state } = view;
    if (state.readOnly) return true;
    if (event.inputType !== "insertText" || !event.data || event.isComposing) return false;
    // The editor's own selection may lag behind the browser's, which only Chromium tells inside a shadow tree.
    const selection = view.root.getSelection?.();
    const { main } = state.selection;
    const [from, to] = view.contentDOM.contains(selection?.anchorNode)
      ? [view.posAtDOM(selection.anchorNode, selection.anchorOffset), view.posAtDOM(selection.focusNode, selection.focusOffset)].sort((a, b) => a - b)
      : [main.from, main.to];
    if (from === to) return false;
    const text = state.toText(event.data);
    const insert = () => state.update({
      changes: { from, to, insert: text }, selection: { anchor: from + text.length }, userEvent: "input.type", scrollIntoView: true,
    });
    const handled = state.facet(EditorView.inputHandler).some((handle) => handle(view, from, to, event.data, insert));
    if (!handled) view.dispatch(insert());
    return true;
  };

  const enhance = (root) => {
    const textarea = root.querySelector("textarea");
    if (!textarea || textarea.hidden) return;
    const { form } = textarea;
    const find = (selector) => (form ?? root).querySelector(selector);
    const label = textarea.labels[0];
    const list = find("[data-faults]");
    const status = find("[data-editor-status]");
    const { required } = textarea;
    let invalid = textarea.getAttribute("aria-invalid") === "true";
    let sent = textarea.defaultValue;
    let timer = 0;
    let asking;

    const host = document.createElement("div");
    host.className = "editor";
    textarea.after(host);
    const shadow = host.attachShadow({ mode: "open" });
    shadow.adoptedStyleSheets = [look];

    const view = new EditorView({
      parent: shadow,
      doc: textarea.value,
      // A person may have begun to type before this script ran.
      selection: { anchor: textarea.selectionStart, head: textarea.selectionEnd },
      extensions: [
        lineNumbers(), lintGutter(), highlightActiveLineGutter(), EditorView.lineWrapping,
        history(), json(), syntaxHighlighting(classHighlighter), bracketMatching(), closeBrackets(), indentOnInput(),
        search({ top: true }),
        EditorState.readOnly.of(textarea.readOnly),
        // Ids mean nothing across the shadow's border, so the label's words go in.
        EditorView.contentAttributes.of(() => ({
          tabindex: "0", // or a scrolled editor counts as a region that no key reaches
          "aria-label": words(label) ?? textarea.getAttribute("aria-label") ?? "",
          ...(required && { "aria-required": "true" }),
          ...(invalid && { "aria-invalid": "true" }),
        })),
        keymap.of([
          { key: "Mod-s", scope: "editor search-panel", run: () => { if (!textarea.readOnly) form?.requestSubmit(); return true; } },
          // Tab is left out: it leaves the editor.
          ...closeBracketsKeymap, ...defaultKeymap, ...historyKeymap, ...searchKeymap, ...lintKeymap,
        ]),
        EditorView.domEventHandlers({ beforeinput: typeOver }),
        EditorView.updateListener.of((update) => {
          if (!update.docChanged) return;
          textarea.value = update.state.doc.toString();
          checkSoon();
        }),
      ],
    });
    view.contentDOM.ariaDescribedByElements = (textarea.getAttribute("aria-describedby") ?? "").split(/\s+/)
      .map((id) => document.getElementById(id)).filter(Boolean);

    // Faults

    const show = (faults) => {
      invalid = faults.length > 0;
      view.dispatch(setDiagnostics(view.state, faults.map((fault) => diagnostic(view.state, fault))));
    };
    const check = async () => {
      asking = new AbortController();
      const { signal } = asking;
      const body = new URLSearchParams({ definition: textarea.value });
      if (form?.elements.kind) body.set("kind", form.elements.kind.value);
      const headers = { "X-CSRFToken": form?.elements.csrfmiddlewaretoken?.value ?? "" };
      // When the check cannot be reached, the save will tell.
      const answer = await fetch(root.dataset.checkUrl, { method: "POST", body, headers, signal })
        .then((response) => (response.ok ? response.json() : null)).catch(() => null);
      if (signal.aborted) return;
      if (answer?.faults) show(answer.faults);
      // The last answer was about another text.
      if (status) status.textContent = answer?.faults ? summary(answer.faults, answer.more) : "";
    };
    const checkSoon = () => {
      if (!root.dataset.checkUrl) return;
      asking?.abort();
      clearTimeout(timer);
      timer = setTimeout(check, PAUSE);
    };
    const faultOf = (item) => ({ line: Number(item.dataset.line), column: Number(item.dataset.column), message: words(item) });
    const rendered = [...(list?.querySelectorAll("li[data-line]") ?? [])].map(faultOf);
    if (rendered.length) show(rendered);
    list?.addEventListener("click", (event) => {
      const item = event.target.closest("a[href]")?.closest("li[data-line]");
      if (!item) return;
      event.preventDefault();
      const anchor = place(view.state.doc, faultOf(item));
      view.dispatch({ selection: { anchor }, effects: EditorView.scrollIntoView(anchor, { y: "center" }) });
      view.focus();
    });

    if (textarea.value !== sent) checkSoon();

    // The form

    form?.addEventListener("change", (event) => { if (event.target.name === "kind") checkSoon(); });
    form?.addEventListener("submit", () => { sent = textarea.value; });
    form?.addEventListener("reset", () => setTimeout(() => {
      view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: textarea.value } });
    }));
    addEventListener("beforeunload", (event) => {
      if (host.isConnected && textarea.value !== sent) event.preventDefault();
    });

    // Focus and keys

    label?.addEventListener("click", () => view.focus());
    // From outside, a key seems to be pressed on the host, where shell.js takes "/" for its own.
    host.addEventListener("keydown", (event) => { if (!event.ctrlKey && !event.metaKey) event.stopPropagation(); });
    if (textarea.autofocus || document.activeElement === textarea) view.focus();
    // A required field that is hidden would stop the form without a word.
    textarea.required = false;
    textarea.hidden = true;
  };

  const enhanceAll = (root) => root.querySelectorAll("[data-editor]").forEach(enhance);
  document.addEventListener("htmx:load", (event) => enhanceAll(event.target.parentNode ?? event.target));
  enhanceAll(document);
})();
