"""The ways in which the assistant says no."""

from typing import ClassVar

from flowlet.core.errors import AppError, Conflict


class ChatFull(AppError):
    """The chat has as many messages as one may have."""

    code: ClassVar[str] = "chat_full"
    title: ClassVar[str] = "Chat is full"
    message: ClassVar[str] = "This chat has reached its {most} messages."
    next_action: ClassVar[str] = "open_chat"
    next_text: ClassVar[str] = "Open a new chat."

    def __init__(self, *, most: int) -> None:
        super().__init__(most=most)


class MessageKeyReused(Conflict):
    """The key stands for another message of this chat."""

    code: ClassVar[str] = "message_key_reused"
    title: ClassVar[str] = "Key used before"
    message: ClassVar[str] = "This key stands for another message of this chat."
