# One line per target; python3 run.py does the work.
.PHONY: run setup check format test bench locks settings web web-check
run: ; python3 run.py
setup: ; python3 run.py test --version
check: ; .venv/bin/ruff check . && .venv/bin/ruff format --check . && .venv/bin/mypy . && .venv/bin/lint-imports
format: ; .venv/bin/ruff format . && .venv/bin/ruff check --fix .
test: ; python3 run.py test
bench: ; python3 run.py bench
web: ; npm ci --prefix web --no-audit --no-fund --silent && npm run build --prefix web
web-check: ; cd web && npm run --silent check && npm run --silent build -- --outDir ../build/web --logLevel warn && diff -r dist ../build/web && echo "web/dist is what web/src makes"
locks: ; python3 -m venv build/uv && build/uv/bin/pip install -q uv && sh -c 'c="build/uv/bin/uv pip compile -q --universal --generate-hashes --no-header --no-annotate --python-version 3.11 pyproject.toml"; $$c -o requirements.lock && $$c --group dev --extra tracing -c requirements.lock -o requirements-dev.lock'
settings: ; .venv/bin/python -c 'from pathlib import Path; from config import reference; Path("config/backsaas.yaml").write_text(reference.settings_file()); Path("docs/settings.md").write_text(reference.settings_page())'
