"""Composition root for Dagster: the definitions of this process, from the settings of its environment."""

from dagster_project.defs.build import build_defs
from dagster_project.settings import load_settings

defs = build_defs(load_settings(), reload=load_settings)
