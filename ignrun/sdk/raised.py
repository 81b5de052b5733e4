"""Owns the exceptions that module code raises to say what it means, and those that a peer raises at it."""


class NotReady(Exception):  # noqa: N818 - the word that module authors write
    """Raised in `startup`: what the module needs is not up yet; it is tried again with a growing pause."""


class Fatal(Exception):  # noqa: N818 - the word that module authors write
    """Raised in any callback: trying again would not help; the module stays in `error` until somebody changes something."""


class Reject(Exception):  # noqa: N818 - the word that module authors write
    """Raised in `prepare_reconfigure`: this new config is refused, and with it the whole apply."""


class Unavailable(Exception):  # noqa: N818 - the word that module authors write
    """A peer did not come back in time, or went away during a call; whether the call had an effect there is not known."""


class CallFailed(Exception):  # noqa: N818 - says what happened to the call
    """The provider's method raised, or is not marked `@provides`; the text names provider, method and reason."""


class NotOffered(Exception):  # noqa: N818 - says what the runner answers
    """The request is part of the contract, but this version of ignrun does not carry it out yet."""
