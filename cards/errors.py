"""The ways in which cards says no."""

from flowlet.core.errors import AppError, Conflict


class CardClosed(Conflict):
    """The card is closed for good."""

    code = "card_closed"
    title = "Card closed"
    message = "The card is closed; that is final."
    next_action = "issue_card"
    next_text = "Issue a new card on the wallet."


class CardNotInactive(Conflict):
    """Only a card that was never activated can be."""

    code = "card_active"
    title = "Already active"
    message = "The card is active already."


class AlreadyFrozen(Conflict):
    """This source has frozen the card already."""

    code = "card_already_frozen"
    title = "Already frozen"
    message = "The card is frozen already."


class CardNotFrozen(Conflict):
    """There is no freeze of this source to lift."""

    code = "card_not_frozen"
    title = "Card not frozen"
    message = "There is no freeze of yours on this card."


class FreezeOfAnother(AppError):
    """The freeze is another's: nobody lifts what they did not place."""

    code = "not_permitted"
    http_status = 403
    title = "Not permitted"
    message = "This freeze cannot be lifted here."
    next_action = "contact_support"
    next_text = "Contact support."


class WalletNotUsable(AppError):
    """The wallet or its customer cannot take a card now; the words stay neutral."""

    code = "wallet_not_open"
    title = "Wallet not open"
    message = "No card can be issued on this wallet now."


class AuthorizationNotOpen(Conflict):
    """The authorisation was declined, or is over."""

    code = "authorization_not_open"
    title = "Authorisation not open"
    message = "The authorisation is {state}; it cannot be changed."

    def __init__(self, *, state: str) -> None:
        super().__init__(state=state.lower())


class ReferenceReused(Conflict):
    """The network's reference came before with other content (answer 94)."""

    code = "duplicate_reference"
    title = "Reference used before"
    message = "The network reference {reference} came before with other content."
    next_action = "decline"
    next_text = "Answer the network 94, duplicate."

    def __init__(self, *, reference: str) -> None:
        super().__init__(reference=reference)


class UnknownCard(AppError):
    """No card has this token (answer 14)."""

    code = "unknown_card"
    http_status = 404
    title = "Unknown card"
    message = "There is no such card."
    next_action = "decline"
    next_text = "Answer the network 14, no such card."
