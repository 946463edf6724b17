# SPDX-License-Identifier: Apache-2.0
"""One tiny video of every readable type (grey squares, two frames in one second), as text.

The decoder server watches each once before its children confine themselves, so that nothing is loaded
lazily afterwards. They are data, not made at run time: encoders start threads that a fork would lose.
"""

from __future__ import annotations

import base64
import zlib
from typing import Final

from holdfast.media.filetype import FileType

_SAMPLES: Final = {
    FileType.MP4: (
        "eNp9U7FOAkEQnTs0UUOUGGIoMDkNaGEwQoiFFWBDYauFsVnYPTm55S53yyVSW/gDNvYW/oIVhYWVH2Bnp4WFnR3OLlxYUJjs7JudnZ3Z"
        "mdkFAMsW174TehzABInIJRI1i9wvFwFgyQ4YQ9zllAjEdXZ7c7Rj9KFaXgUz2fhqW6hdrN5bnxWARIZ7XoQKl0ctChOU+FBsgBxjMiat"
        "ptcVmEsmjpoISBvlC9FWMRN/vcnY8+P8Gzc1YoAcoyJEzDI3FOMTI7/qrPHEqUNQsDidzr2i+PRZLQot6gbxTuRQplue4dqrkw51mbQx"
        "GHc6NgrpiCun+jVzdLiXpQGztTSS3cC1hrKRD0XDRfkhFCHVbO5kj2eUQiadgjpifabFNGUGA5z30OuxUeuvDN4hfYn41kvJhqip8r19"
        "ZcBC63XtRSbUEEFcyZ/YSShUleOQ2F2ZB6Tx8rpechZ1zSmdqe31Jl8JbCAvD301Pe3cAXKjS4Xs3DlnCiVt6V3CzgbE910944IzfAr5"
        "R+FJh5v4QUhcqxMS2Yel/SKOg9Iva3VuIg=="
    ),
    FileType.MATROSKA: (
        "eNqTcr2/eLFTWyOj03cg/tTI4vS5kcOpqSM3saQovzg70akdKNTayCQR3JDOyAACTFqCvrNLDuxv8bkeauu7uzt4dYuo58q04DWNCyE8"
        "sZB12UDeR9/dPUCeUMjh9OA1TYy+EK5M8G6gZBMT3xuIaQzBDNQHIPec3t/yt3zrN63rG5v5nRx8G3p9EsvSzIz0DIHIwCjcEZVfvGTC"
        "09SZ6bns+Tn17E+aDKSD01w6Oxz6HcDmgXx0fX/LQ+bJQuugzva43shYfLSD68yePyE7bybOaWRQ2jqnuTQvpaORoa01LD4swLK5kVH5"
        "cXOL7NlUhgddGxoFdjUKhGxqZAl918gA8zwTAwMofO7tb5HezCZeXLwg+UBD+olZrovbXf2c/V1cg1za0dxZvCn5QHcywuL0EwtdF3e4"
        "hAY5hnj6+7m0TzYwsAIhQz0DGGCQd95WenN/y5xH2hHPGxkW72xkYGho8mx2YmD4wPCNwUJFRsKLgUFBgaHaKf7//7N36nXq/0+7IGDl"
        "+fpnUkbuua3K59b/719okcLAsHhyI+MXhjYGh0lzGAIYGJgTGBg4G0AxOn1/S+bTR6q7+zc3MmzvAqakj02MGz40cgIA6r3MYA=="
    ),
    FileType.AVI: (
        "eNoL8nRz+yTGwOAY5qng4xkc8kaQgSEjpSgnsSwzw4KBgUFhITsDDAhwMjAwQdmMEBEgZABjdAAyawpQorikKAeIwWaVZaYUu/kGmCCr"
        "A5kDMxNE9wDxfyCA2wmEQP1pGkC2BtQuAbA+CQawWcyYdnuF+nlLABWxQPkGBinJDKNgFIyCUTAKRsEoGAWjYBSMglEwCkbBKBhRADQ+"
        "wMLIwJCfkpsDRBk/RnBYgMZppIC0p5+bv2ewWwgfSCyxLM3MSM8QiAyMwKH1g3k01YyCUTBSS4gVQDo3vywTNJLaAxZl3AAsQBm3dgpD"
        "hnAZFRiO9HYwiDK0MIkkA7mbgGVIMrAMMbIAlyEMjJsZBNiB1DYx1oQ9+mxChxdUaLA7T6jw/32K8eMCQenpzXyoQvxsJ/5IePM1Plgg"
        "y+f40P49L1hZ/8GWDS/kuBgvPJET/vfhgrwUo3w9yE2QMWrGbfEc5gyZKRWGCgyQUV/QSDFoFLiHATEKPAOIQeoBrgdlvA=="
    ),
    FileType.MPEG_TS: (
        "eNpzdxAUYHD6oMrAeJCB4T/jfwbGPw0iHkKMbG5uuQWp6ZzBqUVlmcmpBoblNc6n/g8u4O7AIMDAsIEX7HYGxg8MWhtZNv0fGsA9AOh2"
        "pg1CYLc/ZPjAIA0iRPf6hg0BtzsyGOQFAIOcoY6BTlYCo/cBA0NDA6siAyMQArmcH0BkutMBrltVwFTAzAAmHD4qZYHEM87xnwBSqR0t"
        "VmqMBxgcTfgYmHiS3mYruDsICg7h9C44hNO74BBO74azgMkr/And0juZeYM5fiIibzjOUnjpAAAX5vOr"
    ),
    FileType.FLV: (
        "eNpz8wljZGRgYOAEYgYhBoYdDBDAxMCVn+ebWpLokliSyAEU4GDgSCktSizJzM9jsP8AVcVanplSksHgYADls2WkZqZnlCAEeMsyU1Lz"
        "U4BmALWmMsABZ1pRYm4qWMwBJsYDVpucn5KanJmCEGZPzQOJFTEx8PoklqWZGekZApGBEQNHWmZOanFmFdCIkg0wc4H4MJAIgPKBPmph"
        "4OAQtHzhyMaYwMvMJMPm2FTuwSvhtAAokIIkYLOBvZlhA1tjIx+zwkHrRoeMQ9oONhKsDSY8HAWSbJx3uJjdBP//AxoZzQmyhvELyHgl"
        "oPE2HBwmCkC2CAApGkC9"
    ),
}


def video_sample(kind: FileType) -> bytes:
    """The sample of one type."""
    return zlib.decompress(base64.b64decode(_SAMPLES[kind]))
