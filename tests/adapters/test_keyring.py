# SPDX-License-Identifier: Apache-2.0
"""The keyring's file: one contract for every keeper, private, replaced as a whole, and never guessed."""

from __future__ import annotations

import base64
import io
import json
import os
from datetime import UTC, datetime
from pathlib import Path

import pyrage
import pytest
import tink
from tink import aead, secret_key_access
from tink.testing import fake_kms

from holdfast.adapters.keyring import AgeKeeper, ErasureFile, KeyringFile, RightsKeeper
from holdfast.adapters.kms import KmsKeeper
from holdfast.errors import InvalidSetting, SealingKeyMissing
from holdfast.sealed.keyring import Keeper, new_kek, new_keyring

NOW = datetime(2026, 7, 1, tzinfo=UTC)


fake_kms.register_client()


def identity_in(folder: Path, name: str = "identity.txt") -> Path:
    path = folder / name
    path.write_text(f"# created: 2026\n{pyrage.x25519.Identity.generate()}\n")
    return path


class KeeperContract:
    """What every keeper promises."""

    def keeper(self, folder: Path) -> Keeper:
        raise NotImplementedError

    def test_what_was_locked_is_unlocked_also_by_the_keeper_of_a_later_process(self, tmp_path: Path) -> None:
        locked = self.keeper(tmp_path).lock(b"secret" * 5)
        assert self.keeper(tmp_path).unlock(locked) == b"secret" * 5

    def test_a_keyring_is_read_as_it_was_written(self, tmp_path: Path) -> None:
        file, keyring = KeyringFile(tmp_path / "keys" / "k.json", self.keeper(tmp_path)), new_keyring(NOW)
        assert not file.there()
        file.create(keyring)
        assert file.read() == keyring
        both = keyring.with_key(new_kek(NOW))
        KeyringFile(file.path, self.keeper(tmp_path)).write(both)
        assert file.read() == both, "a change by another process is noticed"

    def test_the_first_keyring_stands(self, tmp_path: Path) -> None:
        file, first = KeyringFile(tmp_path / "k.json", self.keeper(tmp_path)), new_keyring(NOW)
        file.create(first)
        file.create(new_keyring(NOW))
        assert file.read() == first

    def test_it_is_for_its_owner_alone_and_leaves_nothing_beside_it(self, tmp_path: Path) -> None:
        file = KeyringFile(tmp_path / "keys" / "k.json", self.keeper(tmp_path))
        before = os.umask(0)
        try:
            file.create(new_keyring(NOW))
            file.write(new_keyring(NOW))
        finally:
            os.umask(before)
        assert [path.name for path in file.path.parent.iterdir()] == ["k.json"]
        assert file.path.stat().st_mode & 0o777 == 0o600
        assert file.path.parent.stat().st_mode & 0o777 == 0o700


class TestRightsKeeper(KeeperContract):
    def keeper(self, folder: Path) -> Keeper:  # noqa: ARG002
        return RightsKeeper()


class TestAgeKeeper(KeeperContract):
    def keeper(self, folder: Path) -> Keeper:
        path = folder / "identity.txt"
        return AgeKeeper(path if path.exists() else identity_in(folder))

    def test_its_secrets_do_not_lie_in_the_file(self, tmp_path: Path) -> None:
        file, keyring = KeyringFile(tmp_path / "k.json", self.keeper(tmp_path)), new_keyring(NOW)
        file.create(keyring)
        bodies = json.loads(file.path.read_text())
        assert keyring.used.secret not in __import__("base64").b64decode(bodies["keys"][0]["secret"])

    def test_another_identity_or_none_opens_nothing(self, tmp_path: Path) -> None:
        path = tmp_path / "k.json"
        KeyringFile(path, self.keeper(tmp_path)).create(new_keyring(NOW))
        for other in (identity_in(tmp_path, "other.txt"), tmp_path / "nowhere"):
            with pytest.raises(SealingKeyMissing):
                KeyringFile(path, AgeKeeper(other)).read()

    @pytest.mark.parametrize("content", ["", "AGE-SECRET-KEY-1NOTREALLY", "\x00", "age1recipient"])
    def test_a_file_that_holds_no_identity_is_told_in_words(self, tmp_path: Path, content: str) -> None:
        path = tmp_path / "bad.txt"
        path.write_text(content)
        with pytest.raises(InvalidSetting, match="HOLDFAST_KEYRING_IDENTITY"):
            AgeKeeper(path).lock(b"x")


def fake_kms_key(folder: Path, name: str = "kms.txt") -> str:
    """The address of a key of Tink's own stand-in for a service: it lies in the address."""
    path = folder / name
    if not path.exists():
        keyset = io.BytesIO()
        aead.register()
        handle = tink.new_keyset_handle(aead.aead_key_templates.AES256_GCM)
        keyset.write(tink.proto_keyset_format.serialize(handle, secret_key_access.TOKEN))
        path.write_text("fake-kms://" + base64.urlsafe_b64encode(keyset.getvalue()).decode().rstrip("="))
    return path.read_text()


class TestKmsKeeper(KeeperContract):
    def keeper(self, folder: Path) -> Keeper:
        return KmsKeeper(fake_kms_key(folder))

    def test_another_key_or_none_opens_nothing(self, tmp_path: Path) -> None:
        path = tmp_path / "k.json"
        KeyringFile(path, self.keeper(tmp_path)).create(new_keyring(NOW))
        for other in (fake_kms_key(tmp_path, "other.txt"), "fake-kms://nothing", "gone-kms://key"):
            with pytest.raises(SealingKeyMissing, match="does not open with"):
                KeyringFile(path, KmsKeeper(other)).read()

    @pytest.mark.parametrize("address", ["gone-kms://key", "aws-kms://arn:aws:kms:x:1:key/2", "gcp-kms://projects/p"])
    def test_a_service_that_cannot_be_asked_is_told_in_words(self, address: str) -> None:
        with pytest.raises(InvalidSetting, match="HOLDFAST_KEYRING_KMS"):
            KmsKeeper(address).lock(b"x")


def test_a_keyring_that_another_keeper_locked_is_told_in_words(tmp_path: Path) -> None:
    path = tmp_path / "k.json"
    KeyringFile(path, RightsKeeper()).create(new_keyring(NOW))
    with pytest.raises(SealingKeyMissing, match="locked by file"):
        KeyringFile(path, AgeKeeper(identity_in(tmp_path))).read()


DAMAGE = {
    "cut short": lambda text: text[:-10],
    "empty": lambda _: "",
    "another form": lambda text: text.replace('"form": 1', '"form": 2'),
    "a key under another's name": lambda text: text.replace("kek_", "kek_a"),
    "a secret changed": lambda text: json.dumps(_changed(json.loads(text))),
    "no list": lambda _: '{"form": 1, "keeper": "file"}',
    "a list": lambda _: "[]",
}


def _changed(body: dict[str, object]) -> dict[str, object]:
    keys = body["keys"]
    assert isinstance(keys, list)
    keys[0]["secret"] = "A" * 43 + "="
    return body


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_keyring_is_refused_and_never_replaced(tmp_path: Path, damage: object) -> None:
    file = KeyringFile(tmp_path / "k.json", RightsKeeper())
    file.create(new_keyring(NOW))
    file.path.write_text(damage(file.path.read_text()))  # type: ignore[operator]  # one of the above
    with pytest.raises(SealingKeyMissing):
        KeyringFile(file.path, RightsKeeper()).read()


def test_no_secret_is_shown_when_a_keyring_is_printed() -> None:
    keyring = new_keyring(NOW)
    for shown in (repr(keyring), str(keyring), repr(keyring.used), f"{keyring.keys}"):
        assert repr(keyring.used.secret) not in shown
        assert repr(keyring.finding) not in shown


def test_erasures_are_listed_in_order_and_a_line_that_was_cut_short_is_not(tmp_path: Path) -> None:
    file = ErasureFile(tmp_path / "erased")
    assert file.all() == []
    file.add("sub_1", "pro_1")
    file.add("sub_2", "pro_2")
    with file.path.open("a") as cut:
        cut.write('{"subject": "sub_3"')
    two = [("sub_1", "pro_1"), ("sub_2", "pro_2")]
    assert file.all() == two
    file.add("sub_4", "pro_1")
    assert file.all() == [*two, ("sub_4", "pro_1")]
    assert file.path.stat().st_mode & 0o077 == 0
