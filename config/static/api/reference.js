"use strict";

SwaggerUIBundle({
  url: document.getElementById("reference").dataset.schema,
  dom_id: "#reference",
  presets: [SwaggerUIBundle.presets.apis],
  layout: "BaseLayout",
  deepLinking: true,
  docExpansion: "none",
  defaultModelsExpandDepth: 0,
  // No service of others is asked to judge the description.
  validatorUrl: null,
});
