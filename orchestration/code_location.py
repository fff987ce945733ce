"""What the Dagster UI and daemon load: the definitions of the data root that the environment names."""

from assets.loading import loading
from assets.stores.dbt_methods import late_methods

with loading(), late_methods():
    from orchestration.definitions import build_defs
from orchestration.opening import open_root
from orchestration.settings import load_settings

_settings = load_settings()
defs = build_defs(open_root(_settings), _settings)
