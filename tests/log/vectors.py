# SPDX-License-Identifier: Apache-2.0
"""Where published test vectors lie, if this machine has them: `shared/reference/vectors` beside a checkout."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

_BESIDE: Final = [parent / "shared" / "reference" / "vectors" for parent in Path(__file__).resolve().parents]
_NAMED: Final = os.environ.get("VECTORS")
VECTORS: Final = Path(_NAMED) if _NAMED else next((path for path in _BESIDE if path.exists()), _BESIDE[0])
