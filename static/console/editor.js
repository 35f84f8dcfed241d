// JSON editor (CodeMirror) for component definitions. Without scripts the textarea stays.
(() => {
  if (!window.CodeMirror) return;
  const {
    EditorState, EditorView, bracketMatching, classHighlighter, closeBrackets, closeBracketsKeymap, defaultKeymap,
    highlightActiveLineGutter, history, historyKeymap, indentOnInput, json, keymap, lineNumbers, lintGutter, lintKeymap,
    search, searchKeymap, setDiagnostics, syntaxHighlighting, syntaxTree,
  } = CodeMirror;
  const PAUSE = 500;

  // In a document, CodeMirror inserts a <style>, which the Content-Security-Policy forbids. In a shadow tree it adopts
  // a style sheet instead. The page's styles do not apply there, so components.css is adopted too, after CodeMirror's.
  const editorStyles = new CSSStyleSheet();
  const rules = document.querySelector("link[href*='/console/components.']")?.sheet?.cssRules ?? [];
  [...rules].forEach((rule, index) => editorStyles.insertRule(rule.cssText, index));

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
    if (!faults.length) return "No errors.";
    const first = faults.reduce((a, b) => (b.line < a.line ? b : a));
    const start = faults.length === 1 ? "1 error," : `${faults.length + more} errors. First error`;
    return `${start} on line ${first.line}: ${first.message}`;
  };

  // If the browser handles typing over a selection, it writes style attributes, which the Content-Security-Policy
  // forbids and reports.
  const typeOver = (event, view) => {
    const { state } = view;
    if (state.readOnly) return true;
    if (event.inputType !== "insertText" || !event.data || event.isComposing) return false;
    // The editor's selection may lag behind the browser's. Only Chromium has getSelection() inside a shadow tree.
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
    shadow.adoptedStyleSheets = [editorStyles];

    const view = new EditorView({
      parent: shadow,
      doc: textarea.value,
      // The person may have started to type before this script ran.
      selection: { anchor: textarea.selectionStart, head: textarea.selectionEnd },
      extensions: [
        lineNumbers(), lintGutter(), highlightActiveLineGutter(), EditorView.lineWrapping,
        history(), json(), syntaxHighlighting(classHighlighter), bracketMatching(), closeBrackets(), indentOnInput(),
        search({ top: true }),
        EditorState.readOnly.of(textarea.readOnly),
        // Ids do not work across the shadow boundary, so the label is copied.
        EditorView.contentAttributes.of(() => ({
          tabindex: "0", // so the keyboard can reach and scroll it
          "aria-label": words(label) ?? textarea.getAttribute("aria-label") ?? "",
          ...(required && { "aria-required": "true" }),
          ...(invalid && { "aria-invalid": "true" }),
        })),
        keymap.of([
          { key: "Mod-s", scope: "editor search-panel", run: () => { if (!textarea.readOnly) form?.requestSubmit(); return true; } },
          // Tab is not bound: it moves the focus out of the editor.
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

    // Errors

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
      // If the check fails to load, saving reports the errors.
      const answer = await fetch(root.dataset.checkUrl, { method: "POST", body, headers, signal })
        .then((response) => (response.ok ? response.json() : null)).catch(() => null);
      if (signal.aborted) return;
      if (answer?.faults) show(answer.faults);
      // Clear the status: it was about an earlier text.
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
    const showText = () => {
      view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: textarea.value } });
    };
    form?.addEventListener("reset", () => setTimeout(showText));
    textarea.addEventListener("input", showText); // console.js has restored it
    addEventListener("beforeunload", (event) => {
      if (host.isConnected && textarea.value !== sent) event.preventDefault();
    });

    // Focus and keys

    label?.addEventListener("click", () => view.focus());
    // Outside the shadow tree the target of a key press is the host, where console.js would handle "/" as search.
    host.addEventListener("keydown", (event) => { if (!event.ctrlKey && !event.metaKey) event.stopPropagation(); });
    if (textarea.autofocus || document.activeElement === textarea) view.focus();
    // The browser blocks a form with a hidden required field and shows no message.
    textarea.required = false;
    textarea.hidden = true;
  };

  const enhanceAll = (root) => root.querySelectorAll("[data-editor]").forEach(enhance);
  document.addEventListener("htmx:load", (event) => enhanceAll(event.target.parentNode ?? event.target));
  enhanceAll(document);
})();
