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


class Refused(Exception):  # noqa: N818 - says what was answered
    """A change that a module asked for is not made, and nothing is changed; the text says why."""
