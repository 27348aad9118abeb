/* Starts Swagger UI on the reference page. A file of its own, since the page runs no inline script. */
"use strict";

window.addEventListener("DOMContentLoaded", () => {
  const page = document.getElementById("reference");
  window.SwaggerUIBundle({
    domNode: page,
    url: page.dataset.document,
    presets: [window.SwaggerUIBundle.presets.apis],
    layout: "BaseLayout",
    deepLinking: true,
    displayRequestDuration: true,
    docExpansion: "list",
    defaultModelsExpandDepth: 0,
    tagsSorter: "alpha",
    // No outside host is asked to judge the document.
    validatorUrl: null,
    persistAuthorization: false,
  });
});
