# SPDX-License-Identifier: Apache-2.0
"""Which address of the HMA interface leads where. Whatever HMA has beside these is answered 404."""

from django.urls import path

from holdfast.web.hma import curation, hashing, matching, status
from holdfast.web.hma.edge import served

urlpatterns = [
    path("status", served(GET=status.status)),
    path("status/live", served(GET=status.live_as_status)),
    path("livez", served(GET=status.live)),
    path("readyz", served(GET=status.ready)),
    path("h/hash", served(GET=hashing.hash_address, POST=hashing.hash_file)),
    path("m/lookup", served(GET=matching.lookup_signal, POST=matching.lookup_file)),
    path("m/raw_lookup", served(GET=matching.raw_lookup)),
    path("m/compare", served(POST=matching.compare)),
    path("m/index/status", served(GET=matching.index_status)),
    path("c/banks", served(GET=curation.list_banks, POST=curation.create_bank)),
    path(
        "c/bank/<str:bank>",
        served(GET=curation.show_bank, PUT=curation.update_bank, DELETE=curation.delete_bank),
    ),
    path("c/bank/<str:bank>/content", served(POST=curation.add_content)),
    path(
        "c/bank/<str:bank>/content/<int:number>",
        served(GET=curation.show_content, PUT=curation.update_content, DELETE=curation.delete_content),
    ),
    path("c/bank/<str:bank>/signal", served(POST=curation.add_signals)),
    path("c/signal_type", served(GET=status.signal_types)),
    path("c/signal_type/index", served(GET=matching.signal_type_index)),
    path("c/signal_type/<str:name>", served(PUT=status.update_signal_type)),
    path("c/content_type", served(GET=status.content_types)),
    path("c/exchanges", served(GET=status.no_exchanges)),
    path("c/exchanges/apis", served(GET=status.no_exchanges)),
]
