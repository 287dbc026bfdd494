"""What searches lose by rows that come late: many workers, or a fixed lateness, on the simulated clock."""
