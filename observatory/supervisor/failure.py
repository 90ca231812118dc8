"""The ways in which a start ends before the service is ready."""


class CannotStart(Exception):  # noqa: N818  reads as the sentence that it begins
    """Something stands in the way of the start; the text is one sentence that tells the operator what to do."""


class StopRequested(Exception):  # noqa: N818  a request, not an error
    """SIGINT, SIGTERM or SIGHUP arrived while the service was starting."""


class ToldAlready(Exception):  # noqa: N818  reads as the sentence that it begins
    """The start failed and the process that failed has told the operator why."""
