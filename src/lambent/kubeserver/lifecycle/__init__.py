"""What goes on by itself: deletion in its ways, garbage, namespaces, expiry, and definitions coming and going."""
