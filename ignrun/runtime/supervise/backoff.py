"""Turns one more failure into when to try again: at once, later and later, parked, or never."""

import zlib

from msgspec.structs import replace

from ignrun.manifest.model import Lifecycle
from ignrun.runtime.supervise.roster import Backoff
from ignrun.terms.fault import FaultKind


def after_failure(backoff: Backoff, key: str, policy: Lifecycle, kind: FaultKind, now: float) -> Backoff:
    """Count a failure of `key` at `now` (monotonic) and plan the next attempt: `next_retry` None means that there is none.

    The first retry comes at once, then after `policy.backoff` seconds doubling up to `backoff_max`, more or less by up to `jitter` of it, drawn from key and attempt.
    The intensity decays only while something was being tried: waiting between attempts is no sign of health. Past the threshold
    the key is parked.
    """
    match kind:
        case FaultKind.FATAL | FaultKind.UPSTREAM:
            return replace(backoff, next_retry=None, parked=False)
        case FaultKind.NOT_READY:
            delay = min(policy.not_ready * 2.0 ** min(backoff.attempt, 16), policy.not_ready_max)
            return replace(backoff, attempt=backoff.attempt + 1, at=now + delay, next_retry=now + delay, parked=False)
        case _:
            return _counted(backoff, key, policy, now)


def _counted(backoff: Backoff, key: str, policy: Lifecycle, now: float) -> Backoff:
    quiet = max(0.0, now - backoff.at)
    intensity = 1.0 + backoff.intensity * 0.5 ** (quiet / policy.half_life if policy.half_life else 0.0)
    parked = intensity > policy.threshold
    delay = _parking(backoff, policy) if parked else _delay(backoff.attempt, key, policy)
    return Backoff(
        attempt=backoff.attempt + 1,
        intensity=intensity,
        at=now + delay,
        parked=parked,
        parkings=backoff.parkings + parked,
        next_retry=now + delay,
    )


def _parking(backoff: Backoff, policy: Lifecycle) -> float:
    return min(policy.park * 2.0 ** min(backoff.parkings, 16), policy.park_max)


def _delay(attempt: int, key: str, policy: Lifecycle) -> float:
    if attempt == 0:
        return 0.0
    delay = min(policy.backoff * 2.0 ** min(attempt - 1, 32), policy.backoff_max)
    return delay * (1 + policy.jitter * _draw(f"{key}:{attempt}"))


def _draw(text: str) -> float:
    """Draw a number from -1 to 1, the same for the same text on every machine."""
    return zlib.crc32(text.encode()) / 2**31 - 1


def lasting(backoff: Backoff, policy: Lifecycle, seconds_well: float) -> Backoff:
    """Give what remains of `backoff` for one that had been well for so long when it failed."""
    return Backoff() if seconds_well >= policy.reset_after else backoff
