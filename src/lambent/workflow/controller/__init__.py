"""The workflow controller: runs passes on a cluster whenever something that they depend on changes."""

from lambent.workflow.controller.controller import WorkflowController
from lambent.workflow.controller.pacing import Pacer
from lambent.workflow.controller.settings import ControllerSettings

__all__ = ["ControllerSettings", "Pacer", "WorkflowController"]
