"""What kube-apiserver's own code checks of builtin kinds beyond their schemas: names, field errors, kind by kind."""
