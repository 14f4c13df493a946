"""Literals that have one encoding: in Python True and 1.0 equal 1, and a signed or hashed document must not care."""

from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel, ValidationInfo, field_validator


class PlainLiterals(BaseModel):
    """A document whose literal fields take a value of their own type only: 1 is neither true nor 1.0."""

    @field_validator("*", mode="before")
    @classmethod
    def _plain(cls, value: Any, info: ValidationInfo) -> Any:
        kind = cls.model_fields[info.field_name or ""].annotation
        if get_origin(kind) is Literal:
            members = get_args(kind)
            if not any(type(value) is type(member) and value == member for member in members):
                raise ValueError(f"must be {' or '.join(map(repr, members))} here")
        return value
