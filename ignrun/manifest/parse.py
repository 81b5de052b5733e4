"""Turns the shape of a whole manifest and its document into a Manifest: paths absolute, policies merged, places kept."""

import re
from collections.abc import Iterator
from pathlib import Path as FilePath
from typing import Any, Final

import msgspec
from msgspec import UNSET, UnsetType

from ignrun.manifest import policies
from ignrun.manifest.document import Document
from ignrun.manifest.gather import absolute
from ignrun.manifest.inputs import InputFile
from ignrun.manifest.model import (
    Alert,
    EnvFile,
    HealthPolicy,
    Lifecycle,
    Manifest,
    ModuleSpec,
    Moved,
    Platform,
    SecretSource,
    Source,
    WatchPolicy,
    Where,
)
from ignrun.manifest.needs import needs, order
from ignrun.manifest.shape import (
    AlertText,
    DefaultsText,
    EnvFileText,
    FolderText,
    ManifestText,
    ModuleText,
    MovedText,
    PlantText,
    PlatformText,
    WatchText,
)
from ignrun.manifest.whole import Whole
from ignrun.terms.leaves import Path
from ignrun.terms.names import MODULE_NAME, ModuleScope
from ignrun.terms.spans import Span

_LONGEST_NAME: Final = 63


def parse_manifest(
    made: Whole, text: ManifestText, variables: dict[str, Any], files: tuple[InputFile, ...]
) -> Manifest:
    """Build the Manifest of a whole document; everything in it has its shape already."""
    document = made.document
    plant = text.metadata or PlantText()
    base = _defaults(text.defaults or DefaultsText())
    return Manifest(
        name=plant.name or name_of(document.file),
        span=_span(document, text),
        folder=str(FilePath(document.file).parent),
        documents=made.documents,
        modules={name: _module(made, name, one, base) for name, one in (text.modules or {}).items()},
        files=files,
        labels=plant.labels or {},
        description=plant.description or "",
        sources=_folders(document, "sources", text.sources),
        env_files=tuple(_env_files(document, text)),
        secrets=dict(_secrets(document, text)),
        vars=variables,
        activate=_scopes(text.activate) or (),
        apply=policies.apply_policy(text.apply),
        python=_path(document, ("python",), text.python),
        platform=_platform(document, text.platform),
        catalog=_folders(document, "catalog", text.catalog),
        moved=tuple(_moved(document, text.moved or [])),
        watch=_watch(document, text.watch),
        alerts=tuple(_alerts(document, text.alerts or {})),
        log=policies.log(text.log),
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


def _module(made: Whole, name: str, text: ModuleText, base: tuple[Lifecycle, HealthPolicy]) -> ModuleSpec:
    document, path = made.document, ("modules", name)
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
        config_layers=made.layers.get(name, ()),
        each=made.each.get(name),
        limits=policies.limits(text.limits),
        user=text.user or None,
        umask=text.umask or None,
        files={file: _plain(one) for file, one in text.files.items()} if text.files else {},
        reload=policies.reload(text.reload),
        log=policies.log(text.log) if text.log else None,
        irreversible=text.irreversible is True,
    )


def _folders(document: Document, key: str, folders: list[FolderText] | UnsetType) -> tuple[Source, ...]:
    paths = [((key, number, "path"), one.path) for number, one in enumerate(folders or ())]
    return tuple(Source(absolute(document.folder_of(way), path), document.value_span(way)) for way, path in paths)


def _env_files(document: Document, text: ManifestText) -> Iterator[EnvFile]:
    for number, one in enumerate(text.env_files or ()):
        long = isinstance(one, EnvFileText)
        way: Path = ("env_files", number, "path") if long else ("env_files", number)
        path, optional = (one.path, one.optional is True) if isinstance(one, EnvFileText) else (one, False)
        yield EnvFile(absolute(document.folder_of(way), path), optional, document.value_span(way))


def _secrets(document: Document, text: ManifestText) -> Iterator[tuple[str, SecretSource]]:
    for name, one in (text.secrets or {}).items():
        provider, argument = next((key, value) for key, value in one.items() if not key.startswith("x-"))
        if provider == "file":
            argument = absolute(document.folder_of(("secrets", name, "file")), argument)
        yield name, SecretSource(name, provider, argument, document.key_span(("secrets", name)))


def _path(document: Document, way: Path, path: str | UnsetType | None) -> str | None:
    return absolute(document.folder_of(way), path) if path else None


def _platform(document: Document, text: PlatformText | UnsetType) -> Platform:
    if text is UNSET or text.ignition is UNSET:
        return Platform()
    return Platform(text.ignition, document.value_span(("platform", "ignition")))


def _moved(document: Document, moved: list[MovedText]) -> Iterator[Moved]:
    for number, one in enumerate(moved):
        yield Moved(one.from_, one.to, document.value_span(("moved", number)))


def _watch(document: Document, text: WatchText | UnsetType) -> WatchPolicy | None:
    if text is UNSET:
        return None
    policy = policies.watch(text)
    return msgspec.structs.replace(policy, trigger=_path(document, ("watch", "trigger"), text.trigger))


def _alerts(document: Document, alerts: dict[str, AlertText]) -> Iterator[Alert]:
    for name, one in alerts.items():
        when = document.tree["alerts"][name]["when"]
        yield policies.alert(name, one, when, document.key_span(("alerts", name)))


def _scopes(words: Any) -> tuple[ModuleScope, ...] | None:
    return tuple(map(ModuleScope.from_word, words)) if words else None


def _plain(block: msgspec.Struct) -> dict[str, Any]:
    return {name: value for name in block.__struct_fields__ if (value := getattr(block, name)) is not UNSET}
