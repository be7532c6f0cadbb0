"""What every room shares: errors, configuration, the values passed between stages, and the record.

Modules are imported by their own name (``toh_mri.core.errors`` and so on); this package re-exports nothing,
so that the lowest of them can be used without loading the others.
"""
