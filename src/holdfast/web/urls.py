# SPDX-License-Identifier: Apache-2.0
"""Which address leads where."""

from django.urls import include, path, re_path

from holdfast.web import log
from holdfast.web.api import api
from holdfast.web.doors import case, edge, report
from holdfast.web.staff import casing, entry, proposing, reviewing

urlpatterns = [
    path("report", report.view, name="report"),
    path("case", case.view, name="case"),
    re_path(rf"^case/(?P<act>{'|'.join(case.ACTS)})$", case.act_view, name="act"),
    path("style.css", edge.door(listed=True, GET=edge.style), name="style"),
    path("staff/", entry.home_view, name="staff"),
    path("staff/sign-in", entry.sign_in_view, name="staff-sign-in"),
    path("staff/begin", entry.begin_view, name="staff-begin"),
    path("staff/sign-out", entry.sign_out_view, name="staff-sign-out"),
    path("staff/reviews", reviewing.queue_view, name="staff-reviews"),
    path("staff/reviews/<slug:review>", reviewing.review_view, name="staff-review"),
    path("staff/reviews/<slug:review>/look", reviewing.look_view, name="staff-look"),
    path("staff/reviews/<slug:review>/step-back", reviewing.step_back_view, name="staff-step-back"),
    path("staff/reviews/<slug:review>/give-back", reviewing.give_back_view, name="staff-give-back"),
    path("staff/reviews/<slug:review>/take-back", reviewing.take_back_view, name="staff-take-back"),
    path("staff/pictures/<str:token>", reviewing.picture_view, name="staff-picture"),
    path("staff/proposals", proposing.list_view, name="staff-proposals"),
    path("staff/proposals/<slug:proposal>", proposing.show_view, name="staff-proposal"),
    path("staff/colleagues/new", proposing.add_view, name="staff-colleague"),
    path("staff/cases", casing.list_view, name="staff-cases"),
    path("staff/cases/<slug:case>", casing.show_view, name="staff-case"),
    path("v1/", api.urls),
    path("log/checkpoint", log.checkpoint),
    path("log/keys", log.keys),
    re_path(r"^log/(?P<path>tile/(?:[0-9]|[1-5][0-9]|6[0-3])/(?:x[0-9]{3}/)*[0-9]{3}(?:\.p/[0-9]{1,3})?)$", log.tile),
    re_path(r"^log/(?P<path>tile/entries/(?:x[0-9]{3}/)*[0-9]{3}(?:\.p/[0-9]{1,3})?)$", log.entries),
    # HMA's clients join addresses by hand: one that was given a final slash asks for //c/banks.
    re_path(r"^/?", include("holdfast.web.hma.urls")),
]
handler400 = "holdfast.web.problems.bad_request"
handler404 = "holdfast.web.problems.not_found"
handler500 = "holdfast.web.problems.server_error"
