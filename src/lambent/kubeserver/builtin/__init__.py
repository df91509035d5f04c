"""The kinds every Kubernetes server has, as far as the embedded one serves them: their table, schemas and own rules."""
