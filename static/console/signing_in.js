// Passkeys (WebAuthn): create or use a passkey, then submit the result with the form.
(() => {
  const bytes = (text) => Uint8Array.from(
    atob(text.replace(/-/g, "+").replace(/_/g, "/")), (letter) => letter.charCodeAt(0),
  ).buffer;
  const text = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer)))
    .replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  const named = (list) => list?.map((entry) => ({ ...entry, id: bytes(entry.id) }));

  // Some browsers from before 2025 lack parseCreationOptionsFromJSON() and toJSON().
  const make = (key) => navigator.credentials.create({
    publicKey: {
      ...key,
      challenge: bytes(key.challenge),
      user: { ...key.user, id: bytes(key.user.id) },
      excludeCredentials: named(key.excludeCredentials),
    },
  });
  const use = (key) => navigator.credentials.get({
    publicKey: { ...key, challenge: bytes(key.challenge), allowCredentials: named(key.allowCredentials) },
  });

  const answer = (credential) => {
    const response = { clientDataJSON: text(credential.response.clientDataJSON) };
    for (const name of ["attestationObject", "authenticatorData", "signature", "userHandle"]) {
      if (credential.response[name]) response[name] = text(credential.response[name]);
    }
    return {
      type: credential.type,
      id: credential.id,
      rawId: text(credential.rawId),
      response,
      authenticatorAttachment: credential.authenticatorAttachment,
      clientExtensionResults: credential.getClientExtensionResults(),
    };
  };

  const SENTENCES = {
    InvalidStateError: "This device already has a passkey for your account. Nothing was changed.",
    NotAllowedError: "No passkey was used. You canceled, it took too long, or the passkey is not on this device. Nothing was changed. Try again.",
    SecurityError: "Passkeys work only when you open this console by its https address. Nothing was changed.",
  };

  // Capture phase: this must run before console.js, which marks every submitted form as busy.
  document.addEventListener("submit", async (event) => {
    const form = event.target;
    if (!form.matches("form[data-passkey]")) return;
    // The form.submit() below fires no submit event, so it does not come back here.
    event.preventDefault();
    const button = form.querySelector("button");
    const problem = form.querySelector("[data-problem]");
    if (button.ariaBusy === "true") return;
    button.ariaBusy = "true";
    problem.hidden = true;
    const options = JSON.parse(document.getElementById("passkey-options").textContent);
    try {
      const credential = form.dataset.passkey === "make"
        ? await make(options.creation_options.publicKey)
        : await use(options.request_options.publicKey);
      form.elements.credential.value = JSON.stringify(answer(credential));
      form.submit();
    } catch (error) {
      const words = problem.querySelector("p");
      // The text from the server says that this browser does not support passkeys.
      words.dataset.unsupported ??= words.textContent;
      words.textContent = SENTENCES[error.name] ?? words.dataset.unsupported;
      problem.hidden = false;
      button.ariaBusy = null;
    }
  }, true);
})();
