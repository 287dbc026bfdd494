"""The command line: words become checked arguments, and all that is said is text."""
