const page = document.getElementById("api");
SwaggerUIBundle({ url: page.dataset.schema, domNode: page, deepLinking: true, validatorUrl: null });
