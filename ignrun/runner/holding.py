"""Owns the promise to operators that what they hold stopped stays so: they are answered once it is kept, or known that it cannot be."""

from collections.abc import Callable

from msgspec.structs import replace

from ignrun.runtime.journal.writer import Journal
from ignrun.runtime.supervise.effects import AnswerAsked
from ignrun.terms.names import Address


class Holding:
    """Who is held stopped by whom: as it is to be kept, and as it is known to be kept; everything is called in the loop."""

    def __init__(
        self,
        journal: Journal,
        answer: Callable[[AnswerAsked], None],
        call_in_loop: Callable[[Callable[[], None]], None],
    ) -> None:
        """Take the journal, where answers go, and the way back from the journal's thread."""
        self._journal = journal
        self._answer = answer
        self._call_in_loop = call_in_loop
        self._kept = self._wanted = journal.holds()
        self._under_way = 0
        self._unanswered: list[AnswerAsked] = []

    def keep(self, holds: dict[Address, str]) -> None:
        """Have the journal keep these in place of all before."""
        self._wanted = holds
        self._ask()

    def answer(self, effect: AnswerAsked) -> None:
        """Answer an operator once nothing is under way; what the disk has refused for his instance is asked for once more before."""
        if not self._under_way and self._is_unkept(effect):
            self._ask()
        if self._under_way:
            self._unanswered.append(effect)
        else:
            self._answer(effect)

    def _is_unkept(self, effect: AnswerAsked) -> bool:
        return not effect.refusal and self._wanted.get(effect.address) != self._kept.get(effect.address)

    def _ask(self) -> None:
        self._under_way += 1
        holds = self._wanted
        self._journal.keep_holds(holds, lambda refusal: self._call_in_loop(lambda: self._held(holds, refusal)))

    def _held(self, holds: dict[Address, str], refusal: str) -> None:
        self._under_way -= 1
        if not refusal:
            self._kept = holds
        if self._under_way:
            return
        answers, self._unanswered = self._unanswered, []
        for one in answers:
            lost = f"it is so now, but will not outlive this runner: the journal cannot keep it ({refusal})"
            self._answer(replace(one, refusal=lost) if self._is_unkept(one) else one)
