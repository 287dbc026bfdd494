"""The run folder: who may write it, its journal, where it is stored, what it says of itself."""
