# SPDX-License-Identifier: Apache-2.0
"""The doors: pages on which people report something, and come back to it. No account, no cookie, no script.

`/report` takes a report, `/case` opens it again with the secret words. What they promise:

- Only "where, or what happened" is needed; nothing personal is.
- Nothing that somebody typed is lost by a mistake, a limit or a fault: the page comes again with all of it.
- The secret words travel in bodies of requests alone, never in an address, a cookie, a log line or a table.
- Nothing of these pages may be stored, framed, or sent on as a referrer; they load nothing from anywhere else.

`edge` is what every page shares, `report` and `case` are the pages, `told` says in words how something stands.
"""
