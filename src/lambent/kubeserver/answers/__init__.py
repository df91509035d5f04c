"""What goes out: objects, lists, Tables, metadata alone; discovery and OpenAPI documents."""
