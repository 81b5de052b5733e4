"""Turns env files and the caller's environment into the variables that `${env:}` and `${secret:}` see."""

import io
from collections.abc import Iterator

import msgspec

from ignrun.manifest.files import TextFile, read_text
from ignrun.manifest.inputs import InputFile, Inputs
from ignrun.manifest.model import EnvFile, Manifest
from ignrun.manifest.places import at_span
from ignrun.terms.diagnostics import Diagnostic, diagnose
from ignrun.terms.spans import Span
from ignrun.terms.verdict import Accepted


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
            files.append(InputFile(env_file.path, content.digest, "env"))
            for binding in _bindings(content):
                if isinstance(binding, Diagnostic):
                    diagnostics.append(binding)
                else:
                    values[binding[0]] = binding[1]
    ours = {name: value for name, value in inputs.environment.items() if _is_text(value)}
    return Variables({**values, **ours}, tuple(files), tuple(diagnostics))


def _is_text(value: str) -> bool:
    """Tell whether a value is text that can be written down; bytes of another encoding are not."""
    return not any("\ud800" <= letter <= "\udfff" for letter in value)


def _content(manifest: Manifest, env_file: EnvFile) -> TextFile | Diagnostic | None:
    """Read an env file within the limits of a document: no pipe is waited for, no device is read without end."""
    read = read_text(env_file.path)
    if isinstance(read, Accepted):
        return read.value
    (found,) = read.diagnostics
    match found.code:
        case "IGN101" if env_file.optional:
            return None
        case "IGN101":
            return _missing(manifest, env_file, "does not exist", "create it, or write `{path: .., optional: true}`")
        case "IGN105":
            return diagnose(found.span, "IGN505", "the env file is not UTF-8 text", hint=found.hint)
        case _:
            return _missing(manifest, env_file, f"cannot be read: {found.summary}", found.hint)


def _missing(manifest: Manifest, env_file: EnvFile, why: str, hint: str) -> Diagnostic:
    document = next(one for one in manifest.documents if one.file == env_file.span.file)
    return at_span(document, env_file.span, "IGN504", f"the env file `{env_file.path}` {why}", hint=hint)


def _bindings(file: TextFile) -> Iterator[tuple[str, str] | Diagnostic]:
    """Read an env file as python-dotenv does, without its interpolation; a line that it cannot read is a mistake."""
    from dotenv.parser import parse_stream

    for binding in parse_stream(io.StringIO(file.text)):
        written = binding.original.string
        line = binding.original.line + len(written) - len(written.lstrip("\n"))
        span = Span(file.path, line, 1, 1, file.digest)
        if binding.error:
            yield diagnose(span, "IGN505", "a line of the env file cannot be read", hint="a quote that is not closed?")
        elif binding.key is not None and binding.value is None:
            hint = f"write `{binding.key}=` for an empty text"
            yield diagnose(span, "IGN505", f"`{binding.key}` has no value", hint=hint)
        elif "\0" in written:
            yield diagnose(span, "IGN505", "a line of the env file holds a NUL character", hint="remove it")
        elif binding.key is not None:
            yield binding.key, binding.value or ""
