"""Owns the templates of a plant, one for each interpreter; that of ignrun's own is the guardian of everybody."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Final

from msgspec.structs import replace

from ignrun import __version__
from ignrun.protocol import kin
from ignrun.protocol import template as talk
from ignrun.protocol.kin import Identity
from ignrun.runtime.engines.children import Children
from ignrun.runtime.engines.environment import interpreter_of
from ignrun.runtime.engines.template import ENDED, Recipe, Template

_LAST: Final = 1.0
"""Seconds that a template has for leaving after the hosts that it ended."""


class Templates:
    """The templates by interpreter: the guardian's is started early, another one with the first host that needs it.

    `on_report` takes what a template reports, with the descriptors that it owns; `on_end` is told which one ended, and why. `joins` is
    called with the number of each that is started.
    """

    def __init__(
        self,
        recipe: Recipe,
        children: Children,
        on_report: Callable[[talk.TemplateReport, list[int]], None],
        on_end: Callable[[Template, str], None],
    ) -> None:
        """Take the recipe of the guardian; nothing is started yet."""
        self._recipe = recipe
        self._children = children
        self._on_report = on_report
        self._on_end = on_end
        self._living: dict[str, Template] = {}
        self._guarded: dict[Identity, talk.Guard] = {}
        self.joins: Callable[[int], None] = lambda _: None

    def guardian(self) -> Template:
        """Give the guardian; where it has ended, a new one takes over everybody to be guarded."""
        return self.of("")

    def of(self, python: str) -> Template:
        """Give the template of an interpreter or of an environment (empty: of ignrun's own), which is made where there is none."""
        path = interpreter_of(python) if python else self._recipe.python
        found = self._living.get(path)
        return found if found and found.alive else self._made(path)

    def _made(self, path: str) -> Template:
        is_guardian = path == self._recipe.python
        recipe = self._recipe if is_guardian else replace(self._recipe, python=path, is_guardian=False)
        made: Template = Template(
            recipe,
            self._children,
            lambda report, fds: self._heard(made, report, fds),
            lambda why: self._ended(made, why),
        )
        self._living[path] = made
        if made.identity:
            self.joins(made.identity.pid)
        if is_guardian:
            for ward in self._guarded.values():
                made.send(ward)
        elif made.identity:
            marker = kin.marker_of(recipe.token, "template", 0)
            self.guard(talk.Guard(*_parts(made.identity), marker, 0, talk.HOST_GRACE + _LAST))
        return made

    def is_guardian(self, template: Template) -> bool:
        """Tell whether this one guards everybody, and not its own hosts alone."""
        return template.recipe.is_guardian

    def guard(self, ward: talk.Guard) -> None:
        """Have the guardian end this process when the runner is gone."""
        self._guarded[Identity(ward.pid, ward.start)] = ward
        self.guardian().send(ward)

    def release(self, identity: Identity) -> None:
        """It is gone, and its pid may be anybody's."""
        guardian = self._living.get(self._recipe.python)
        if self._guarded.pop(identity, None) and guardian and guardian.alive:
            guardian.send(talk.Release(identity.pid, identity.start))

    def _heard(self, template: Template, report: talk.TemplateReport, fds: list[int]) -> None:
        if isinstance(report, talk.Ready):
            if objection := _objection(report, template.recipe.python):
                template.refuse(objection)
        else:
            self._on_report(report, fds)

    def _ended(self, template: Template, why: str) -> None:
        if template.identity:
            self.release(template.identity)
        if not (self.is_guardian(template) or template.ready or template.refusal):
            why = why_unusable(template.recipe.python, why)
        self._on_end(template, why)
        current = self._living.get(template.recipe.python)
        if template.ready and template is current and self.is_guardian(template):
            self.guardian()

    async def close(self) -> None:
        """Dismiss all, the guardian last: it ends what is left of the plant."""
        guardian = self._living.pop(self._recipe.python, None)
        await asyncio.gather(*(one.close() for one in self._living.values()))
        if guardian:
            await guardian.close()


def _parts(identity: Identity) -> tuple[int, int]:
    return identity.pid, identity.start


def _objection(ready: talk.Ready, python: str) -> str:
    """Say why hosts of this template could not work with this runner, nothing when they can."""
    if ready.ignrun != __version__ or ready.version != talk.VERSION:
        return f"`{python}` has ignrun {ready.ignrun}, this runner is {__version__}: {how_to_install(python)}"
    if ready.abi.partition("-")[0] != "cpython":
        return f"`{python}` is {ready.abi}, and modules need CPython"
    return ""


def how_to_install(python: str) -> str:
    """Say how an interpreter gets the ignrun of this runner."""
    return f"install it with `{python} -m pip install ignrun=={__version__}`"


def why_unusable(python: str, words: str) -> str:
    """Say in plain words why an interpreter of `python:` has no template, as far as its last words tell."""
    if not Path(python).exists():
        return f"there is no interpreter `{python}`: make the environment with `python3 -m venv {Path(python).parent.parent}`"
    if "No module named" in words and ("ignrun" in words or "msgspec" in words):
        return f"`{python}` has no ignrun: {how_to_install(python)}"
    return f"`{python}` cannot run hosts: {words.removeprefix(ENDED)}"
