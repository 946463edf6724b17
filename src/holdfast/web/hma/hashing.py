# SPDX-License-Identifier: Apache-2.0
"""/h/hash: the hashes of a file that is sent."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse

from holdfast.access.key import Scope
from holdfast.errors import AddressNotFetched, DecoderUnavailable, InvalidRequest, UploadNotCompared
from holdfast.intake.upload import Upload
from holdfast.match.look import Seen, look
from holdfast.match.signal import SignalType
from holdfast.media import pdq
from holdfast.media.reason import NotDecoded, Reason
from holdfast.web.hma import kinds
from holdfast.web.hma.edge import admit, answer, asked, refuse_address
from holdfast.web.system import system
from holdfast.web.uploads import FormFile, take_form


def hash_address(request: HttpRequest) -> HttpResponse:
    """GET /h/hash: HMA would fetch the address; this does not."""
    admit(request, Scope.SCREEN)
    asked(request, "url")
    raise AddressNotFetched


def hash_file(request: HttpRequest) -> HttpResponse:
    """POST /h/hash: the hashes of the one file of a form."""
    admit(request, Scope.SCREEN)
    refuse_address(request)
    form = file_of(request)
    try:
        wanted = kinds.kinds_wanted(request, form.field)
        seen = look(form.received, system().decoder)
    finally:
        done_with(form)
    return answer({kinds.NAMES[kind]: _hash(seen, kind) for kind in wanted})


def file_of(request: HttpRequest) -> FormFile:
    """The file that a request carries. Raises InvalidRequest; whoever calls MUST be `done_with` it."""
    if request.content_type != "multipart/form-data":
        message = "body: a form (multipart/form-data) with one file is needed"
        raise InvalidRequest(message)
    return take_form(request, system().settings)


def done_with(form: FormFile) -> None:
    """Give the memory back."""
    if isinstance(form.received, Upload):
        form.received.close()


def refuse_unseen(obstacle: NotDecoded | Reason) -> None:
    """Raise what says that nothing can be told about a file: DecoderUnavailable if only for now."""
    reason = obstacle.reason if isinstance(obstacle, NotDecoded) else obstacle
    if reason.passes:
        raise DecoderUnavailable(reason.says)
    message = f"{reason}: {reason.says}"
    raise UploadNotCompared(message)


def _hash(seen: Seen, kind: SignalType) -> str:
    """One hash of the file. A look that is not whole has no hash: looking that up would find too little."""
    if kind.is_exact:
        found = [signal.value for signal in seen.exact if signal.type is kind]
    else:
        if seen.obstacle:
            refuse_unseen(seen.obstacle)
        upright = [number for number, name in enumerate(seen.variants) if name.endswith(pdq.Form.AS_IS)]
        # At the picture's own resolution, as HMA hashes: the first of the two families.
        found = [pdq.to_hex(seen.hashes[number]) for number in upright]
    if not found:
        refuse_unseen(seen.obstacle or Reason.LOW_QUALITY)
    return found[0]
