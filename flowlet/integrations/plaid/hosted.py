"""The page of the simulated Plaid on which a person picks a bank. Standard library only."""

from html import escape

from flowlet.integrations.plaid import banks
from flowlet.integrations.simulation.protocol import Reply

_PAGE = (
    '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title></head>'
    "<body><main><h1>{title}</h1>{body}</main></body></html>"
)


def choose(link: str) -> Reply:
    """Return the form: whose accounts, at which bank."""
    options = "".join(
        f'<option value="{escape(key)}">{escape(bank.name)} ({bank.currency})</option>'
        for key, bank in banks.BANKS.items()
    )
    body = (
        f'<form method="post" action="/hosted/{escape(link)}">'
        f'<p><label>Bank <select name="institution">{options}</select></label></p>'
        f'<p><label>Owner of the accounts <input name="owner" value="{escape(banks.OWNER)}"></label></p>'
        "<p><button>Link this bank</button></p></form>"
    )
    return _page(200, "Simulated bank link", body)


def linked(public_token: str) -> Reply:
    """Return what a real page would hand to the partner's program."""
    body = f"<p>Give this public token to the API:</p><p><code>{escape(public_token)}</code></p>"
    return _page(200, "Bank linked", body)


def gone() -> Reply:
    """Return that the link is over or was never there."""
    return _page(404, "This link has expired", "<p>Ask for a new one.</p>")


def _page(status: int, title: str, body: str) -> Reply:
    text = _PAGE.format(title=title, body=body)
    return Reply(status, text.encode(), {"Content-Type": "text/html; charset=utf-8"})
