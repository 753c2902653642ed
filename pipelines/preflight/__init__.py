"""What is wrong before anything runs: variables, options of formats, folders and fields that nothing matches, a line for each.

The YAML files themselves are validated where they are read (`pipelines.config`). Each line says what was found, what is
accepted and what was probably meant. Nothing is changed here, and nothing is read but the head of the newest file of each source.
"""

from __future__ import annotations

from pipelines.preflight.declarations import unusable_declarations
from pipelines.preflight.environment import unknown_variables
from pipelines.preflight.fields import absent_fields
from pipelines.preflight.folders import undeclared_folders
from pipelines.preflight.names import unknown_names

__all__ = ["absent_fields", "undeclared_folders", "unknown_names", "unknown_variables", "unusable_declarations"]
