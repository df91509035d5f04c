"""The functions of the language, one module per family; each declares itself in `lambent.cel.registry`."""
