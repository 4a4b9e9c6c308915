"""Imported by the server that worker processes of tests fork from: what a check imports late, if at all.

Each of the many short runs that tests make would import it anew.
"""

import pytest  # of the main module, which every worker imports  # noqa: F401
import torch.fx.experimental.symbolic_shapes  # what torch imports with the first gradient  # noqa: F401

import gradcheck_cli.checking.blocks
import gradcheck_cli.diagnosis.diagnosis
import gradcheck_cli.diagnosis.higher_orders
import gradcheck_cli.diagnosis.remedies
import gradcheck_cli.symbolic.closed_form  # noqa: F401
