"""What may be set: by flags of `inkdigit serve`, or by `INKDIGIT_*` in the environment."""

from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from inkdigit.errors import SettingError

PREFIX = "INKDIGIT_"
# So many requests of the largest size may be in memory at a time.
_LARGEST_AT_ONCE = 8


class Settings(BaseSettings):
    """How to serve. Lists are written with commas."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="forbid")

    host: str = "127.0.0.1"
    port: int = Field(8000, ge=0, le=65535)
    model: Path | None = None
    workers: int = Field(1, ge=1, le=256)
    threads: int = Field(1, ge=1, le=256)
    batch: int = Field(16, ge=1, le=1024)
    queue: int = Field(64, ge=1, le=100_000)
    max_bytes: int = Field(20_000_000, ge=1)
    max_pixels: int = Field(64_000_000, ge=1)
    max_pages: int = Field(50, ge=1, le=10_000)
    max_files: int = Field(32, ge=1, le=1000)
    timeout: float = Field(30, gt=0, le=3600)
    api_keys: Annotated[tuple[SecretStr, ...], NoDecode] = ()
    cors_origins: Annotated[tuple[str, ...], NoDecode] = ()

    @classmethod
    def of(cls, **flags: Any) -> Self:
        """Return the settings of these flags, then of the environment.

        Raises `SettingError` for a value that makes no sense.
        """
        try:
            return cls(**flags)
        except ValidationError as error:
            raise SettingError(_sentence(error, flags)) from None

    @field_validator("api_keys", "cors_origins", mode="before")
    @classmethod
    def _listed(cls, value: Any) -> Any:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @field_validator("api_keys", mode="before")
    @classmethod
    def _some_key(cls, value: Any) -> Any:
        # Who sets keys means to ask for one: none is a mistake, and no wish for an open service.
        if isinstance(value, str) and not value.replace(",", "").strip():
            raise ValueError("it is set and holds no key: write keys with commas, or unset it")
        return value

    @model_validator(mode="after")
    def _a_full_batch_has_room(self) -> Self:
        if self.queue < self.max_files:
            raise ValueError(
                f"a queue of {self.queue} has no room for the {self.max_files} files of one batch: "
                "raise queue or lower max_files"
            )
        return self

    @property
    def max_held(self) -> int:
        """Bytes of all requests together, arriving or waiting to be read."""
        return _LARGEST_AT_ONCE * self.max_bytes


def _sentence(error: ValidationError, flags: dict[str, Any]) -> str:
    first = error.errors(include_url=False, include_context=False)[0]
    what = first["msg"].removeprefix("Value error, ")
    if not first["loc"]:
        return what
    name = str(first["loc"][0])
    asked = f"--{name.replace('_', '-')}" if name in flags else PREFIX + name.upper()
    received = "" if name == "api_keys" else f", received {first['input']!r}"
    return f"{asked}: {what[:1].lower()}{what[1:]}{received}"
