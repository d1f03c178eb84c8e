"""foxhunt: hunt logs for the indicators that ThreatFox publishes, and be right about it."""

__version__ = "0.1.0"
