"""The script that comments a review, against services that are not there."""

from __future__ import annotations

import re

import places_support as places
import pytest
from places_support import Fake

MARK = "<!-- egressc review egressc -->"
TOKEN = "a-token"


@pytest.fixture
def report(tmp_path):
    (tmp_path / "review.md").write_text("### Egress policy: x\n", encoding="utf-8")
    return tmp_path


@pytest.fixture(params=["github", "gitlab"])
def service(request):
    return request.param


@pytest.fixture
def fake():
    with Fake() as running:
        yield running


def comment(service, fake, folder, **more):
    env = {
        "github": {
            "GITHUB_TOKEN": TOKEN, "GITHUB_REPOSITORY": "o/r", "GITHUB_API_URL": fake.url, "EGRESSC_PULL_REQUEST": "12",
        },
        "gitlab": {
            "EGRESSC_GITLAB_TOKEN": TOKEN, "CI_API_V4_URL": fake.url, "CI_PROJECT_ID": "34", "CI_MERGE_REQUEST_IID": "12",
        },
    }[service]  # fmt: skip
    return places.script(folder, "comment.py", service, str(folder), **{**env, **more})


def test_one_comment_is_written_and_then_kept_up_to_date(service, fake, report):
    first = comment(service, fake, report)
    assert (first.returncode, first.stdout, first.stderr) == (0, "a comment was written\n", "")
    (report / "review.md").write_text("### Egress policy: y\n", encoding="utf-8")
    second = comment(service, fake, report)
    assert (second.returncode, second.stdout) == (0, "the comment is up to date\n")
    assert [c["body"] for c in fake.comments.values()] == [f"{MARK}\n### Egress policy: y\n"]
    where = "/repos/o/r/issues/12/comments" if service == "github" else "/projects/34/merge_requests/12/notes"
    change = "/repos/o/r/issues/comments/1" if service == "github" else f"{where}/1"
    verb = "PATCH" if service == "github" else "PUT"
    assert [(m, p) for m, p, *_ in fake.asked if m != "GET"] == [("POST", where), (verb, change)]
    for _, _, headers, _ in fake.asked:
        given = (
            headers["Authorization"]
            if service == "github"
            else headers.get("Private-Token", headers.get("PRIVATE-TOKEN"))
        )
        assert given in {f"Bearer {TOKEN}", TOKEN}


def test_a_comment_of_others_is_never_touched(service, fake, report):
    other = fake.add(f"{MARK}\nnot ours", {"login": "mallory", "id": 666})
    talk = fake.add(f"look at this: {MARK}")
    assert comment(service, fake, report).returncode == 0
    assert (other["body"], talk["body"]) == (f"{MARK}\nnot ours", f"look at this: {MARK}")
    assert len(fake.comments) == 3


def test_it_is_found_behind_many_others(service, fake, report):
    for n in range(250):
        fake.add(f"comment {n}")
    mine = fake.add(f"{MARK}\nold")
    assert comment(service, fake, report).stdout == "the comment is up to date\n"
    assert mine["body"].endswith("### Egress policy: x\n")
    assert len(fake.comments) == 251


def test_two_reviews_have_two_comments(service, fake, report):
    comment(service, fake, report, EGRESSC_COMMENT_KEY="dublin")
    comment(service, fake, report, EGRESSC_COMMENT_KEY="berlin --> <script>")
    comment(service, fake, report, EGRESSC_COMMENT_KEY="dublin")
    assert [c["body"].partition("\n")[0] for c in fake.comments.values()] == [
        "<!-- egressc review dublin -->", "<!-- egressc review berlin------script -->",
    ]  # fmt: skip


def test_without_a_report_it_says_why_and_nothing_in_it_is_markup(service, fake, report):
    (report / "review.md").unlink()
    hostile = "error: `x`\n````\n# heading\n<script>\n@everyone ![a](http://evil.example)\n\u202e\x1b[31m\n`````\n"
    (report / "review.log").write_text(hostile, encoding="utf-8")
    comment(service, fake, report)
    body = fake.comments[1]["body"]
    head, fence, rest = body.partition("\n``````text\n")
    assert head == f"{MARK}\n### Egress policy: nothing was compared\n"
    inside, closing, behind = rest.partition("\n``````\n")
    assert fence
    assert closing
    assert behind == ""
    assert "`" * 6 not in inside
    assert "U+202E" in inside
    assert "U+001B" in inside


def test_a_long_report_is_cut_to_what_the_service_takes(service, fake, report):
    (report / "review.md").write_text("é" * 100_000, encoding="utf-8")
    comment(service, fake, report)
    assert 60_000 < len(fake.comments[1]["body"].encode()) < 65_536


def test_a_fork_may_not_comment_and_that_is_no_failure(fake, report):
    fake.refuse["POST"] = (403, {"message": "Resource not accessible by integration"})
    done = comment("github", fake, report)
    assert done.returncode == 0
    assert "the token may not comment" in done.stderr


def test_other_refusals_are_failures_and_do_not_tell_the_token(service, fake, report):
    fake.refuse["POST"] = (500, {})
    done = comment(service, fake, report)
    assert done.returncode == 1
    assert ": 500 " in done.stderr
    assert TOKEN not in done.stdout + done.stderr
    if service == "gitlab":
        fake.refuse["POST"] = (403, {})
        assert comment(service, fake, report).returncode == 1


def test_the_token_follows_no_redirect(service, fake, report):
    with Fake() as elsewhere:
        fake.refuse["GET"] = (302, f"{elsewhere.url}/steal")
        done = comment(service, fake, report)
        assert done.returncode == 1
        assert elsewhere.asked == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"GITHUB_API_URL": "http://evil.example", "CI_API_V4_URL": "http://evil.example"},
        {"GITHUB_API_URL": "file:///etc", "CI_API_V4_URL": "file:///etc"},
        {"EGRESSC_PULL_REQUEST": "1/../../x", "CI_MERGE_REQUEST_IID": "1/../../x"},
        {"EGRESSC_PULL_REQUEST": "", "CI_MERGE_REQUEST_IID": ""},
    ],
)
def test_what_becomes_a_part_of_an_address_is_checked(service, fake, report, wrong):
    done = comment(service, fake, report, **wrong)
    assert done.returncode == 1
    assert not any(method != "GET" for method, *_ in fake.asked)


def test_a_repository_is_no_path(fake, report):
    assert comment("github", fake, report, GITHUB_REPOSITORY="../../x").returncode == 1
    assert fake.asked == []
    assert comment("gitlab", fake, report, CI_PROJECT_ID="a/../b").returncode == 0
    assert all(re.match(r"/user$|/projects/a%2F\.\.%2Fb/", path) for _, path, *_ in fake.asked)


def test_usage_and_print(tmp_path, report):
    assert places.script(report, "comment.py").returncode == 2
    assert places.script(report, "comment.py", "nowhere", ".").returncode == 2
    done = places.script(report, "comment.py", "print", str(report))
    assert (done.returncode, done.stdout) == (0, f"{MARK}\n### Egress policy: x\n")
