"""The targets: the protocol that each implements, the registry, and one package per target."""
