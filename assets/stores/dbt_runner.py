"""dbt in process, with a manifest that is parsed once and kept.

A `dbt` process costs seconds to start; a re-run of one partition should cost one. Conditions, all kept here: one invocation at a
time in a process, one manifest for each target, DuckDB's file released after each invocation (`dbt_engine`), and the run's scope passed
by the environment, which models read when they run.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
import tempfile
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from duckdb_extensions import import_extension

from assets.loading import loading
from assets.stores.dbt_engine import dbt_engine, drop_engine
from assets.stores.disk_faults import disk_fault
from assets.stores.shapes import shape_fault
from transforms.errors import ConfigurationError, ContractError

# Targets of the profile: the live DuckDB file, the analyst's masked copy, Snowflake.
LOCAL, DEV, CLOUD = "local", "dev", "cloud"
# Keeps adapters, flags and events in module globals: two invocations at once fail.
_ONE_AT_A_TIME = threading.Lock()
_KEPT: dict[Path, Any] = {}
_PROJECTS: dict[Path, Any] = {}


def project_folder() -> Path:
    """The folder of the dbt project."""
    return Path(str(files("transforms"))) / "dbt"


def project_digest() -> str:
    """SHA-256 over the dbt project's files: the code version of its models and the test whether a manifest is stale."""
    digest = hashlib.sha256()
    folder = project_folder()
    for path in sorted(folder.rglob("*")):
        if path.suffix in {".sql", ".yml", ".csv"} and not {"target", "logs", "dbt_packages"} & set(path.relative_to(folder).parts):
            digest.update(str(path.relative_to(folder)).encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


@dataclass(frozen=True)
class NodeResult:
    """What became of one dbt node."""

    unique_id: str
    name: str
    resource_type: str
    status: str
    seconds: float


@dataclass(frozen=True)
class DbtRunner:
    """Runs the dbt project against one target; `target_path` keeps manifest and parse state, `debug` lets errors quote the engine."""

    target: str
    target_path: Path
    debug: bool = False

    @property
    def manifest_path(self) -> Path:
        """The parsed project."""
        return self.target_path / "manifest.json"

    def prepare(self) -> None:
        """Parse the project where the kept manifest is missing or stale (about 7 s, or nothing)."""
        if self._is_current():
            return
        mark, digest = self.target_path / "project.sha256", project_digest()
        mark.unlink(missing_ok=True)
        shutil.rmtree(self._templates, ignore_errors=True)
        self.target_path.mkdir(parents=True, exist_ok=True)
        with _ONE_AT_A_TIME:
            _KEPT.pop(self.target_path, None)
            self._manifest()
            if self.target == LOCAL:
                self._compile()
        mark.write_text(digest)

    @property
    def _templates(self) -> Path:
        """Compiled macros and models of the present project."""
        return self.target_path / "templates"

    @property
    def compiled_manifest_path(self) -> Path:
        """The project with every model's compiled SQL: what column lineage reads."""
        return self.target_path / "compiled" / "manifest.json"

    def _compile(self) -> None:
        """Compile against an empty warehouse: the SQL does not depend on data."""
        from dbt.cli.main import dbtRunner

        with tempfile.TemporaryDirectory() as folder, _environment({
            "LAKEHOUSE_WAREHOUSE": f"{folder}/LAKE.duckdb", "LAKEHOUSE_WAREHOUSE_KEY": secrets.token_hex(32),
            "LAKEHOUSE_SPILL": f"{folder}/spill",
        }):
            import_extension("httpfs")
            try:
                where = [*self._where()[:-1], str(self.compiled_manifest_path.parent)]
                drop_engine()
                outcome = dbtRunner(manifest=self._manifest()).invoke([*self._flags(), "compile", *where])
            finally:
                drop_engine()
        if not outcome.success:
            raise ConfigurationError(f"{project_folder()}: the dbt project does not compile: {outcome.exception}")

    def require_manifest(self) -> Path:
        """Give the manifest's path. Raises ConfigurationError where it is missing or stale; definitions never parse."""
        if not self._is_current():
            raise ConfigurationError(f"{self.manifest_path}: missing or older than the dbt project. Remedy: lakehouse prepare")
        return self.manifest_path

    def build(self, select: Sequence[str], environment: Mapping[str, str]) -> list[NodeResult]:
        """Run the selected models and seeds. Raises ContractError naming the models that failed, never their data,
        ConfigurationError where a table of an earlier project cannot become a model's, or what the disk refused."""
        return self._build(environment, select=select)

    def build_nodes(self, unique_ids: Iterable[str], environment: Mapping[str, str]) -> list[NodeResult]:
        """Run the models of those ids, as `build` does."""
        return self._build(environment, unique_ids=list(unique_ids))

    def _build(self, environment: Mapping[str, str], **chosen: Sequence[str]) -> list[NodeResult]:
        results: list[Any] = []
        failure: Exception | None = None
        with _ONE_AT_A_TIME, _environment(environment):
            try:
                project = self._project()
                with dbt_engine(environment, project.config.credentials):
                    results = list(project.build(**chosen).results)
            except Exception as error:  # noqa: BLE001 - dbt raises anything; it is told as its class below
                failure = error
        failed = [result for result in results if result.status.value in ("error", "fail")]
        if failed or failure is not None:
            for result in failed:
                fault = disk_fault(result.message or "") or shape_fault(result.message or "")
                if fault is not None:
                    raise fault
            # The engine's message may quote a value; the first line's class of error is enough beside the model's name.
            names = "; ".join(f"{result.node.name}: {self._told(result.message)}" for result in failed)
            whole = f"the invocation failed: {self._told(str(failure))}"
            raise ContractError(f"dbt {self.target}: {names or whole}. Remedy: LAKEHOUSE_DBT_DEBUG=1 shows the engine's own words, "
                                "which may quote a value.")
        return [NodeResult(result.node.unique_id, result.node.name, result.node.resource_type.value, result.status.value,
                           float(result.execution_time)) for result in results]

    def _told(self, message: str | None) -> str:
        text = (message or "").strip()
        return text if self.debug else _error_kind(text)

    def _project(self) -> Any:
        """Give the kept project where it is that of the present manifest and environment, else read it (0.5 s)."""
        with loading():
            from assets.stores.dbt_methods import late_methods

            with late_methods():
                from assets.stores.dbt_task import Project
                from assets.stores.dbt_templates import keep_templates

        manifest, kept = self._manifest(), _PROJECTS.get(self.target_path)
        if kept is None or not kept.is_current(manifest):
            # dbt keeps one adapter of a kind
            _PROJECTS.clear()
            keep_templates(self._templates)
            _PROJECTS[self.target_path] = kept = Project.open(project_folder(), self.target, self.target_path, manifest)
        return kept

    def _manifest(self) -> Any:
        """Give the kept manifest: from this process, else as `prepare` left it (0.4 s), else parsed anew."""
        if self.target_path not in _KEPT:
            with loading():
                _KEPT[self.target_path] = self._load() if self._is_current() else self._parse()
        return _KEPT[self.target_path]

    def _load(self) -> Any:
        # dbt would compare every file with its parse state, which the project's digest has just done.
        from dbt.contracts.graph.manifest import Manifest

        manifest = Manifest.from_msgpack((self.target_path / "partial_parse.msgpack").read_bytes())
        manifest.build_flat_graph()
        return manifest

    def _parse(self) -> Any:
        from dbt.cli.main import dbtRunner

        outcome = dbtRunner().invoke([*self._flags(), "parse", *self._where()])
        if not outcome.success:
            raise ConfigurationError(f"{project_folder()}: the dbt project does not parse: {outcome.exception}")
        return outcome.result

    def _is_current(self) -> bool:
        mark = self.target_path / "project.sha256"
        return self.manifest_path.exists() and mark.exists() and mark.read_text() == project_digest()

    def _flags(self) -> list[str]:
        return ["--quiet", "--no-use-colors", "--log-level", "none", "--log-level-file", "none", "--no-print",
                "--log-path", str(self.target_path / "logs")]

    def _where(self) -> list[str]:
        folder = str(project_folder())
        return ["--project-dir", folder, "--profiles-dir", folder, "--target", self.target, "--target-path", str(self.target_path)]


def _error_kind(message: str) -> str:
    for line in message.splitlines():
        kind = line.strip().split(":")[0]
        if kind.endswith("Error"):
            return kind
    return "failed"


@contextmanager
def _environment(values: Mapping[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
