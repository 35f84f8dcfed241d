// Passkeys: the browser makes or uses one, and its answer goes the way of every form.
(() => {
  const bytes = (text) => Uint8Array.from(
    atob(text.replace(/-/g, "+").replace(/_/g, "/")), (letter) => letter.charCodeAt(0),
  ).buffer;
  const text = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer)))
    .replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  const named = (list) => list?.map((entry) => ({ ...entry, id: bytes(entry.id) }));

  // Browsers before 2025 do not all know parse…FromJSON() and toJSON().
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
    InvalidStateError: "This device holds a passkey for your account already. Nothing was changed.",
    NotAllowedError: "No passkey was used: it was cancelled, took too long, or is not on this device. Nothing was changed. Try again.",
    SecurityError: "Passkeys need the address of this console with https. Nothing was changed.",
  };

  // Before shell.js, which takes what is not prevented for a form on its way.
  document.addEventListener("submit", async (event) => {
    const form = event.target;
    if (!form.matches("form[data-passkey]")) return;
    // What is sent by submit() below fires no event and comes past here.
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
      // What the server wrote there says that this browser cannot do it.
      words.dataset.otherwise ??= words.textContent;
      words.textContent = SENTENCES[error.name] ?? words.dataset.otherwise;
      problem.hidden = false;
      button.ariaBusy = null;
    }
  }, true);
})();
