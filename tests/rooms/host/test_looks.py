"""Holds the looks of a secret to those in which others write it: what is encoded is hidden, too."""

import base64
import json
from urllib.parse import quote, quote_plus, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ignrun.host.masking import Masker
from ignrun.runner.secrets import SecretStore
from ignrun.terms.secret import MASK, looks_of

secrets = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Zl", "Zp"]), min_size=8, max_size=40)


def maskers(secret: str):
    host, runner = Masker(), SecretStore()
    host.learn(secret)
    runner.offer(1, {"PW": secret})
    return host.mask, runner.mask


@given(secrets.filter(lambda text: len(text.strip()) > 6), st.text("ab:/", max_size=5), st.text("xyz=", max_size=5))
def test_a_secret_is_hidden_however_it_is_encoded(secret, before, after) -> None:
    whole = f"{before}{secret}{after}"
    written = {
        secret,
        repr(secret)[1:-1],
        json.dumps(secret, ensure_ascii=False)[1:-1],
        quote(secret),
        quote(secret, safe=""),
        quote_plus(secret),
        urlencode({"password": secret}),
    }
    encoded = {base64.b64encode(whole.encode()).decode(), base64.urlsafe_b64encode(whole.encode()).decode()}
    for mask in maskers(secret):
        for text in written | encoded:
            assert MASK in mask(f"said {text}.")


@pytest.mark.parametrize("secret", ["a", "1234"])
def test_a_short_secret_has_no_looks_that_could_stand_anywhere(secret) -> None:
    assert {one for one in looks_of(secret) if one != secret} == set()
