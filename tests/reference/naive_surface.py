"""Surface evidence again, ray by ray."""

import numpy as np

from tests.reference.naive_rim import rim_evidence, signed_edges


def edge_evidence(profiles, outer_share, n_offsets, half_width, gap_low, gap_high, contrast_cap, either_polarity):
    result = np.zeros((*profiles.shape[:2], n_offsets))
    for ray in np.ndindex(profiles.shape[:2]):
        edge = signed_edges(profiles[ray], half_width, contrast_cap)
        result[ray] = rim_evidence(edge, outer_share[ray], gap_low, gap_high, either_polarity=either_polarity)
    return result
