"""Owns the code of `minimal.yaml`: a job that counts until it is stopped."""

import asyncio
from typing import Any


async def poll(ctx: Any) -> None:
    """Count once a second and say so in the log."""
    count = 0
    while True:
        ctx.log.info("poll %d", count)
        count += 1
        await asyncio.sleep(1)
