// Shows {base}/openapi.json as the reader may see it: again after signing in with a token or key.
(() => {
  "use strict";
  const base = document.querySelector("main").dataset.base;
  const url = `${base}/openapi.json`;
  let csrf;

  // a browser's session needs its token for everything that changes something
  const csrfToken = async () => {
    csrf ??= fetch(`${base}/me`, { credentials: "same-origin" })
      .then((answer) => answer.json())
      .then((me) => me.csrf_token)
      .catch(() => undefined);
    return csrf;
  };

  const requestInterceptor = async (request) => {
    if (request.url.endsWith("/openapi.json")) {
      const held = window.ui?.authSelectors.authorized().toJS() ?? {};
      if (held.bearer?.value) request.headers.Authorization = `Bearer ${held.bearer.value}`;
      if (held.apikey?.value) request.headers.apikey = held.apikey.value;
    } else if (!["GET", "HEAD"].includes(request.method) && !request.headers.Authorization) {
      const token = await csrfToken();
      if (token) request.headers["X-CSRF-Token"] = token;
    }
    return request;
  };

  const again = (original, system) => (payload) => {
    const result = original(payload);
    system.specActions.download(url);
    return result;
  };

  window.ui = SwaggerUIBundle({
    url,
    domNode: document.querySelector("main"),
    layout: "BaseLayout",
    deepLinking: true,
    docExpansion: "none",
    filter: true,
    showMutatedRequest: false,
    validatorUrl: null,
    withCredentials: false,
    requestInterceptor,
    plugins: [{ statePlugins: { auth: { wrapActions: { authorize: again, logout: again } } } }],
  });
})();
