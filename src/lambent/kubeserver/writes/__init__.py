"""What becomes of a write: patches applied, stages of admission, owners of fields, then the store."""
