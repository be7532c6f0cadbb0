"""Plots for the page, drawn off screen; the same figures give the same bytes."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from toh_mri.evaluation.agreement import limits_of_agreement
from toh_mri.evaluation.compare import Row
from toh_mri.evaluation.rates import Calibration, roc_points
from toh_mri.evaluation.summary import numbers

BLUE, ORANGE, GREY = "#0072B2", "#E69F00", "#5b6570"


def embedded(figure: Figure) -> str:
    """Encode a figure as a PNG that can stand in a page."""
    FigureCanvasAgg(figure)
    stream = io.BytesIO()
    figure.savefig(stream, format="png", dpi=110, metadata={"Software": None})
    return "data:image/png;base64," + base64.b64encode(stream.getvalue()).decode("ascii")


def bland_altman(rows: Sequence[Row]) -> str | None:
    """Plot difference against mean of edema volumes, with bias and limits of agreement; None without a pair."""
    both = [row for row in rows if row.get("edema_total_difference_ml") is not None]
    if not both:
        return None
    measured, truth = (np.array(numbers(both, f"edema_total{end}")) for end in ("_ml", "_truth_ml"))
    figure, axes = _square()
    axes.scatter((measured + truth) / 2, measured - truth, s=22, color=BLUE, alpha=0.8, linewidths=0)
    limits = limits_of_agreement(measured, truth)
    if limits is not None:
        named = ((limits.bias, "-", "bias", "center"), (limits.low, "--", "lower", "top"))
        for value, style, name, place in (*named, (limits.high, "--", "upper", "bottom")):
            axes.axhline(value, color=ORANGE, linestyle=style, linewidth=1.3)
            # Beside the axes, so that it hides no point; the outer ones away from the bias, however near they are.
            axes.annotate(
                f"{name} {value:.1f}".replace("-", "\N{MINUS SIGN}"),
                (1.0, value),
                xycoords=("axes fraction", "data"),
                xytext=(3, {"center": 0, "top": -4, "bottom": 4}[place]),
                textcoords="offset points",
                va=place,
                fontsize=8,
            )
    axes.axhline(0, color=GREY, linewidth=0.6)
    axes.set(xlabel="mean of both, ml", ylabel="program minus truth, ml")
    return embedded(figure)


def roc(on: Sequence[float], toh: Sequence[float]) -> str | None:
    """Plot the ROC curve of the probability of ON; None where one group is empty."""
    if not on or not toh:
        return None
    points = roc_points(on, toh)
    figure, axes = _square()
    axes.plot([0, 1], [0, 1], color=GREY, linewidth=0.6)
    axes.plot(*points.T, color=BLUE, linewidth=1.8, marker="o", markersize=3.5)
    axes.set(xlabel="TOH taken for ON, share", ylabel="ON taken for ON, share", xlim=(-0.02, 1.02), ylim=(-0.02, 1.02))
    return embedded(figure)


def reliability(made: Calibration | None, forecast: str, event: str) -> str | None:
    """Plot how often what was forecast was so, each bin with its number of hips; None without hips."""
    if made is None:
        return None
    figure, axes = _square()
    axes.plot([0, 1], [0, 1], color=GREY, linewidth=0.6)
    x, y = [b.mean_probability for b in made.bins], [b.share for b in made.bins]
    axes.plot(x, y, color=BLUE, linewidth=1.2, marker="o", markersize=6)
    for item in made.bins:
        axes.annotate(f"{item.n}", (item.mean_probability, item.share), xytext=(7, -11), textcoords="offset points")
    axes.set(xlabel=forecast, ylabel=event, xlim=(-0.03, 1.08), ylim=(-0.06, 1.05))
    return embedded(figure)


def _square() -> tuple[Figure, Axes]:
    figure = Figure(figsize=(3.6, 3.3), layout="constrained")
    axes = figure.add_subplot()
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(labelsize=8)
    axes.xaxis.label.set_size(9)
    axes.yaxis.label.set_size(9)
    return figure, axes
