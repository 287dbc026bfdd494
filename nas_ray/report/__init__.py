"""Tables and figures computed from finished runs; each needs only a DataFrame and plain data."""

from nas_ray.report.cells import cell_graph, cell_text, draw_cell
from nas_ray.report.expected import expected_best, expected_random_arch
from nas_ray.report.search_curve import best_so_far, draw_search
from nas_ray.report.summary import summarize
from nas_ray.report.summary_table import print_summary

__all__ = [
    "best_so_far",
    "cell_graph",
    "cell_text",
    "draw_cell",
    "draw_search",
    "expected_best",
    "expected_random_arch",
    "print_summary",
    "summarize",
]
