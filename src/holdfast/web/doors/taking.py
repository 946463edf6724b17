# SPDX-License-Identifier: Apache-2.0
"""Take a form with a file in it: the file in memory alone, and only as much of it as a proof may have.

What is too long is read and let go, so that the fields behind and before it are kept and the page can come again
with all of them. A file never lies on disk in clear; its name is never kept.
"""

from __future__ import annotations

from io import BytesIO
from typing import Any, Final

from django.core.exceptions import RequestDataTooBig
from django.core.files.uploadedfile import InMemoryUploadedFile, UploadedFile
from django.core.files.uploadhandler import FileUploadHandler, SkipFile, StopFutureHandlers
from django.http import HttpRequest

from holdfast.intake.desk import MOST_PROOF_BYTES

FIELD: Final = "proof"
MOST_BODY: Final = 4 * MOST_PROOF_BYTES
"""A body that is announced to be longer is not read at all."""


class ProofInMemory(FileUploadHandler):
    """Keeps the one file of the field `proof`; others are passed over."""

    def __init__(self, request: HttpRequest) -> None:
        """Keep nothing yet."""
        super().__init__(request)
        self._kept = bytearray()
        self._taken = False

    def new_file(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401  # Django's form
        """Take it if it is the first of its field."""
        super().new_file(*args, **kwargs)
        if self.field_name != FIELD or self._taken:
            raise SkipFile
        self._taken = True
        raise StopFutureHandlers

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:  # noqa: ARG002  # Django's form
        """Some of it."""
        self._kept += raw_data[: MOST_PROOF_BYTES + 1 - len(self._kept)]

    def file_complete(self, file_size: int) -> UploadedFile[Any] | None:
        """All of it came. Its size is told as it was, so that one that is too long is seen to be."""
        content = BytesIO(bytes(self._kept))
        return InMemoryUploadedFile(content, FIELD, FIELD, "application/octet-stream", file_size, None)


def take_form(request: HttpRequest) -> None:
    """Read the body of a request into `request.POST` and `request.FILES`. Raises RequestDataTooBig."""
    announced = request.META.get("CONTENT_LENGTH") or "0"
    if not announced.isdigit() or int(announced) > MOST_BODY:
        message = "a body of this length is not read"
        raise RequestDataTooBig(message)
    request.upload_handlers = [ProofInMemory(request)]
    request.POST  # noqa: B018  # reading it is what parses the body
