"""Owns `ignrun explain`: says what a diagnostic's code means."""

import click

from ignrun.cli.exit_codes import ExitCode
from ignrun.cli.speech import result
from ignrun.cli.verb import verb
from ignrun.terms.codes import CODES
from ignrun.terms.hints import did_you_mean


@verb("explain", "ignrun explain IGN204")
@click.argument("code", required=False)
def command(code: str | None) -> ExitCode:
    """Say what a diagnostic's code means and what to do, with an example; without a code, list them all."""
    if code is None:
        result("".join(f"{one.code}  {one.title}\n" for one in CODES.values()))
        return ExitCode.DONE
    found = CODES.get(_written(code))
    if found is None:
        numbers = [one.removeprefix("IGN") for one in CODES]  # `IGN` is right in every code and makes none of them near
        hint = did_you_mean(_written(code).removeprefix("IGN"), numbers).replace("`", "`IGN", 1)
        raise click.UsageError(f"there is no code `{code}`; {hint or '`ignrun explain` lists them'}")
    from ignrun.render.pages import page_text

    result(page_text(found))
    return ExitCode.DONE


def _written(code: str) -> str:
    """Take `204`, `ign204` and `error[IGN204]` for `IGN204`."""
    bare = code.upper().partition("[")[2].rstrip("]:") or code.upper()
    return f"IGN{bare}" if bare.isdigit() else bare
