"""Owns `ignrun explain`: says what a diagnostic's code means."""

from difflib import get_close_matches

import click

from ignrun.cli.exit_codes import ExitCode
from ignrun.cli.speech import result
from ignrun.cli.verb import verb
from ignrun.terms.codes import CODES


@verb("explain", "ignrun explain IGN204")
@click.argument("code", required=False)
def command(code: str | None) -> ExitCode:
    """Say what a diagnostic's code means and what to do; without a code, list them all."""
    if code is None:
        result("".join(f"{one.code}  {one.title}\n" for one in CODES.values()))
        return ExitCode.DONE
    found = CODES.get(code.upper())
    if found is None:
        near = get_close_matches(code.upper(), CODES, 1)
        hint = f"; did you mean `{near[0]}`?" if near else "; `ignrun explain` lists them"
        raise click.UsageError(f"there is no code `{code}`{hint}")
    result(f"{found.code}: {found.title}\n\n{click.wrap_text(found.explanation, 100)}\n")
    return ExitCode.DONE
