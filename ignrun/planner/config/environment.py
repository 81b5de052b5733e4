"""Turns env files and the caller's environment into the variables that `${env:}` and `${secret:}` see."""

import io
from collections.abc import Iterator
from pathlib import Path

import msgspec

from ignrun.manifest.inputs import InputFile, Inputs
from ignrun.manifest.model import EnvFile, Manifest
from ignrun.manifest.places import at_span
from ignrun.planner.catalog.locate import digest_of
from ignrun.terms.diagnostics import Diagnostic, diagnose
from ignrun.terms.spans import Span


class Variables(msgspec.Struct, frozen=True):
    """The variables by name, the env files that were read, and what was wrong with them."""

    values: dict[str, str]
    files: tuple[InputFile, ...] = ()
    diagnostics: tuple[Diagnostic, ...] = ()

    def __repr__(self) -> str:
        """Show names only: values may be secrets."""
        return f"Variables({sorted(self.values)})"


def read_variables(manifest: Manifest, inputs: Inputs) -> Variables:
    """Read the env files in their order, a later one over an earlier one, and the caller's environment over all."""
    values: dict[str, str] = {}
    files: list[InputFile] = []
    diagnostics: list[Diagnostic] = []
    for env_file in manifest.env_files:
        content = _content(manifest, env_file)
        if isinstance(content, Diagnostic):
            diagnostics.append(content)
        elif content is not None:
            digest = digest_of(content)
            files.append(InputFile(env_file.path, digest, "env"))
            for binding in _bindings(env_file.path, digest, content):
                if isinstance(binding, Diagnostic):
                    diagnostics.append(binding)
                else:
                    values[binding[0]] = binding[1]
    ours = {name: value for name, value in inputs.environment.items() if _is_text(value)}
    return Variables({**values, **ours}, tuple(files), tuple(diagnostics))


def _is_text(value: str) -> bool:
    """Tell whether a value is text that can be written down; bytes of another encoding are not."""
    return not any("\ud800" <= letter <= "\udfff" for letter in value)


def _content(manifest: Manifest, env_file: EnvFile) -> bytes | Diagnostic | None:
    try:
        return Path(env_file.path).read_bytes()
    except FileNotFoundError:
        if env_file.optional:
            return None
        hint = "create it, or write `{path: .., optional: true}`"
        return _missing(manifest, env_file, "does not exist", hint)
    except OSError as error:
        return _missing(manifest, env_file, f"cannot be read: {error.strerror}", "")


def _missing(manifest: Manifest, env_file: EnvFile, why: str, hint: str) -> Diagnostic:
    document = next(one for one in manifest.documents if one.file == env_file.span.file)
    return at_span(document, env_file.span, "IGN504", f"the env file `{env_file.path}` {why}", hint=hint)


def _bindings(path: str, digest: str, content: bytes) -> Iterator[tuple[str, str] | Diagnostic]:
    """Read an env file as python-dotenv does, without its interpolation; a line that it cannot read is a mistake."""
    from dotenv.parser import parse_stream

    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        yield diagnose(Span(path, line, 1, 1, digest), "IGN505", "the env file is not UTF-8 text")
        return
    for binding in parse_stream(io.StringIO(text)):
        written = binding.original.string
        line = binding.original.line + len(written) - len(written.lstrip("\n"))
        span = Span(path, line, 1, 1, digest)
        if binding.error:
            yield diagnose(span, "IGN505", "a line of the env file cannot be read", hint="a quote that is not closed?")
        elif binding.key is not None and binding.value is None:
            hint = f"write `{binding.key}=` for an empty text"
            yield diagnose(span, "IGN505", f"`{binding.key}` has no value", hint=hint)
        elif binding.key is not None:
            yield binding.key, binding.value or ""
