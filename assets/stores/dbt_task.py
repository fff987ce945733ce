"""dbt's build task without dbt's command line: profile, project, flags, graph and adapter are made once and kept.

An invocation by the command line reads and validates all of them again, asks for the relations of every schema and inspects its
call stack for behaviour flags: some 0.4 s of CPU, three times a run. What is kept belongs to one target and to the values of the
environment that its profile reads; other values make it anew. What an invocation reads while it runs (the run's scope) it sees as the
environment says at its beginning. Not here: which nodes, and what their failure means (`dbt_runner`).

Importing this module imports dbt.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dbt.adapters.factory import FACTORY, cleanup_connections, get_adapter, register_adapter, reset_adapters
from dbt.cli.flags import Flags
from dbt.cli.types import Command
from dbt.config.runtime import RuntimeConfig, load_profile, load_project
from dbt.context.providers import generate_runtime_macro_context
from dbt.context.query_header import generate_query_header_context
from dbt.contracts.graph.manifest import Manifest
from dbt.flags import set_flags
from dbt.graph import Graph, GraphQueue, SelectionSpec, parse_difference
from dbt.mp_context import get_mp_context
from dbt.task.build import BuildTask
from dbt.tracking import initialize_from_flags
from dbt_common.behavior_flags import BehaviorFlagRendered
from dbt_common.context import get_invocation_context, set_invocation_context
from dbt_common.dataclass_schema import dbtClassMixin
from dbt_common.events.event_manager import EventManager
from dbt_common.events.event_manager_client import ctx_set_event_manager
from dbt_common.invocation import reset_invocation_id

# Where a behaviour flag comes from is told in a warning that nobody reads; dbt looks for it through the call stack and all modules, 0.2 s.
setattr(BehaviorFlagRendered, "_default_source", staticmethod(lambda: "dbt.adapters"))  # noqa: B010 - mypy refuses the assignment
READ_BY_PROFILE = re.compile(r"env_var\('(\w+)'")


class Silent(EventManager):
    """Events that nobody listens to: a thousand in a run, each a message to be put together."""

    def fire_event(self, *_event: Any, **_how: Any) -> None:
        """Tell nobody."""


@dataclass(frozen=True)
class Project:
    """The dbt project as one target and environment read it, with its parsed manifest."""

    folder: Path
    environment: Mapping[str, str | None]
    flags: Any
    config: Any
    manifest: Manifest
    graph: Graph
    adapter: Any

    @classmethod
    def open(cls, folder: Path, target: str, target_path: Path, manifest: Manifest) -> Project:
        """Read profile and project under the present environment and make the adapter. Raises dbt's own errors."""
        with _judged_before():
            flags = Flags.from_dict(Command.BUILD, {
                "project_dir": str(folder), "profiles_dir": str(folder), "target": target, "target_path": str(target_path),
                "write_json": False, "cache_selected_only": True, "log_path": str(target_path / "logs"),
            })
        _begin_invocation(flags)
        initialize_from_flags(flags.SEND_ANONYMOUS_USAGE_STATS, flags.PROFILES_DIR)
        with _judged_before():
            profile = load_profile(flags.PROJECT_DIR, flags.VARS, flags.PROFILE, flags.TARGET, flags.THREADS)
            project = load_project(flags.PROJECT_DIR, flags.VERSION_CHECK, profile, flags.VARS)
            config = RuntimeConfig.from_parts(project, profile, flags)
            # dbt's own packages of macros, which the first model with a variable would load
            config.load_dependencies()
        reset_adapters()
        register_adapter(config, get_mp_context())
        adapter = get_adapter(config)
        adapter.set_macro_context_generator(generate_runtime_macro_context)
        adapter.set_macro_resolver(manifest)
        adapter.connections.set_query_header(generate_query_header_context(adapter.config, manifest))
        task = BuildTask(flags, config, manifest)
        task.compile_manifest()
        return cls(folder, _read_environment(folder), flags, config, manifest, task.graph, adapter)

    def is_current(self, manifest: Manifest) -> bool:
        """Whether the present environment and manifest are those it was read under, and dbt still has its adapter."""
        return (manifest is self.manifest and FACTORY.adapters.get(self.config.credentials.type) is self.adapter
                and self.environment == _read_environment(self.folder))

    def build(self, select: Sequence[str] = (), unique_ids: Collection[str] = ()) -> Any:
        """Build the nodes of the ids, or those selected; gives dbt's results. Raises what dbt raises outside a node."""
        _begin_invocation(self.flags)
        try:
            return ChosenTask(self, select, unique_ids).run()
        finally:
            cleanup_connections()


class ChosenTask(BuildTask):  # type: ignore[misc]  # dbt has no types
    """Builds nodes named by their ids, which dbt's selectors would compare one by one with every node of the project."""

    def __init__(self, project: Project, select: Sequence[str], unique_ids: Collection[str]) -> None:
        """Choose nodes of a project: by id, or where none is named by dbt's selection syntax."""
        super().__init__(project.flags, project.config, project.manifest)
        self.kept_graph, self.select, self.unique_ids = project.graph, select, set(unique_ids)

    def compile_manifest(self) -> None:
        """Take the graph that is kept."""
        self.graph = self.kept_graph

    def get_selection_spec(self) -> SelectionSpec:
        """Give what was selected by dbt's syntax."""
        return parse_difference(list(self.select), None)

    def get_graph_queue(self) -> GraphQueue:
        """Give the chosen nodes in the order of the graph."""
        if not self.unique_ids:
            return super().get_graph_queue()
        return GraphQueue(self.kept_graph.get_subset_graph(self.unique_ids).graph, self.manifest, self.unique_ids)

    def before_run(self, adapter: Any, selected_uids: Any) -> Any:
        """Forget the relations of an earlier invocation: tables come and go in between."""
        adapter.cache.clear()
        return super().before_run(adapter, selected_uids)


@contextmanager
def _judged_before() -> Iterator[None]:
    """Read without holding files against JSON schemas, which take 0.3 s to make: dbt did so when it parsed these very files."""
    judging = vars(dbtClassMixin)["validate"]
    setattr(dbtClassMixin, "validate", classmethod(lambda _cls, _data: None))  # noqa: B010 - mypy refuses the assignment
    try:
        yield
    finally:
        setattr(dbtClassMixin, "validate", judging)  # noqa: B010 - as above


def _begin_invocation(flags: Any) -> None:
    set_invocation_context({})
    get_invocation_context()._env = dict(os.environ)
    set_flags(flags)
    reset_invocation_id()
    ctx_set_event_manager(Silent())


def _read_environment(folder: Path) -> dict[str, str | None]:
    return {name: os.environ.get(name) for name in READ_BY_PROFILE.findall((folder / "profiles.yml").read_text())}
