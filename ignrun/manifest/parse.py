"""Turns the shape of a manifest and its document into a Manifest: paths absolute, policies merged, places kept."""

import os.path
import re
from collections.abc import Iterator
from pathlib import Path as FilePath
from typing import Any, Final

import msgspec
from msgspec import UNSET

from ignrun.manifest import policies
from ignrun.manifest.document import Document
from ignrun.manifest.inputs import InputFile
from ignrun.manifest.model import (
    EnvFile,
    HealthPolicy,
    Lifecycle,
    Manifest,
    ModuleSpec,
    SecretSource,
    Source,
    Where,
)
from ignrun.manifest.needs import needs, order
from ignrun.manifest.shape import DefaultsText, EnvFileText, ManifestText, ModuleText
from ignrun.terms.names import MODULE_NAME, ModuleScope
from ignrun.terms.spans import Span

_PROVIDERS: Final = ("env", "file", "exec")
_LONGEST_NAME: Final = 63


def parse_manifest(document: Document, text: ManifestText) -> Manifest:
    """Build the Manifest of one document; everything in it has its shape already."""
    folder = str(FilePath(document.file).parent)
    plant = text.metadata or UNSET
    base = _defaults(text.defaults or DefaultsText())
    return Manifest(
        name=plant.name if plant is not UNSET and plant.name is not UNSET else name_of(document.file),
        span=_span(document, text),
        folder=folder,
        documents=(document,),
        modules={name: _module(document, name, one, base) for name, one in (text.modules or {}).items()},
        files=(InputFile(document.file, document.digest, "manifest"),),
        labels=(plant.labels or {}) if plant is not UNSET else {},
        description=(plant.description or "") if plant is not UNSET else "",
        sources=tuple(_sources(document, folder, text)),
        env_files=tuple(_env_files(document, folder, text)),
        secrets=dict(_secrets(document, folder, text)),
        vars=text.vars or {},
        activate=_scopes(text.activate) or (),
        apply=policies.apply_policy(text.apply),
    )


def name_of(file: str) -> str:
    """Make the name of a plant from that of its file: `My Plant.yaml` -> `my-plant`."""
    name = re.sub(r"[^a-z0-9]+", "-", FilePath(file).stem.lower()).strip("-")[:_LONGEST_NAME].rstrip("-")
    return name if MODULE_NAME.match(name) else f"plant-{name}"[:_LONGEST_NAME].rstrip("-")


def _span(document: Document, text: ManifestText) -> Span:
    named = text.metadata is not UNSET and text.metadata.name is not UNSET
    return document.value_span(("metadata", "name")) if named else Span.of_file(document.file, document.digest)


def _defaults(text: DefaultsText) -> tuple[Lifecycle, HealthPolicy]:
    return policies.lifecycle(Lifecycle(), text.lifecycle), policies.health(HealthPolicy(), text.health)


def _module(document: Document, name: str, text: ModuleText, base: tuple[Lifecycle, HealthPolicy]) -> ModuleSpec:
    path = ("modules", name)
    return ModuleSpec(
        name=name,
        where=Where(0, path),
        span=document.key_span(path),
        uses=text.uses or None,
        version=text.version or None,
        entry=text.entry or None,
        command=list(text.command) if text.command else None,
        metadata=_plain(text.metadata) if text.metadata else None,
        scopes=_scopes(text.scopes),
        requires=needs(document, (*path, "requires"), text.requires),
        wants=needs(document, (*path, "wants"), text.wants),
        after=order(document, (*path, "after"), text.after),
        config=text.config or {},
        config_schema=None if text.config_schema is UNSET else text.config_schema,
        isolation=text.isolation or "shared",
        lifecycle=policies.lifecycle(base[0], text.lifecycle),
        health=policies.health(base[1], text.health),
        stop=policies.stop(text.stop),
        oneshot=policies.oneshot(text.oneshot),
        ready=policies.probe(text.ready),
        env=dict(text.env) if text.env else {},
        inherit_env=tuple(text.inherit_env or ()),
        cwd=text.cwd or None,
        exports=text.exports or {},
        claims=tuple(text.claims or ()),
        labels=text.labels or {},
        gate=text.gate or "healthy",
        enabled=text.enabled is not False,
    )


def _sources(document: Document, folder: str, text: ManifestText) -> Iterator[Source]:
    for number, one in enumerate(text.sources or ()):
        yield Source(absolute(folder, one.path), document.value_span(("sources", number, "path")))


def _env_files(document: Document, folder: str, text: ManifestText) -> Iterator[EnvFile]:
    for number, one in enumerate(text.env_files or ()):
        if isinstance(one, EnvFileText):
            span = document.value_span(("env_files", number, "path"))
            yield EnvFile(absolute(folder, one.path), one.optional is True, span)
        else:
            yield EnvFile(absolute(folder, one), optional=False, span=document.value_span(("env_files", number)))


def _secrets(document: Document, folder: str, text: ManifestText) -> Iterator[tuple[str, SecretSource]]:
    for name, one in (text.secrets or {}).items():
        for provider in _PROVIDERS:
            argument = getattr(one, provider)
            if argument is not UNSET:
                where = document.key_span(("secrets", name))
                yield name, _secret(name, provider, argument, folder, where)


def _secret(name: str, provider: Any, argument: Any, folder: str, span: Span) -> SecretSource:
    return SecretSource(name, provider, absolute(folder, argument) if provider == "file" else argument, span)


def _scopes(words: Any) -> tuple[ModuleScope, ...] | None:
    return tuple(map(ModuleScope.from_word, words)) if words else None


def _plain(block: msgspec.Struct) -> dict[str, Any]:
    return {name: value for name in block.__struct_fields__ if (value := getattr(block, name)) is not UNSET}


def absolute(folder: str, path: str) -> str:
    """Join a path as it is written to the folder of its document, `..` taken out."""
    return os.path.normpath(os.path.join(folder, path))  # noqa: PTH118 - pathlib cannot take `..` out
