# SPDX-License-Identifier: Apache-2.0
"""Take the upload out of a request as a stream: a raw body, or the one file of a multipart form.

The bytes go straight into a sealed memory file, or into the spool if they are long or are answered
later, and are digested on the way; neither Django nor a temporary file of its own ever holds them.
`holdfast.web.body` gives up one that takes too long to arrive.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import FileUploadHandler, SkipFile, StopFutureHandlers
from django.http import HttpRequest
from pydantic import BaseModel

from holdfast.errors import InvalidRequest
from holdfast.intake.spool import Spool
from holdfast.intake.upload import CHUNK, Receiver, Room, TooLong, Upload, receive
from holdfast.later import is_video
from holdfast.media.filetype import HEAD_LENGTH
from holdfast.settings import Settings


class _ReceivingHandler(FileUploadHandler):
    """Django's upload handler that feeds a `Receiver`. Of a second file it only notes that there was one."""

    chunk_size = CHUNK

    def __init__(self, request: HttpRequest, settings: Settings, room: Room | None) -> None:
        super().__init__(request)
        self.limit = settings.max_upload_bytes
        self.room = room
        self.files = 0
        self.field = ""
        self.receiver: Receiver | None = None
        self.received: Upload | TooLong | None = None

    def new_file(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401  # Django's form
        super().new_file(*args, **kwargs)
        self.files += 1
        if self.files > 1:
            raise SkipFile
        self.field, self.receiver = str(self.field_name), Receiver(self.limit, self.room)
        raise StopFutureHandlers

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:  # noqa: ARG002
        assert self.receiver is not None
        self.receiver.take(raw_data)  # past the limit it only counts, so that the fields after the file are seen

    def file_complete(self, file_size: int) -> UploadedFile[Any] | None:  # noqa: ARG002
        assert self.receiver is not None
        self.received, self.receiver = self.receiver.finish(), None
        return UploadedFile(name="upload", size=0)

    def forget(self) -> None:
        """Give back the memory of an upload that nobody took."""
        if isinstance(self.received, Upload):
            self.received.close()
        if self.receiver is not None:
            self.receiver.abandon()


@dataclass(frozen=True, slots=True)
class FormFile:
    """The one file of a form: the name of its field, its bytes, and the text fields beside it."""

    field: str
    received: Upload | TooLong
    fields: dict[str, str]


def take_upload(
    request: HttpRequest, settings: Settings, room: Room | None = None
) -> tuple[Upload | TooLong, dict[str, str]]:
    """The upload of a request and the text fields that came with it (none with a raw body).

    Raises InvalidRequest if there is no file in a form, more than one, half an upload, a field
    twice, or if it takes too long; NoRoom if it belongs on disk and there is no room.
    """
    if request.content_type == "multipart/form-data":
        form = take_form(request, settings, room)
        return form.received, form.fields
    declared = _announced(request)
    return receive(_chunks(request), settings.max_upload_bytes, declared=declared, room=room), {}


def room_for(request: HttpRequest, settings: Settings, spool: Spool, *, later: bool) -> Room:
    """Where the upload of this request may go beside memory; with `later`, it goes there however short it is."""
    return Room(
        spool=spool,
        announced=_announced(request) or 0,
        above=settings.spool_above_bytes,
        limit=settings.max_video_bytes,
        is_long=is_video,
        head=HEAD_LENGTH,
        always=later,
    )


def _announced(request: HttpRequest) -> int | None:
    announced = request.META.get("CONTENT_LENGTH") or ""
    return int(announced) if announced.isdigit() else None


def refuse_unknown(request: HttpRequest, shape: type[BaseModel]) -> None:
    """Raise InvalidRequest for an option in the address that is not one of `shape`, or that stands there twice."""
    for name, values in request.GET.lists():
        if name not in shape.model_fields:
            message = f"{name!a}: no such option"
            raise InvalidRequest(message)
        if len(values) > 1:
            message = f"{name}: given twice"
            raise InvalidRequest(message)


def _chunks(request: HttpRequest) -> Iterator[bytes]:
    while chunk := request.read(CHUNK):
        yield chunk


def take_form(request: HttpRequest, settings: Settings, room: Room | None = None) -> FormFile:
    """The one file of a form. Raises InvalidRequest and NoRoom as `take_upload` does."""
    handler = _ReceivingHandler(request, settings, room)
    request.upload_handlers = [handler]
    try:
        fields = {name: [str(value) for value in values] for name, values in request.POST.lists()}
        received = _one_file(handler, fields)
    except BaseException:
        handler.forget()
        raise
    return FormFile(handler.field, received, {name: values[0] for name, values in fields.items()})


def _one_file(handler: _ReceivingHandler, fields: dict[str, list[str]]) -> Upload | TooLong:
    """The file of a form that has exactly one, and no field twice."""
    if handler.received is None or handler.files > 1:
        message = "body: a form must carry one file"
        raise InvalidRequest(message)
    for name, values in fields.items():
        if len(values) > 1:
            message = f"{name!a}: given twice"
            raise InvalidRequest(message)
    return handler.received
