"""Surface evidence and height fields again: every path written out as a list of nodes, costs never rescaled."""

import numpy as np

from tests.reference.naive_rim import rim_evidence, signed_edges


def edge_evidence(profiles, outer_share, n_offsets, half_width, gap_low, gap_high, contrast_cap, either_polarity):
    result = np.zeros((*profiles.shape[:2], n_offsets))
    for ray in np.ndindex(profiles.shape[:2]):
        edge = signed_edges(profiles[ray], half_width, contrast_cap)
        result[ray] = rim_evidence(edge, outer_share[ray], gap_low, gap_high, either_polarity=either_polarity)
    return result


def along_path(cost, path, stiffness, reach):
    """Lowest cost of ending at each height of each node of a path, shape (nodes, heights)."""
    height = np.arange(cost.shape[2])
    jump = height[:, None] - height[None, :]
    price = np.where(np.abs(jump) <= reach, stiffness * jump**2.0, np.inf)
    carried = [cost[path[0]].astype(float)]
    for node in path[1:]:
        carried.append(cost[node] + (carried[-1][None, :] + price).min(axis=1))
    return np.array(carried)


def paths(rows, azimuths):
    """Paths and how many of their last nodes count: columns both ways, rounds both ways with a lap to warm up."""
    for i in range(azimuths):
        column = [(j, i) for j in range(rows)]
        yield column, rows
        yield column[::-1], rows
    for j in range(rows):
        lap = [(j, i) for i in range(azimuths)]
        yield lap[:1] + lap + lap, azimuths
        yield lap[-1:] + lap[::-1] + lap[::-1], azimuths


def vertex(cost):
    """Place of the lowest cost; between samples by the parabola through it and its neighbours."""
    q = int(np.argmin(cost))
    if q in (0, len(cost) - 1):
        return q
    a, b, _ = np.polyfit([-1, 0, 1], cost[q - 1 : q + 2] - cost[q], 2)
    return q - b / (2 * a) if a > 1e-9 else q


def height_field(cost, stiffness, reach):
    rows, azimuths, _ = cost.shape
    total = np.zeros(cost.shape)
    for path, counted in paths(rows, azimuths):
        carried = along_path(cost, path, stiffness, reach)
        for node, values in list(zip(path, carried, strict=True))[-counted:]:
            total[node] += values
    return np.array([[vertex(total[j, i]) for i in range(azimuths)] for j in range(rows)])
