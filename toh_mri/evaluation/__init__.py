"""Agreement of results with a truth or with readers' masks: metrics, tables, pictures, one page.

Knows files only: an output folder of this program and a folder of masks. How either was made is not its business.
"""

from toh_mri.evaluation.evaluate import Evaluation, evaluate
from toh_mri.evaluation.output import write_evaluation

__all__ = ["Evaluation", "evaluate", "write_evaluation"]
