"""Turns a JSON text into a POST to a webhook that goes nowhere but where the manifest says."""

import http.client
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import HTTPRedirectHandler, Request, build_opener


class _Stay(HTTPRedirectHandler):
    """Goes nowhere but where the manifest says."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


def post(url: str, text: bytes, patience: float) -> str:
    """Send a JSON text within so many seconds; gives what went wrong, nothing when it was taken."""
    if not url.startswith(("http://", "https://")):
        return "is no http or https address"
    try:
        request = Request(url, text, {"Content-Type": "application/json"}, method="POST")  # noqa: S310 - checked above
        with build_opener(_Stay).open(request, timeout=patience):
            return ""
    except HTTPError as error:
        error.close()
        return f"answered {error.code}"
    except (URLError, OSError, http.client.HTTPException, ValueError) as error:
        reason = getattr(error, "reason", error)
        return f"could not be reached: {getattr(reason, 'strerror', None) or reason}"
