"""The product's errors, named by who must act on them.

An error carries coordinates (file, line, facility, payload id, unit ordinal, path) and a remedy, never a value: a value
may be a patient's. Each class has the exit code of the command line.
"""


class LakehouseError(Exception):
    """Base of every error that the product raises on purpose."""

    exit_code = 1


class ConfigurationError(LakehouseError):
    """A setting or registry entry is wrong: the operator must act. The message names file, line and remedy."""

    exit_code = 2


class PayloadError(LakehouseError):
    """A payload is not what its feed promises: the sending facility must act."""


class ContractError(LakehouseError):
    """Data breaks a contract: the product owner or steward must act."""


class UnavailableError(LakehouseError):
    """A source or service is busy or down: try again."""

    exit_code = 3
