# SPDX-License-Identifier: Apache-2.0
"""A key management service as the keeper of the keyring, through Tink: the secrets lie on disk only encrypted by it.

Asked when a keyring is read for the first time or has changed, not for every sealed value. Tink is an
optional part (`pip install holdfast[kms]`), and each service needs Tink's own part for it.
"""

from __future__ import annotations

import importlib
from typing import Any, Final

from holdfast.errors import InvalidSetting, SealingKeyMissing

_BOUND_TO: Final = b"holdfast keyring"
_CLIENTS: Final = {
    "aws-kms://": ("tink.integration.awskms", "AwsKmsClient"),
    "gcp-kms://": ("tink.integration.gcpkms", "GcpKmsClient"),
}


class KmsKeeper:
    """Keeps secrets encrypted by one key of a key management service."""

    kind = "kms"

    def __init__(self, address: str) -> None:
        """Use the key at `address`, in Tink's form; nothing is asked yet."""
        self._address = address

    def lock(self, secret: bytes) -> bytes:
        """Encrypted by the service: see `Keeper`."""
        try:
            return bytes(self._aead().encrypt(secret, _BOUND_TO))
        except Exception as cause:  # each service raises its own
            message = f"HOLDFAST_KEYRING_KMS: the service does not encrypt with {self._address}: {_words(cause)}"
            raise InvalidSetting(message) from cause

    def unlock(self, locked: bytes) -> bytes:
        """Decrypted by the service: see `Keeper`."""
        try:
            return bytes(self._aead().decrypt(locked, _BOUND_TO))
        except Exception as cause:  # each service raises its own
            message = f"the keyring does not open with {self._address}: {_words(cause)}"
            raise SealingKeyMissing(message) from cause

    def _aead(self) -> Any:  # noqa: ANN401  # Tink is optional
        tink = importlib.import_module("tink")
        importlib.import_module("tink.aead").register()
        try:
            return tink.kms_client_from_uri(self._address).get_aead(self._address)
        except tink.TinkError:
            scheme = next((one for one in _CLIENTS if self._address.startswith(one)), None)
            if scheme is None:
                raise
        module, name = _CLIENTS[scheme]
        client = getattr(importlib.import_module(module), name)(self._address, None)
        tink.register_kms_client(client)
        return client.get_aead(self._address)


def _words(cause: Exception) -> str:
    return (str(cause) or type(cause).__name__).splitlines()[0][:200]
