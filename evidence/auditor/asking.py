"""Asking a venue: ccxt signs requests with the key; what comes back is taken as it is, and only what reads is asked."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from decimal import Decimal
from functools import partial
from typing import Any

import ccxt

from zkmargin.evidence.auditor.plan import ReadKey
from zkmargin.evidence.auditor.statement import VenueForm
from zkmargin.margin.errors import Finding, InputError

MILLISECONDS = 20_000


class Session:
    """A venue, asked with a key."""

    def __init__(self, venue: str, key: ReadKey, url: str | None) -> None:
        """`url` stands in for the venue's own address."""
        content: dict[str, Any] = {
            "apiKey": key.key,
            "secret": key.secret.get_secret_value(),
            "timeout": MILLISECONDS,
            # Some twenty requests are far below what venues allow in a minute.
            "enableRateLimit": False,
        }
        if key.passphrase is not None:
            content["password"] = key.passphrase.get_secret_value()
        self._venue = venue
        self._exchange = getattr(ccxt, venue)(content)
        # Amounts stay exact.
        self._exchange.on_json_response = partial(json.loads, parse_float=Decimal, parse_constant=str)
        # Nothing of the environment may lead requests elsewhere.
        self._exchange.session.trust_env = False
        if url is not None:
            self._exchange.urls["api"] = _led_to(self._exchange.urls["api"], url.rstrip("/"))

    def read(self, form: VenueForm) -> dict[str, Any]:
        """The venue's answers, and when they were whole. Raises InputError, which never shows the key."""
        answers = {}
        for name, request in form.requests.items():
            if "_get_" not in request.method:
                raise InputError(self._venue, name, request.method, "only what reads is asked")
            try:
                answers[name] = getattr(self._exchange, request.method)(dict(request.parameters))
            except (ccxt.BaseError, ValueError, TypeError, KeyError, AttributeError) as error:
                # Its message may hold the whole request.
                remedy = (
                    "see that the venue answers, that the key is valid, and that it may be used from here"
                )
                raise InputError(self._venue, name, Finding(type(error).__name__), remedy) from None
        return {"at": int(time.time()), "answers": answers}


def _led_to(urls: Any, base: str) -> Any:
    """The same paths at another address."""
    if isinstance(urls, Mapping):
        return {name: _led_to(value, base) for name, value in urls.items()}
    scheme, separator, rest = str(urls).partition("://")
    _, slash, path = rest.partition("/")
    return f"{base}{slash}{path}" if separator and scheme else urls
