"""Golden files: each ``cases/NAME.yaml`` compiles to what ``cases/NAME.txt`` says.

``REGENERATE=1 pytest tests/compiler/test_tenant_files.py`` writes the expectations anew; review the difference.
"""

import os
import pickle
from pathlib import Path

import pytest

from schemas.compiler.compile import compile_with_warnings
from schemas.compiler.diagnostics import CompileError
from schemas.compiler.model import TenantModel

CASES = Path(__file__).parent / "cases"


def describe(model: TenantModel) -> str:
    lines = [f"{model.slug} {dict(model.title)} {model.languages} {model.timezone} {model.currency}"]
    lines += [f"role {role.name}: {', '.join(sorted(role.includes))}" for role in model.roles.values()]
    for entity in model.entities.values():
        lines.append(f"entity {entity.name} key={entity.key} label={entity.label} soft={entity.soft_delete}")
        for field in entity.fields.values():
            flags = [
                name
                for name in (
                    "required",
                    "unique",
                    "read_only",
                    "write_only",
                    "searchable",
                    "personal",
                    "virtual",
                )
                if getattr(field, name)
            ]
            flags += ["not null"] * (not field.nullable) + [field.generated] * bool(field.generated)
            if field.references:
                flags.append(
                    f"-> {field.references.entity}.{field.references.field} {field.references.on_delete}"
                )
            if field.has_default:
                flags.append(f"default {field.default.text if field.default else field.default_value!r}")
            if field.computed:
                flags.append(f"= {field.computed.text}")
            lines.append(
                f"  {field.name} {field.kind} {field.pg_type} {field.schema} {' '.join(flags)}".rstrip()
            )
        lines += [
            f"  index {i.name} {i.fields} {i.where.text if i.where else ''}".rstrip() for i in entity.indexes
        ]
        for verb in ("read", "create", "update", "delete"):
            for entry in getattr(entity.access, verb):
                rule = entry.rule.text if entry.rule else None
                check = entry.check.text if entry.check else None
                lines.append(
                    f"  {verb} {entry.role} rule={rule} check={check} fields={entry.fields} hide={entry.hide}"
                )
        lines += [
            f"  {name}: {value}" for name, value in entity.sections.items() if name in {"history", "views"}
        ]
    lines.append(f"sections {sorted(model.sections)} secrets {sorted(model.secrets)}")
    return "\n".join(lines)


@pytest.mark.parametrize("path", sorted(CASES.glob("*.yaml")), ids=lambda path: path.stem)
def test_case(path: Path) -> None:
    source = path.read_text()
    try:
        compiled = compile_with_warnings(source, path.stem)
        found = "\n".join(
            [*(w.render(path.name, source) for w in compiled.warnings), describe(compiled.model)]
        )
        assert pickle.loads(pickle.dumps(compiled.model)) == compiled.model
    except CompileError as error:
        found = "\n".join(f"{d.render(path.name, source)}\n    at {d.path}" for d in error.diagnostics)
    expected = path.with_suffix(".txt")
    if os.environ.get("REGENERATE"):
        expected.write_text(found + "\n")
    assert found + "\n" == expected.read_text()
