"""What keeps values from changing: the base of frozen models, and a frozen mapping."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Never, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict

K = TypeVar("K")
V = TypeVar("V")


class FrozenModel(BaseModel):
    """A pydantic model that cannot be changed, refuses unknown keys and never writes NaN or infinity."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", ser_json_inf_nan="null", allow_inf_nan=False, validate_default=True
    )


class FrozenDict(dict[K, V]):
    """A dictionary that cannot be changed. Unlike ``MappingProxyType`` it crosses process boundaries."""

    def _refuse(self, *_args: object, **_kwargs: object) -> Never:
        raise TypeError("This mapping is frozen; make a new one instead.")

    __setitem__ = __delitem__ = __ior__ = _refuse
    clear = pop = popitem = setdefault = update = _refuse

    def __reduce__(self) -> tuple[Any, ...]:
        """Rebuild from a plain dictionary: item by item, as a dict is unpickled, is refused."""
        return (type(self), (dict(self),))


FrozenMapping = Annotated[Mapping[K, V], AfterValidator(FrozenDict)]
"""Field of a model: any mapping goes in, a `FrozenDict` comes out."""
