"""The ways the gateway itself says no."""

from flowlet.core.errors import AppError, Conflict, Retry


class Unauthenticated(AppError):
    """No token, or one that is forged, expired, of the wrong kind, or of somebody who may not act: same words."""

    code = "unauthenticated"
    http_status = 401
    title = "Not authenticated"
    message = "The access token is missing, expired or not valid."
    next_action = "get_token"
    next_text = (
        "Ask POST /api/v1/oauth/token (programs) or POST /api/v1/auth/token (people) for a new access token."
    )


class SignInFailed(AppError):
    """Unknown, wrong, locked, disabled: one answer for all."""

    code = "sign_in_failed"
    http_status = 401
    title = "Sign-in failed"
    message = "The e-mail address and password do not match an account that can sign in here."
    next_action = "check_credentials"
    next_text = "Check both, or ask an administrator of your company."


class MissingScope(AppError):
    """The token is good but does not allow this."""

    code = "missing_scope"
    http_status = 403
    title = "Scope missing"
    message = "This call needs the scope {scope}, which the token does not have."
    next_action = "add_scope"
    next_text = "Ask for a token with this scope; if the client does not have it, ask for it to be added."

    def __init__(self, *, scope: str) -> None:
        super().__init__(scope=scope)


class RateLimited(AppError):
    """More requests than the bucket holds."""

    code = "rate_limited"
    http_status = 429
    title = "Too many requests"
    message = "The quota {policies} is used up; try again in {after_s} s."
    retry = Retry(allowed=True, same_key=True)
    next_action = "wait"
    next_text = "Wait as long as Retry-After says; RateLimit on every answer shows what is left."

    def __init__(self, *, policies: tuple[str, ...], after_s: int) -> None:
        self.policies = policies
        super().__init__(policies=", ".join(policies), after_s=after_s)


class Unavailable(AppError):
    """Something this call depends on is down; nothing was changed."""

    code = "unavailable"
    http_status = 503
    title = "Temporarily unavailable"
    message = "A part this call needs is not available at the moment. Nothing was changed."
    retry = Retry(allowed=True, same_key=True)
    next_action = "retry"
    next_text = "Send the same request again, with the same Idempotency-Key."

    def __init__(self, *, after_s: int = 2) -> None:
        super().__init__(after_s=after_s)


class BodyTooLarge(AppError):
    """The body is larger than the API reads."""

    code = "body_too_large"
    http_status = 413
    title = "Body too large"
    message = "A body has at most {limit} bytes."

    def __init__(self, *, limit: int) -> None:
        super().__init__(limit=limit)


class LengthRequired(AppError):
    """The body came without Content-Length, so that its end is a matter of opinion."""

    code = "length_required"
    http_status = 411
    title = "Length required"
    message = "Send the body with a Content-Length header."


class BadHost(AppError):
    """The Host header names a host that is not ours."""

    code = "bad_host"
    http_status = 400
    title = "Bad host"
    message = "The Host header is not one of this service."


class UnsupportedMediaType(AppError):
    """The body is of a type this route does not read."""

    code = "unsupported_media_type"
    http_status = 415
    title = "Unsupported media type"
    message = "Send the body as {wanted}."

    def __init__(self, *, wanted: str) -> None:
        super().__init__(wanted=wanted)


class MethodNotAllowed(AppError):
    """The route exists, but not with this method."""

    code = "method_not_allowed"
    http_status = 405
    title = "Method not allowed"
    message = "This route answers {allowed}."

    def __init__(self, *, allowed: str) -> None:
        super().__init__(allowed=allowed)


class UnknownRoute(AppError):
    """There is nothing at this address."""

    code = "unknown_route"
    http_status = 404
    title = "No such route"
    message = "There is no such route."
    next_action = "read_reference"
    next_text = "All routes stand in /api/v1/openapi.json."


class InternalError(AppError):
    """We made a mistake; what it was stands in our log under the request id."""

    code = "internal_error"
    http_status = 500
    title = "Internal error"
    message = "Something went wrong on our side. Nothing was changed; we have been told."
    retry = Retry(allowed=True, same_key=True)
    next_action = "retry"
    next_text = (
        "Send the same request again with the same Idempotency-Key, or write to us with the request id."
    )


class IdempotencyKeyMissing(AppError):
    """A request that must not happen twice came without a key."""

    code = "idempotency_key_missing"
    http_status = 400
    title = "Idempotency-Key missing"
    message = "This call needs an Idempotency-Key header, so that it can be repeated safely."
    retry = Retry(allowed=True)
    next_action = "add_key"
    next_text = "Send a fresh random key, and the same key again whenever you repeat the request."


class IdempotencyKeyInvalid(AppError):
    """The key is too long or holds something else than visible ASCII."""

    code = "idempotency_key_invalid"
    http_status = 400
    title = "Idempotency-Key not valid"
    message = "An Idempotency-Key has 1 to 255 visible ASCII characters."


class IdempotencyKeyReused(AppError):
    """The key belongs to another request."""

    code = "idempotency_key_reused"
    http_status = 422
    title = "Idempotency-Key already used"
    message = "This Idempotency-Key was used before with another body or address."
    next_action = "new_key"
    next_text = "Use a new key for a new request."


class IdempotencyInFlight(Conflict):
    """The first request with this key is still at work."""

    code = "idempotency_in_flight"
    title = "Still at work"
    message = "A request with this Idempotency-Key is still being worked on."
    retry = Retry(allowed=True, after_s=1, same_key=True)
    next_action = "retry"
    next_text = "Send the same request again after a second."
