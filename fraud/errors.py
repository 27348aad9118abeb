"""The ways fraud can say no."""

from flowlet.core.errors import AppError, Conflict, InvalidInput


class SourceReused(Conflict):
    """This source id has been scored before, with other values."""

    code = "source_reused"
    message = "{source_kind} {source_id} was scored before with other values."


class EventUnknown(AppError):
    """There is no such event in this stream."""

    code = "event_unknown"
    http_status = 404
    title = "Event unknown"
    message = "No event {source_id} was scored in stream {stream}."


class BadScoringRequest(InvalidInput):
    """A value that cannot be scored; `errors` points at it."""

    code = "invalid_request"


class ArtefactRefused(AppError):
    """A model's files are not what was stored, or do not fit the running features."""

    code = "artefact_refused"
    title = "Model refused"
    message = "Model {artefact} is refused: {reason}."


class NotEnoughData(AppError):
    """A model cannot be trained on what is known."""

    code = "not_enough_data"
    title = "Not enough data"
    message = "{rows} labelled rows with {frauds} frauds between {span_from} and {span_to}: {reason}."


class PromotionRefused(AppError):
    """The gate, or the second person, is missing."""

    code = "promotion_refused"
    http_status = 409
    title = "Promotion refused"
    message = "Model {artefact} cannot be promoted: {reason}."


class NothingToRollBackTo(AppError):
    """No earlier champion exists in this stream."""

    code = "no_previous_model"
    http_status = 409
    title = "No previous model"
    message = "Stream {stream} has no earlier champion to go back to."


class UnknownFeatureSet(AppError):
    """No feature set, learner or model of that name exists."""

    code = "unknown_name"
    http_status = 400
    title = "Unknown name"
    message = "There is no {kind} named {name}."
