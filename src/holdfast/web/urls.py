# SPDX-License-Identifier: Apache-2.0
"""Which address leads where."""

from django.urls import path

from holdfast.web.api import api

urlpatterns = [path("v1/", api.urls)]
handler400 = "holdfast.web.problems.bad_request"
handler404 = "holdfast.web.problems.not_found"
handler500 = "holdfast.web.problems.server_error"
