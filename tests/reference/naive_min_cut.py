"""The height field of least cost, exactly, as a minimum cut (Li 2006, 10.1109/TPAMI.2006.19; Ishikawa 2003,
10.1109/TPAMI.2003.1233908): one node per height, a chain per ray, arcs between neighbouring rays for every bend of the
convex price of a step."""

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import breadth_first_order, maximum_flow

SCALE = 2000  # costs become whole numbers
NEVER = 10**8


def energy(cost, heights, stiffness):
    """Cost of a height field of whole steps, open in row and closed in azimuth."""
    data = np.take_along_axis(cost.astype(float), heights[..., None], axis=2).sum()
    steps = [np.diff(heights, axis=0), np.diff(heights, axis=1, append=heights[:, :1])]
    return data + stiffness * sum((step.astype(float) ** 2).sum() for step in steps)


def neighbours(rows, azimuths):
    index = np.arange(rows * azimuths).reshape(rows, azimuths)
    down = np.stack([index[:-1].ravel(), index[1:].ravel()])
    turn = np.stack([index.ravel(), np.roll(index, -1, axis=1).ravel()])
    return np.concatenate([down, turn], axis=1)


def height_field(cost, stiffness, reach):
    """Return whole heights, shape (rows, azimuths), of least energy among those with steps of at most `reach`."""
    rows, azimuths, heights = cost.shape
    rays = rows * azimuths
    source, sink = rays * (heights + 1), rays * (heights + 1) + 1
    node = np.arange(rays)[:, None] * (heights + 1) + np.arange(heights + 1)  # on the source's side: height >= z
    data = np.rint((cost.reshape(rays, heights) - cost.min()) * SCALE).astype(np.int64)
    arcs = [
        (np.full(rays, source), node[:, 0], np.full(rays, NEVER)),
        (node[:, -1], np.full(rays, sink), np.full(rays, NEVER)),
        (node[:, :-1].ravel(), node[:, 1:].ravel(), data.ravel()),
        (node[:, 1:].ravel(), node[:, :-1].ravel(), np.full(rays * heights, NEVER)),
    ]
    price = [stiffness * k * k for k in range(reach + 1)]
    bends = [price[1]] + [price[d + 1] - 2 * price[d] + price[d - 1] for d in range(1, reach)]
    capacities = [round(bend * SCALE) for bend in bends] + [NEVER]
    one, other = neighbours(rows, azimuths)
    for d, capacity in enumerate(capacities):
        for a, b in ((one, other), (other, one)):
            tail, head = node[a][:, d + 1 : heights], node[b][:, 1 : heights - d]
            arcs.append((tail.ravel(), head.ravel(), np.full(tail.size, capacity)))
    tail, head, capacity = (np.concatenate(part) for part in zip(*arcs, strict=True))
    graph = coo_matrix((capacity.astype(np.int32), (tail, head)), shape=(sink + 1, sink + 1)).tocsr()
    residual = graph - maximum_flow(graph, source, sink).flow
    residual.data = np.maximum(residual.data, 0)
    residual.eliminate_zeros()
    kept = np.zeros(sink + 1, bool)
    kept[breadth_first_order(residual, source, return_predecessors=False)] = True
    return (kept[node[:, :heights]].sum(axis=1) - 1).reshape(rows, azimuths)
