# SPDX-License-Identifier: Apache-2.0
"""Which address leads where."""

from django.urls import include, path, re_path

from holdfast.web.api import api

urlpatterns = [
    path("v1/", api.urls),
    # HMA's clients join addresses by hand: one that was given a final slash asks for //c/banks.
    re_path(r"^/?", include("holdfast.web.hma.urls")),
]
handler400 = "holdfast.web.problems.bad_request"
handler404 = "holdfast.web.problems.not_found"
handler500 = "holdfast.web.problems.server_error"
