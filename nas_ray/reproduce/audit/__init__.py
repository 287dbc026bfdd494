"""Tables of results held against all that a space can give: which rows cannot be true, and why."""
