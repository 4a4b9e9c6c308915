"""Results of real code in every format: whole texts of records made by hand."""

from __future__ import annotations

import json
from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest
from helpers.records import a_report, focal_loss, quartic

from gradcheck_cli.batch.report_files import problem_record
from gradcheck_cli.records.code import CodeResult, TensorInput
from gradcheck_cli.records.results import Verdict
from gradcheck_cli.render import RENDERERS
from gradcheck_cli.render.display import Display
from gradcheck_cli.render.summary import summary_line


def shown(result: CodeResult, output_format: str = "table", **display: object) -> str:
    return RENDERERS[output_format](a_report(result), Display(all_by="-v", **display))  # type: ignore[arg-type]


def test_a_report_has_blocks_then_entries_then_what_is_known() -> None:
    assert (
        shown(focal_loss())
        == """\
focal_loss(logits, target)  losses.py:25
logits float64 (4, 3) · target int64 (4,)

derivative    entries  match  kink  mismatch  worst relative error  verdict
──────────────────────────────────────────────────────────────────────────────
∂out/∂logits       12      7     1         4                     3  ✗ mismatch

  ∂out/∂logits[0,1]   analytical -0.0597916   autograd -0.239167
  ∂out/∂logits[1,1]   analytical -0.0597916   autograd -1.23917
  ∂out/∂logits[2,1]   analytical -0.0597916   autograd -2.23917
  ∂out/∂logits[3,1]   analytical -0.0597916   autograd -3.23917

• FocalLoss.backward (losses.py:18) is wrong by logits
• a branch is decided at a tie
• 2 values are held constant (detach): losses.py:12
• ∂out/∂logits[0,0]: a convention
"""
    )
    line = summary_line(a_report(focal_loss()), Display())
    assert line == "1 function, 12 entries (4 failed): 7 match, 1 kink, 4 mismatch · float64 on cpu · torch 2.13.0\n"
    both = summary_line(a_report(focal_loss(), quartic()), Display())
    assert both.startswith("2 problems (1 failed), 13 checks (4 failed): 8 match, 1 kink, 4 mismatch · ")


@pytest.mark.parametrize("width", [30, 60, 80, 120])
def test_no_line_is_wider_than_the_terminal_and_no_number_is_broken(width: int) -> None:
    lines = shown(focal_loss(), width=width).split("\n")
    assert max(map(len, lines)) <= width
    assert any("analytical -0.0597916" in line for line in lines) or width < 40


def test_what_is_long_is_cut_unless_all_is_asked_for() -> None:
    one = focal_loss().checks[0]
    names = [f"layer.{k}.weight" for k in range(30)]
    parameters = tuple(TensorInput(name, "float64", (2,), True, True, "parameter") for name in names)
    blocks = tuple(replace(focal_loss().blocks[0], input=name) for name in names)
    long = focal_loss(inputs=parameters, blocks=blocks, checks=(one,) * 50, checks_failed=50)
    short = shown(long)
    assert "and 22 more parameters (-v shows all)" in short
    assert "the 20 worst of 30 derivatives (-v shows all)" in short
    assert "  ... (and 46 more)" in short
    everything = shown(long, verbose=True)
    assert "more" not in everything
    assert everything.count("analytical") == 50


@pytest.mark.parametrize(
    "result",
    [
        focal_loss(),
        focal_loss(
            rtol=1e-3, atol=0.0, name="focal", file="problems.yaml", line=3, tags=("losses",), expect="mismatch"
        ),
        focal_loss(blocks=(), checks=(), values=(), verdict=Verdict.ERROR, error="svd has no rule (losses.py:12)"),
    ],
)
def test_json_holds_the_whole_record(result: CodeResult) -> None:
    document = json.loads(shown(result, "json"))
    (problem,) = document["problems"]
    assert problem["kind"] == "code"
    assert problem_record(problem) == result
    lines = shown(result, "json-lines").splitlines()
    assert problem_record(json.loads(lines[1])) == result
    assert document["summary"]["checks"] == result.checks_total


def test_json_says_what_it_is_about() -> None:
    (problem,) = json.loads(shown(focal_loss(), "json"))["problems"]
    assert problem["subject"] == "focal_loss"
    assert problem["inputs"][0] == {
        "name": "logits", "dtype": "float64", "shape": [4, 3], "requires_grad": True, "differentiated": True,
        "role": "argument",
    }  # fmt: skip
    assert problem["blocks"][0]["counts"]["mismatch"] == 4
    assert problem["checks"][0]["output"] == "out"
    assert problem["checks"][0]["wrt"] == ["logits[0,1]"]


def test_the_other_formats_say_block_and_entries() -> None:
    result = focal_loss(name="focal", file="problems.yaml", line=3)
    first = "4 of 12 entries failed: FocalLoss.backward (losses.py:18) is wrong by logits"
    assert f"file=problems.yaml,line=3,title=gradcheck%3A focal::{first}" in shown(result, "github")
    failure = ET.fromstring(shown(result, "junit")).find(".//failure")
    assert failure is not None
    assert failure.get("message") == first
    assert "∂out/∂logits[0,1]: analytical -0.0597916, autograd -0.239167 (mismatch)" in (failure.text or "")
    markdown = shown(result, "markdown")
    assert "| focal (problems.yaml:3) |  | ∂out/∂logits\\[0,1\\] | -0.0597916 | -0.239167 | ✗ mismatch |  |" in markdown
    assert "`focal_loss(logits, target)`" in markdown


def test_a_batch_lists_code_beside_formulas() -> None:
    named = [replace(focal_loss(), name="focal", file="a.yaml"), replace(quartic(), name="quartic", file="a.yaml")]
    table = RENDERERS["table"](a_report(*named), Display())
    assert "focal        12       4                     3  ✗ mismatch" in table
    assert "focal_loss(logits, target)  losses.py:25" in table
    assert "quartic       1" in table


def test_narrow_tables_give_up_what_is_least_useful_first() -> None:
    block = focal_loss().blocks[0]
    long = focal_loss(blocks=(replace(block, input="a_long_name_of_logits"),))
    heads = {width: shown(long, width=width).split("\n\n")[1].splitlines()[-3].split() for width in (40, 60, 76)}
    assert heads == {
        40: ["derivative", "verdict"],
        60: ["derivative", "match", "kink", "mismatch", "verdict"],
        76: ["derivative", "entries", "match", "kink", "mismatch", "verdict"],
    }
    assert all(len(line) <= 40 for line in shown(long, width=40).splitlines())
    assert "  ∂out/∂logits[0,1]\n    analytical -0.0597916\n    autograd -0.239167\n" in shown(long, width=40)


def test_what_a_verdict_means_is_said_where_no_note_does() -> None:
    kinks = tuple(replace(focal_loss().checks[-1], note=None, wrt=(f"logits[{k % 4},0]",)) for k in range(8))
    table = shown(focal_loss(checks=kinks, checks_failed=0), width=120)
    assert (
        "• ∂out/∂logits[0,0], ∂out/∂logits[1,0], ∂out/∂logits[2,0] and 1 more: a kink: there is no derivative" in table
    )
