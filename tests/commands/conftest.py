from tests.guards.commands import files

__all__ = ["files"]
