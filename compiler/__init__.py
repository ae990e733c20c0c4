"""egressc: a compiler for egress firewall policy."""

__version__ = "0.1.0"
