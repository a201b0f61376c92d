"""What a refusal looks like: a status, a code for programs, a sentence for people."""

from collections.abc import Mapping, Sequence
from typing import TypeVar

from pydantic import BaseModel, ValidationError

Q = TypeVar("Q", bound=BaseModel)


class FieldProblem(BaseModel):
    """What is wrong with one field of a request."""

    field: str
    message: str


class Problem(BaseModel):
    """Why a request was refused: a code for programs, a sentence for people."""

    error: str
    message: str
    fields: list[FieldProblem] = []


class Refused(Exception):
    """A request that gets no answer, and why; a gateway turns it into a `Problem`.

    Parameters
    ----------
    status : int
        As of HTTP.
    error : str
        The code for programs, such as "too_large".
    message : str
        The sentence for people.
    headers : mapping of str to str, optional
        What goes out beside it.
    fields : sequence of FieldProblem
        What is wrong with which field.
    """

    def __init__(
        self,
        status: int,
        error: str,
        message: str,
        headers: Mapping[str, str] | None = None,
        fields: Sequence[FieldProblem] = (),
    ) -> None:
        super().__init__(message)
        self.status, self.error, self.message = status, error, message
        self.headers, self.fields = dict(headers or {}), list(fields)

    def body(self) -> bytes:
        """Return the problem as JSON."""
        problem = Problem(error=self.error, message=self.message, fields=self.fields)
        return problem.model_dump_json().encode()


MESSAGES = {
    "model_type": "is no JSON object",
    "extra_forbidden": "is no field of this request",
}


def read_request(kind: type[Q], body: bytes) -> Q:
    """Read a request from its JSON, or refuse it without repeating what was sent.

    Parameters
    ----------
    kind : type
        The request model.
    body : bytes
        The body, UTF-8.

    Raises
    ------
    Refused
        400 if the body is no JSON, else 422 with the fields.
    """
    what = kind.__name__.lower()
    if not body:
        missing = FieldProblem(field="body", message="is missing")
        raise Refused(
            422, f"invalid_{what}", "body: is missing.", fields=[missing]
        ) from None
    try:
        return kind.model_validate_json(body)
    except ValidationError as error:
        found = error.errors(
            include_url=False, include_context=False, include_input=False
        )
    if any(each["type"] == "json_invalid" for each in found):
        raise Refused(400, "malformed", "The body is no JSON.")
    fields = []
    for each in found:
        name = ".".join(str(part) for part in each["loc"]) or "body"
        message = MESSAGES.get(each["type"], each["msg"]).removeprefix("Value error, ")
        fields.append(FieldProblem(field=name, message=message))
    sentence = f"{fields[0].field}: {fields[0].message}."
    raise Refused(422, f"invalid_{what}", sentence, fields=fields)
