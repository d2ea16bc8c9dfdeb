"""Recognising what the fields of an unknown source are: by their names, as presets and offices use them, and values.

Names are compared without marks, case and signs: `Mã hồ sơ`, `MaHoSo` and `ma_ho_so` are one name.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import get_args

import pyarrow.compute as pc

from connectors.batch import text_array
from connectors.dates import FORMATS, DateFormat
from connectors.entities import SHAPES, Kind
from connectors.mapping import PRESETS, SourceMapping, load_mapping
from connectors.masking import mask
from connectors.rules import Scalar
from connectors.sample import Sample
from connectors.values import YES_NO, fold
from warehouse.vocabulary import Entity

_SIGNS = re.compile(r"[\W_]+")

WORDS: Mapping[Entity, Mapping[str, Sequence[str]]] = {
    Entity.DOSSIER: {
        "code": ("mã hồ sơ", "số hồ sơ", "mã số hồ sơ", "số biên nhận", "mã biên nhận", "dossier code"),
        "procedure": ("mã thủ tục", "mã tthc", "mã số tthc", "mã thủ tục hành chính"),
        "procedure_name": ("tên thủ tục", "tên tthc", "thủ tục", "thủ tục hành chính", "tên thủ tục hành chính"),
        "field_code": ("mã lĩnh vực",),
        "field": ("lĩnh vực", "tên lĩnh vực"),
        "unit": ("mã đơn vị xử lý", "mã đơn vị", "đơn vị xử lý", "đơn vị giải quyết", "cơ quan giải quyết",
                 "cơ quan xử lý", "mã định danh", "đơn vị", "unit code"),
        "receiving_unit": ("đơn vị tiếp nhận", "nơi tiếp nhận", "cơ quan tiếp nhận"),
        "channel": ("kênh thực hiện", "kênh tiếp nhận", "hình thức nộp", "hình thức tiếp nhận"),
        "status": ("trạng thái", "trạng thái hồ sơ", "tình trạng", "tình trạng hồ sơ"),
        "submitted_at": ("ngày nộp", "ngày nộp hồ sơ", "thời gian nộp"),
        "received_at": ("ngày tiếp nhận", "ngày nhận", "thời gian tiếp nhận", "ngày nhận hồ sơ"),
        "due_at": ("ngày hẹn trả", "hạn trả", "hạn xử lý", "hạn giải quyết", "ngày hẹn", "thời hạn giải quyết"),
        "finished_at": ("ngày kết thúc xử lý", "ngày hoàn thành", "ngày có kết quả", "ngày xử lý xong",
                        "ngày kết thúc"),
        "returned_at": ("ngày trả", "ngày trả kết quả"),
        "return_channel": ("hình thức trả", "hình thức trả kết quả", "hình thức nhận kết quả"),
        "supplements": ("số lần bổ sung",),
        "reappointments": ("số lần gia hạn", "số lần hẹn lại"),
        "apology_at": ("ngày xin lỗi",),
        "source_updated_at": ("ngày cập nhật", "thời gian cập nhật", "updated at", "modified"),
    },
    Entity.PROCEDURE: {
        "code": ("mã số", "mã thủ tục", "mã tthc"),
        "name": ("tên", "tên thủ tục", "tên tthc"),
        "level": ("cấp thực hiện",),
        "online_level": ("mức độ", "mức độ dịch vụ công"),
    },
    Entity.UNIT: {
        "code": ("mã đơn vị", "mã xã", "mã"),
        "name": ("tên đơn vị", "tên xã", "tên"),
        "kind": ("cấp", "cấp đơn vị", "loại"),
        "parent": ("mã đơn vị cha", "mã cấp trên"),
        "valid_from": ("hiệu lực từ", "từ ngày"),
        "valid_to": ("hiệu lực đến", "đến ngày"),
    },
    Entity.SURVEY_ANSWER: {
        "id": ("mã phiếu", "số phiếu"),
        "unit": ("mã đơn vị", "đơn vị"),
        "code": ("mã hồ sơ",),
        "device": ("thiết bị", "hình thức đánh giá"),
        "answered_at": ("thời gian đánh giá", "ngày đánh giá", "ngày tạo"),
        "score": ("đánh giá", "mức độ hài lòng"),
    },
    Entity.DOSSIER_STEP: {
        "code": ("mã hồ sơ",),
        "department": ("phòng ban xử lý", "phòng ban"),
        "started_at": ("ngày bắt đầu",),
        "finished_at": ("thời điểm xử lý", "ngày xử lý"),
    },
}  # fmt: skip
"""Headings that offices use, the likelier first."""

PERSONAL = (
    "chuhoso", "hoten", "hovaten", "nguoi", "canbo", "congdan", "cmnd", "cccd", "cmt", "sogiayto", "sodinhdanh",
    "dinhdanhchs", "hochieu", "dienthoai", "sdt", "phone", "mobile", "mail", "diachi", "address", "ngaysinh", "birth",
    "gioitinh", "gender", "taikhoan", "masothue", "trichyeu", "ghichu", "noidung", "comment", "gopy", "applicant",
    "fullname", "owner", "tenchu", "doituong", "thongtinkhac", "employee", "username",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Recognised:
    """What was made out of a sample: column to field, personal fields, the fields of lists, and all other fields."""

    entity: Entity
    columns: Mapping[str, str]
    personal: tuple[str, ...]
    nested: tuple[str, ...]
    others: tuple[str, ...]


@cache
def bare(name: str) -> str:
    """A name without marks, case and signs."""
    parted = unicodedata.normalize("NFD", name.casefold().replace("đ", "d"))
    return _SIGNS.sub("", "".join(sign for sign in parted if not unicodedata.combining(sign)))


@cache
def presets(entity: Entity) -> Mapping[str, SourceMapping]:
    """The presets of an entity."""
    kind = Entity.DOSSIER if entity is Entity.REFERENCE_DOSSIER else entity
    loaded = {path.stem: load_mapping(path.stem) for path in sorted(PRESETS.glob("*.toml"))}
    return {name: mapping for name, mapping in loaded.items() if mapping.entity is kind}


@cache
def known_names(entity: Entity) -> Mapping[str, tuple[str, int]]:
    """Names of fields in their bare form, to column and rank: the names of presets come before those of offices."""
    kind = Entity.DOSSIER if entity is Entity.REFERENCE_DOSSIER else entity
    found: dict[str, tuple[str, int]] = {}
    for mapping in presets(entity).values():
        for column, field in mapping.fields.items():
            for rank, rule in enumerate(field.rules):
                if rule.source and not rule.take and not rule.item and not rule.pattern and rule.source[0] != "$":
                    found.setdefault(bare(rule.source), (column, rank))
    for column, words in WORDS.get(kind, {}).items():
        for rank, word in enumerate(words):
            found.setdefault(bare(word), (column, 10 + rank))
    for column in SHAPES[kind].columns:
        found.setdefault(bare(column), (column, 5))
    return found


def is_known(name: str) -> bool:
    """Whether any entity has a field of that name."""
    return any(bare(name) in known_names(entity) or name in _preset_fields(entity) for entity in SHAPES)


@cache
def _preset_fields(entity: Entity) -> frozenset[str]:
    return frozenset(name for mapping in presets(entity).values() for name in mapping.source_fields)


def likely_entity(sample: Sample) -> Entity:
    """The entity of whose presets most fields are there; dossiers where that says nothing."""
    best = max(SHAPES, key=lambda entity: (_hits(sample, entity), entity is Entity.DOSSIER))
    return best if best is not Entity.REFERENCE_DOSSIER else Entity.DOSSIER


def _hits(sample: Sample, entity: Entity) -> int:
    return sum(bare(name) in known_names(entity) or name in _preset_fields(entity) for name in sample.columns)


def fitting_preset(sample: Sample, entity: Entity) -> str | None:
    """The preset all of whose needed fields the sample has, with most fields in common."""
    fitting = {
        name: len(set(mapping.source_fields) & set(sample.columns))
        for name, mapping in presets(entity).items()
        if {field for field, needed in mapping.source_fields.items() if needed} <= set(sample.columns) - sample.lacking
    }
    return max(fitting, key=lambda name: (fitting[name], -len(name))) if fitting else None


def recognise(sample: Sample, entity: Entity) -> Recognised:
    """Make out what the fields of a sample are."""
    personal = {name for mapping in presets(entity).values() for name in mapping.personal}
    hidden = {name for name in sample.columns if name in personal or is_personal_name(name)}
    hidden -= {name for name in hidden if name not in personal and bare(name) in known_names(entity)}
    ranked: dict[str, tuple[int, str]] = {}
    for name in sample.columns:
        column, rank = known_names(entity).get(bare(name), (None, 0))
        if column is not None and name not in hidden and (column not in ranked or rank < ranked[column][0]):
            ranked[column] = (rank, name)
    columns = {column: ranked[column][1] for column in SHAPES[entity].columns if column in ranked}
    if "score" in columns:  # one word says both how much and whether
        columns.setdefault("satisfied", columns["score"])
    left = [name for name in sample.columns if name not in hidden and name not in columns.values()]
    nested = tuple(name for name in left if _is_nested(sample.columns[name]))
    hidden |= {name for name in left if name not in nested and _looks_personal(sample.columns[name])}
    others = tuple(name for name in left if name not in hidden and name not in nested)
    return Recognised(entity, columns, tuple(name for name in sample.columns if name in hidden), nested, others)


def is_personal_name(name: str) -> bool:
    """Whether a heading says that personal data, or free text, stands below it."""
    return any(word in bare(name) for word in PERSONAL)


def _values(texts: Sequence[str | None]) -> Iterator[str]:
    return (text for text in texts if text is not None)


def _looks_personal(texts: Sequence[str | None]) -> bool:
    return any(mask(text, codes=True) != text for text in _values(texts))


def _is_nested(texts: Sequence[str | None]) -> bool:
    return any(text.lstrip()[:1] in {"[", "{"} for text in _values(texts))


# --- values -----------------------------------------------------------------------------------------------------


def date_formats(columns: Sequence[Sequence[str | None]]) -> tuple[tuple[DateFormat, ...], int]:
    """The formats that read the dates of these columns, most used first, and how many texts none of them reads."""
    texts = [text for column in columns for text in _values(column)]
    chosen: list[tuple[int, DateFormat]] = []
    for name in get_args(DateFormat):
        if not texts:
            break
        known = FORMATS[name](text_array(texts)).known
        if known.any():
            chosen.append((int(known.sum()), name))
            texts = [text for text, read in zip(texts, known, strict=True) if not read]
    return tuple(name for _, name in sorted(chosen, key=lambda item: -item[0])), len(texts)


@cache
def known_words(entity: Entity, column: str) -> Mapping[str, Scalar]:
    """Code words of a column that any preset of the entity knows, in their folded form, to value; empty: no codes."""
    words: dict[str, Scalar] = dict(YES_NO) if SHAPES[entity].columns[column] is Kind.BOOLEAN else {}
    for mapping in presets(entity).values():
        fields = [mapping.fields, *(rows.fields for rows in mapping.rows)]
        for rule in (rule for given in fields if column in given for rule in given[column].rules):
            if rule.other != "keep":
                words |= {fold(word): value for word, value in (mapping.code_list(rule) or {}).items()}
    return words


def distinct(texts: Sequence[str | None]) -> tuple[str, ...]:
    """The different texts of a column, without any that looks personal, in their order."""
    clean = pc.unique(text_array([unicodedata.normalize("NFC", text).strip() for text in _values(texts)])).to_pylist()
    return tuple(sorted(word for word in clean if mask(word, codes=True) == word and len(word) <= 80))
