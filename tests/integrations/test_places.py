"""The GitHub action, the GitLab job and the pre-commit hooks: what they run, run here."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys

import places_support as places
import pytest
import revisions_support as support
import yaml
from places_support import INTEGRATIONS, ROOT, TEST, Fake
from revisions_support import POLICY, git

ACTION = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
JOB = yaml.safe_load((INTEGRATIONS / "gitlab-ci.yml").read_text(encoding="utf-8"))["egressc-review"]
REVIEW = (ROOT / "docs" / "review.md").read_text(encoding="utf-8")


@pytest.fixture
def fake():
    with Fake() as running:
        yield running


# GitHub


def expanded(text, known):
    """The text with what stands in ``${{ … }}``, as the runner does it before anything runs."""

    def value(found):
        for part in found[1].split("||"):
            if known.get(part.strip()):
                return known[part.strip()]
        return ""

    return re.sub(r"\$\{\{(.*?)\}\}", value, text)


def act(folder, repo, known, **runner):
    """Run the steps of the action that are scripts, as the runner would; the status of each by its name."""
    temp = folder / "runner"
    places.program(temp / "egressc")
    (temp / "egressc" / "bin" / "python").symlink_to(sys.executable)
    found = {}
    for step in ACTION["runs"]["steps"]:
        if "run" not in step or step["name"] == "Install egressc":
            continue
        if step.get("if") and not known.get("comments", True):
            continue
        outputs = temp / f"{step['name']}.outputs"
        outputs.touch()
        env = {key: expanded(str(text), known) for key, text in step.get("env", {}).items()}
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", "-c", step["run"]],
            cwd=repo,
            env={
                "PATH": os.environ["PATH"], "RUNNER_TEMP": str(temp), "GITHUB_ACTION_PATH": str(ROOT),
                "GITHUB_OUTPUT": str(outputs), "GITHUB_STEP_SUMMARY": str(temp / "summary.md"),
                "GITHUB_REPOSITORY": "o/r", **runner, **env,
            },
            capture_output=True,
            text=True,
            check=False,
        )  # fmt: skip
        found[step["name"]] = done.returncode
        for line in outputs.read_text().splitlines():
            key, _, value = line.partition("=")
            known[f"steps.{step.get('id')}.outputs.{key}"] = value
    return found, temp


def known_of(base, **more):
    defaults = {f"inputs.{name}": given["default"] for name, given in ACTION["inputs"].items()}
    return {
        **defaults, "inputs.token": "t", "inputs.paths": "policies", "github.event.pull_request.base.sha": base,
        "github.event.pull_request.number": "5", **more,
    }  # fmt: skip


def test_the_action_reviews_comments_and_sums_up(tmp_path, fake):
    repo = places.repository(tmp_path / "repo")
    base = git(repo, "rev-parse", "main").strip()
    found, temp = act(tmp_path, repo, known_of(base), GITHUB_API_URL=fake.url)
    assert found == {"Review": 0, "Comment": 0, "Result": 0}
    assert "*.c.example.net" in fake.comments[1]["body"]
    assert "*.c.example.net" in (temp / "summary.md").read_text()
    assert (temp / "egressc-review" / "egressc.sarif").is_file()


def test_the_action_fails_last_so_that_the_comment_is_there(tmp_path, fake):
    repo = places.repository(tmp_path / "repo")
    known = known_of("main", **{"inputs.fail-on": "widened"})
    found, _ = act(tmp_path, repo, known, GITHUB_API_URL=fake.url)
    assert found == {"Review": 0, "Comment": 0, "Result": 1}
    assert "*.c.example.net" in fake.comments[1]["body"]


@pytest.mark.parametrize("hostile", ['"; touch pwned; "', "$(touch pwned)", "`touch pwned`", "x\ny=$(touch pwned)"])
def test_no_input_is_a_program(tmp_path, fake, hostile):
    repo = places.repository(tmp_path / "repo")
    known = known_of(
        hostile, **{f"inputs.{name}": hostile for name in ("inventory", "fail-on", "strict", "comment-key")}
    )
    known["github.event.pull_request.number"] = hostile
    act(tmp_path, repo, known, GITHUB_API_URL=fake.url)
    assert not list(tmp_path.rglob("pwned"))


def test_the_scripts_of_the_action_hold_no_expressions():
    for step in ACTION["runs"]["steps"]:
        assert "${{" not in step.get("run", "")
    assert [step["uses"] for step in ACTION["runs"]["steps"] if "uses" in step] == [
        "actions/setup-python@v5", "github/codeql-action/upload-sarif@v3",
    ]  # fmt: skip


def scripts():
    """Every script in YAML, with a name."""
    for step in ACTION["runs"]["steps"]:
        if "run" in step:
            yield pytest.param(step["run"], id=f"action {step['name']}")
    yield pytest.param("\n".join(JOB["script"]), id="gitlab")


@pytest.mark.parametrize("text", [*scripts()])
def test_shellcheck_has_nothing_to_say(text):
    if shutil.which("shellcheck") is None:
        pytest.skip("shellcheck is not installed")
    # SC2154: the variables of the runner; SC2086 and all that quotes are what this is for.
    done = subprocess.run(
        ["shellcheck", "-s", "bash", "-e", "SC2154", "-"], input=text, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout


def checked(schema, text, folder):
    program = places.beside("check-jsonschema")
    if program is None:
        pytest.skip("check-jsonschema is not installed")
    file = folder / "document.yaml"
    file.write_text(text, encoding="utf-8")
    return subprocess.run([program, "--builtin-schema", schema, str(file)], capture_output=True, text=True, check=False)


def examples():
    blocks = re.findall(r"```yaml\n(.*?)```", REVIEW, re.DOTALL)
    assert [block.split("\n", 1)[0] for block in blocks] == [
        "# .pre-commit-config.yaml", "# .github/workflows/egress.yaml", "include:",
    ]  # fmt: skip
    return blocks


@pytest.mark.parametrize("what", ["action", "workflow", "job", "include"])
def test_what_is_written_is_what_the_services_take(tmp_path, what):
    schema, text = {
        "action": ("vendor.github-actions", (ROOT / "action.yml").read_text(encoding="utf-8")),
        "workflow": ("vendor.github-workflows", examples()[1]),
        "job": ("vendor.gitlab-ci", (INTEGRATIONS / "gitlab-ci.yml").read_text(encoding="utf-8")),
        "include": ("vendor.gitlab-ci", examples()[2]),
    }[what]
    done = checked(schema, text, tmp_path)
    assert done.returncode == 0, done.stdout
    broken = {"action": ("composite", "compost"), "workflow": ("runs-on", "rans-on"), "job": ("when: always", "when: perhaps"),
              "include": ("file:", "fiel:")}[what]  # fmt: skip
    assert checked(schema, text.replace(*broken), tmp_path).returncode == 1


def test_the_documents_name_inputs_that_there_are():
    workflow = yaml.safe_load(examples()[1])
    (step,) = [step for step in workflow["jobs"]["review"]["steps"] if "egressc@" in step["uses"]]
    assert set(step["with"]) <= set(ACTION["inputs"])
    assert set(yaml.safe_load(examples()[2])["variables"]) <= set(JOB["variables"])


# GitLab


def test_the_job_reviews_and_comments(tmp_path, fake):
    repo = places.repository(tmp_path / "repo")
    base = git(repo, "rev-parse", "main").strip()
    clone, install, *rest = JOB["script"]
    assert clone.startswith("git clone ")
    assert install.startswith("python -m pip install ")
    # The clone and the install need the network: this checkout and this environment stand for them.
    text = "\n".join(rest).replace("/tmp/egressc/", f"{ROOT}/")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "python").symlink_to(sys.executable)
    env = {
        "PATH": f"{places.program(tmp_path).parent}:{os.environ['PATH']}",
        **JOB["variables"],
        "EGRESSC_PATHS": "policies",
        "CI_MERGE_REQUEST_DIFF_BASE_SHA": base,
        "CI_API_V4_URL": fake.url,
        "CI_PROJECT_ID": "3",
        "CI_MERGE_REQUEST_IID": "4",
    }
    run = ["bash", "-e", "-o", "pipefail", "-c", text]
    done = subprocess.run(
        run, cwd=repo, env={**env, "EGRESSC_GITLAB_TOKEN": ""}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert fake.asked == []
    assert (repo / "egressc-review" / "review.md").is_file()
    env |= {"EGRESSC_GITLAB_TOKEN": "t", "EGRESSC_FAIL_ON": "widened"}
    done = subprocess.run(run, cwd=repo, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stderr
    assert "*.c.example.net" in fake.comments[1]["body"]


# pre-commit

HOOKS = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))


def test_the_documents_name_hooks_that_there_are():
    config = yaml.safe_load(examples()[0])
    assert [hook["id"] for hook in config["repos"][0]["hooks"]] == [hook["id"] for hook in HOOKS]


def pre_commit(repo, *words, **env):
    program = places.beside("pre-commit")
    if program is None:
        pytest.skip("pre-commit is not installed")
    path = f"{places.program(repo.parent).parent}:{os.environ['PATH']}"
    known = {**os.environ, "PRE_COMMIT_HOME": str(repo.parent / "cache"), "PATH": path, "GIT_CONFIG_GLOBAL": os.devnull}
    return subprocess.run(
        [program, *words], cwd=repo, env={**known, **env}, capture_output=True, text=True, check=False
    )


def test_pre_commit_takes_the_hooks(tmp_path):
    repo = places.repository(tmp_path / "repo")
    assert pre_commit(repo, "validate-manifest", str(ROOT / ".pre-commit-hooks.yaml")).returncode == 0
    (repo / "bad.yaml").write_text("- id: x\n")
    assert pre_commit(repo, "validate-manifest", "bad.yaml").returncode == 1


def test_the_hooks_run_before_a_commit(tmp_path):
    """With the documented arguments; ``language: system`` in place of ``python``, which would need the network."""
    repo = places.repository(tmp_path / "repo")
    documented = {hook["id"]: hook for hook in yaml.safe_load(examples()[0])["repos"][0]["hooks"]}
    hooks = [{**hook, **documented[hook["id"]], "language": "system"} for hook in HOOKS]
    config = yaml.safe_dump({"repos": [{"repo": "local", "hooks": hooks}]})
    tidy = POLICY.replace(" { to", " {\n        to   ").replace("net ports 443 }", "net\n        ports 443\n    }\n")
    tidy = tidy.replace("from g\n", "from g\n\n").replace("}\n\n}", "}\n}")
    support.write(
        repo, {".pre-commit-config.yaml": config, "policies/main.egress": tidy, "policies/main.test.yaml": TEST}
    )
    git(repo, "add", "-A")

    def run():
        done = pre_commit(repo, "run", "--all-files", "--color", "never")
        states = dict(re.findall(r"^(egressc \w+)\.+(?:\(.*\))?(\w+)$", done.stdout, re.MULTILINE))
        return done.returncode, states, done.stdout

    status, states, out = run()
    assert (status, states) == (0, dict.fromkeys(("egressc fmt", "egressc check", "egressc test"), "Passed")), out
    support.write(repo, {"policies/main.egress": tidy.replace("    from g", "  from   g")})
    status, states, out = run()
    assert (status, states["egressc fmt"], states["egressc check"]) == (1, "Failed", "Passed"), out
    assert (repo / "policies/main.egress").read_text() == tidy
    support.write(repo, {"policies/main.egress": tidy.replace("from g", "from h")})
    status, states, out = run()
    assert (status, states["egressc fmt"], states["egressc check"]) == (1, "Passed", "Failed"), out
    support.write(repo, {"policies/main.egress": tidy.replace("a.example", "z.example")})
    status, states, out = run()
    assert (status, states["egressc check"], states["egressc test"]) == (1, "Passed", "Failed"), out
