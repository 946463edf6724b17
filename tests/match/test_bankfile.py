# SPDX-License-Identifier: Apache-2.0
"""What goes out as a file comes back as the same signals, also through the files of python-threatexchange."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.errors import InvalidBankFile
from holdfast.match.bank import Action, Bank, BankKind, BankState
from holdfast.match.bankfile import Form, form_of, read, write
from holdfast.match.bankline import BadLine, Line
from holdfast.match.entry import Entry, EntryState, Opinion
from holdfast.match.signal import Signal, SignalType
from tests.store.making import md5, pdq

KNOWN = Bank(name="b", meaning="m", source="s", threshold=31, action=Action.HOLD, state=BankState.ACTIVE)
BENIGN = Bank(
    name="ok", meaning="m", source="s", threshold=31, action=None, state=BankState.ACTIVE, kind=BankKind.BENIGN
)
SHA256 = Signal(SignalType.SHA256, "0123456789abcdef" * 4)
TEXT = st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1, max_size=30).map(str.strip).filter(bool)
SIGNALS = st.lists(
    st.one_of(st.integers(0, 10**6).map(pdq), st.integers(0, 10**6).map(md5), st.just(SHA256)),
    min_size=1,
    max_size=3,
    unique=True,
)
ENTRIES = st.lists(
    st.builds(
        Entry,
        id=st.uuids().map(str),
        bank=st.just("b"),
        signals=SIGNALS.map(tuple),
        provenance=TEXT,
        state=st.sampled_from([EntryState.ACTIVE, EntryState.DISABLED]),
        opinion=st.sampled_from([None, *Opinion]),
    ),
    max_size=4,
)


def entry(*signals: Signal, state: EntryState = EntryState.ACTIVE, opinion: Opinion | None = None) -> Entry:
    return Entry(id="ent_1", bank="b", signals=signals, provenance="p", state=state, opinion=opinion)


def taken(lines: Iterable[str], form: Form, kind: BankKind = BankKind.KNOWN, of: str | None = None) -> list[Line]:
    """What is read, if nothing is refused."""
    every = list(read(lines, form, kind=kind, signal_type=of))
    assert [one for one in every if isinstance(one, BadLine)] == []
    return [one for one in every if isinstance(one, Line)]


def refused(lines: Iterable[str], form: Form, kind: BankKind = BankKind.KNOWN) -> list[tuple[int, str]]:
    return [(one.number, one.code) for one in read(lines, form, kind=kind) if isinstance(one, BadLine)]


@pytest.mark.parametrize("form", [Form.CSV, Form.JSONL])
@given(entries=ENTRIES)
def test_our_files_give_the_same_signals_together_and_the_same_provenance(form: Form, entries: list[Entry]) -> None:
    groups: dict[str, list[Signal]] = {}
    for line in taken(write(entries, form, KNOWN), form):
        groups.setdefault(line.group, []).extend(line.signals)
        (of,) = [one for one in entries if one.id == line.group]
        assert line.provenance.removeprefix("'") == of.provenance.removeprefix("'")
    assert groups == {one.id: list(one.signals) for one in entries}


@pytest.mark.parametrize("form", [Form.TXT, Form.DATASET])
@given(entries=ENTRIES)
def test_the_files_of_python_threatexchange_give_the_signals_of_active_entries(
    form: Form, entries: list[Entry]
) -> None:
    undisputed = [one for one in entries if one.opinion is not Opinion.DISPUTED]
    lines = list(write(undisputed, form, KNOWN))
    expected = [signal for one in undisputed if one.state is EntryState.ACTIVE for signal in one.signals]
    assert Counter(signal for line in taken(lines, form) for signal in line.signals) == Counter(expected)


# --- python-threatexchange, as its version 1.2.17 writes and reads

DATASET = [
    "signal_type,signal_str,collab,category,tags\r\n",
    f"pdq,{pdq(1).value},Sample Data,POSITIVE_CLASS,a b\r\n",
    f"video_md5,{md5(1).value},Sample Data,POSITIVE_CLASS,\r\n",
    f"pdq,{pdq(2).value},Sample Data,NEGATIVE_CLASS,\r\n",
    f"pdq,{pdq(3).value},Sample Data,INVESTIGATION_SEED,\r\n",
    "raw_text,some words,Sample Data,POSITIVE_CLASS,\r\n",
]


def test_the_csv_of_tx_dataset_is_told_apart_by_its_header() -> None:
    every = list(read(DATASET, Form.CSV))
    assert [one for one in every if isinstance(one, Line)] == [
        Line(2, "", "Sample Data a b", (pdq(1),)),
        Line(3, "", "Sample Data", (md5(1),)),
    ]
    assert refused(DATASET, Form.CSV) == [(4, "input.category"), (5, "input.category"), (6, "input.signal")]


def test_a_benign_bank_takes_what_others_call_negative_and_nothing_else() -> None:
    every = list(read(DATASET, Form.CSV, kind=BankKind.BENIGN))
    assert [one.signals for one in every if isinstance(one, Line)] == [(pdq(2),)]
    assert refused(DATASET, Form.CSV, BankKind.BENIGN) == [(n, "input.category") for n in (2, 3, 5, 6)]


def test_the_dataset_says_what_a_bank_of_each_kind_says_and_calls_a_disputed_entry_a_seed() -> None:
    entries = [entry(pdq(1), md5(1)), entry(pdq(2), opinion=Opinion.DISPUTED), entry(pdq(3), state=EntryState.DISABLED)]
    rows = list(csv.DictReader(write(entries, Form.DATASET, KNOWN)))
    assert [(row["signal_type"], row["collab"], row["category"]) for row in rows] == [
        ("pdq", "b", "POSITIVE_CLASS"),
        ("video_md5", "b", "POSITIVE_CLASS"),
        ("pdq", "b", "INVESTIGATION_SEED"),
    ]
    (row,) = csv.DictReader(write([entry(pdq(1))], Form.DATASET, BENIGN))
    assert (row["collab"], row["category"]) == ("ok", "NEGATIVE_CLASS")
    assert [line.signals for line in taken(write([entry(pdq(1))], Form.DATASET, BENIGN), Form.CSV, BankKind.BENIGN)]


def test_a_plain_list_has_a_type_and_a_hash_on_each_line_or_hashes_of_a_type_that_is_said() -> None:
    assert [line.signals for line in taken([f"pdq {pdq(1).value}\n", "\n", f"video_md5 {md5(1).value}"], Form.TXT)] == [
        (pdq(1),),
        (md5(1),),
    ]
    for of, signal in (("pdq", pdq(1)), ("video_md5", md5(1)), ("md5", md5(1))):
        assert [line.signals for line in taken([f"  {signal.value.upper()}\n"], Form.TXT, of=of)] == [(signal,)]
    assert refused([pdq(1).value, "pdq ", f"url x{pdq(1).value}", f"pdq {pdq(1).value} 'Sample Data'"], Form.TXT) == [
        (1, "input.line"),
        (2, "input.line"),
        (3, "input.signal"),
        (4, "input.signal"),
    ]


def test_python_threatexchange_itself_reads_what_we_write(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Where the package is installed (it is one of the peers that `make bench` installs)."""
    api = pytest.importorskip("threatexchange.exchanges.impl.file_api")
    file = tmp_path_factory.mktemp("tx") / "list.txt"
    file.write_text("".join(write([entry(pdq(1), md5(1)), entry(pdq(2))], Form.TXT, KNOWN)))
    exchange = api.LocalFileSignalExchangeAPI(api.FileCollaborationConfig(name="x", filename=str(file)))
    (delta,) = exchange.fetch_iter([], None)
    assert set(delta.updates) == {("pdq", pdq(1).value), ("video_md5", md5(1).value), ("pdq", pdq(2).value)}


# --- what is no such file


@pytest.mark.parametrize(
    ("name", "form"),
    [("a.csv", Form.CSV), ("a.JSONL", Form.JSONL), ("a.ndjson", Form.JSONL), ("a.b.txt", Form.TXT)],
)
def test_the_form_is_what_the_name_ends_with(name: str, form: Form) -> None:
    assert form_of(name) is form


@pytest.mark.parametrize("name", ["csv", "a", "a.xml", "a.csv.gz"])
def test_a_name_that_ends_with_none_is_refused(name: str) -> None:
    with pytest.raises(InvalidBankFile):
        form_of(name)


@pytest.mark.parametrize("header", ["", "a,b\n", "signal_type,hash\n", "signal_str,value\n"])
def test_csv_without_a_usable_header_is_no_bank_file(header: str) -> None:
    with pytest.raises(InvalidBankFile):
        list(read([header] if header else [], Form.CSV))


@given(st.lists(st.text(max_size=60), max_size=5), st.sampled_from([Form.JSONL, Form.TXT]))
def test_no_line_stops_the_reading(lines: list[str], form: Form) -> None:
    assert all(isinstance(one, Line | BadLine) for one in read(lines, form))


def test_the_value_of_a_refused_line_is_never_repeated() -> None:
    secret = "c0ffee" * 5
    for line, form in ((f"md5 {secret}", Form.TXT), (f'{{"signal_type":"md5","value":"{secret}"}}', Form.JSONL)):
        (bad,) = read([line], form)
        assert isinstance(bad, BadLine)
        assert secret not in bad.because
