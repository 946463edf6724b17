# SPDX-License-Identifier: Apache-2.0
"""Take the upload out of a request as a stream: a raw body, or the one file of a multipart form.

The bytes go straight into a sealed memory file and are digested on the way; neither Django nor a
temporary file ever holds them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import FileUploadHandler, StopFutureHandlers, StopUpload
from django.http import HttpRequest

from holdfast.errors import InvalidRequest
from holdfast.intake.upload import CHUNK, Receiver, TooLong, Upload, receive


class _ReceivingHandler(FileUploadHandler):
    """Django's upload handler that feeds a `Receiver`."""

    chunk_size = CHUNK

    def __init__(self, request: HttpRequest, limit: int) -> None:
        super().__init__(request)
        self.limit = limit
        self.receiver: Receiver | None = None
        self.received: Upload | TooLong | None = None

    def new_file(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401  # Django's form
        super().new_file(*args, **kwargs)
        if self.receiver is not None:
            message = "body: a form carries one file"
            raise InvalidRequest(message)
        self.receiver = Receiver(self.limit)
        raise StopFutureHandlers

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:  # noqa: ARG002
        assert self.receiver is not None
        self.receiver.take(raw_data)
        if self.receiver.over_limit:
            self.received = TooLong(self.limit)
            raise StopUpload(connection_reset=False)

    def file_complete(self, file_size: int) -> UploadedFile[Any] | None:  # noqa: ARG002
        assert self.receiver is not None
        self.received = self.receiver.finish()
        return UploadedFile(name="upload", size=0)

    def forget(self) -> None:
        """Give back the memory of an upload that nobody took."""
        if isinstance(self.received, Upload):
            self.received.close()
        elif self.receiver is not None:
            self.receiver.abandon()


def take_upload(request: HttpRequest, limit: int) -> tuple[Upload | TooLong, dict[str, str]]:
    """The upload of a request and the text fields that came with it (none with a raw body).

    Raises InvalidRequest if there is no file in a form, more than one, or half an upload.
    """
    if request.content_type == "multipart/form-data":
        return _from_form(request, limit)
    declared = request.META.get("CONTENT_LENGTH") or ""
    return receive(_chunks(request), limit, declared=int(declared) if declared.isdigit() else None), {}


def _chunks(request: HttpRequest) -> Iterator[bytes]:
    while chunk := request.read(CHUNK):
        yield chunk


def _from_form(request: HttpRequest, limit: int) -> tuple[Upload | TooLong, dict[str, str]]:
    handler = _ReceivingHandler(request, limit)
    request.upload_handlers = [handler]
    try:
        fields = {name: str(value) for name, value in request.POST.items()}
    except BaseException:
        handler.forget()
        raise
    if handler.received is None:
        handler.forget()
        message = "body: a form must carry one file"
        raise InvalidRequest(message)
    return handler.received, fields
