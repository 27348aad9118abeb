"""Who can log in to the demo, and with what. Sandbox only: these passwords are printed on purpose."""

from dataclasses import dataclass

PASSWORD = "demo-flowlet-2026"  # noqa: S105 - printed by show_access, refused in live mode
CLIENT_NAME = "Demo checkout"
CLIENT_SECRET = "sk_test_demo_flowlet_sandbox_2026"  # noqa: S105 - as above
PARTNER_USER = ("engineer@paylark.example", "Tomasz Wierzba")


@dataclass(frozen=True, slots=True)
class Desk:
    """A member of staff: the role, an invented name, and what is worth looking at first."""

    role: str
    name: str
    look: str

    @property
    def email(self) -> str:
        """The log-in."""
        return f"{self.role.replace('_', '-')}@flowlet.example"


DESKS = (
    Desk("officer", "Ilse Marten", "decides on sanctions hits"),
    Desk("lead", "Oskar Lindgren", "leads compliance, verifies the trail"),
    Desk("ops", "Paula Reiss", "freezes and unfreezes wallets and customers"),
    Desk("support", "Dilan Yavuz", "answers customers, sees money, changes nothing"),
    Desk("finance", "Henk Vissers", "reconciles, closes months, exports statements"),
    Desk("finance_lead", "Beatriz Monteiro", "leads finance, checks write-offs and journals"),
    Desk("analyst", "Kenji Aramaki", "reads payments"),
    Desk("auditor", "Nora Weisz", "reads everything, changes nothing"),
    Desk("data_protection", "Maren Holst", "erases people's words from transactions"),
    Desk("access", "Samuel Adjei", "sees people and clients"),
)
