"""The data file, several clients at once, and the command line."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import httpx
import pytest

from notion_sync.sandbox import Sandbox
from tests.sandbox.conftest import EVERY_TYPE, Api, make_row, make_source, sdk, text


def everything(sandbox: Sandbox, source: str) -> list[dict]:
    return [sandbox.page(page["id"]) | {"request_id": ""} for page in sandbox.pages(source, in_trash=None)]


def test_everything_is_there_again_after_a_restart(tmp_path):
    data = str(tmp_path / "notion.db")
    with Sandbox(data=data) as first:
        client = sdk(first)
        source = make_source(client, first.root_page_id, "Things")
        client.data_sources.update(
            source, properties={"Self": {"relation": {"data_source_id": source, "dual_property": {}}}}
        )
        rows = [make_row(client, source, f"r{i}", Number={"number": i}) for i in range(5)]
        links = {"Self": {"relation": [{"id": rows[i]["id"]} for i in (3, 1, 2)]}}
        client.pages.update(rows[0]["id"], properties={**links, "Tags": {"multi_select": [{"name": "New"}]}})
        blocks = client.blocks.children.append(
            rows[0]["id"], children=[{"paragraph": {"rich_text": text(x)}} for x in "ab"]
        )
        client.blocks.children.append(
            rows[0]["id"], children=[{"paragraph": {"rich_text": text("first")}}], position={"type": "start"}
        )
        client.comments.create(parent={"page_id": rows[0]["id"]}, rich_text=text("note"))
        client.pages.update(rows[4]["id"], in_trash=True)
        first.unshare(rows[3]["id"])
        token = first.person_token()
        before = everything(first, source), client.data_sources.retrieve(source) | {"request_id": ""}
        root, bot = first.root_page_id, first.bot_id
        client.close()
    with Sandbox(data=data) as again:
        client = sdk(again)
        assert (again.root_page_id, again.bot_id) == (root, bot)
        assert (everything(again, source), client.data_sources.retrieve(source) | {"request_id": ""}) == before
        children = [block["id"] for block in client.blocks.children.list(rows[0]["id"])["results"]]
        assert children[1:] == [block["id"] for block in blocks["results"]]
        assert len(client.comments.list(block_id=rows[0]["id"])["results"]) == 1
        api = Api(again)
        assert api("GET", f"pages/{rows[3]['id']}").status_code == 404
        api.http.close()
        assert make_row(client, source)["properties"]["Serial"]["unique_id"]["number"] == 6
        person = sdk(again, token=token)
        assert person.users.me()["type"] == "person"
        person.close()
        client.close()


def test_removed_links_and_schemas_stay_removed_after_a_restart(tmp_path):
    data = str(tmp_path / "notion.db")
    with Sandbox(data=data) as first:
        source = first.person.source(_source(first)).id
        first.person.change_schema(
            source, {"Self": {"relation": {"data_source_id": source, "single_property": {}}}, "Number": None}
        )
        one, two = first.person.create(source, {"Name": "1"}), first.person.create(source, {"Name": "2"})
        first.person.update(one["id"], {"Self": [two["id"], one["id"]]})
        first.person.update(one["id"], {"Self": [one["id"]]})
    with Sandbox(data=data) as again:
        assert again.values(one["id"])["Self"] == [one["id"]]
        again.person.delete_property(source, "Self")
        assert set(again.values(one["id"])) == set(EVERY_TYPE) - {"Number"}
    with Sandbox(data=data) as third:
        assert set(third.values(one["id"])) == set(EVERY_TYPE) - {"Number"}


def _source(sandbox: Sandbox) -> str:
    client = sdk(sandbox)
    try:
        return make_source(client, sandbox.root_page_id, "Things")
    finally:
        client.close()


def test_many_clients_at_once_lose_no_write(sb, source, row):
    failures: list[Exception] = []

    def work(number: int) -> None:
        client = sdk(sb)
        try:
            for turn in range(15):
                make_row(client, source, f"{number}-{turn}")
                client.pages.update(row["id"], properties={"Tags": {"multi_select": [{"name": f"t{number}"}]}})
                client.data_sources.query(source, page_size=50)
        except Exception as error:
            failures.append(error)
        finally:
            client.close()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    serials = [page["properties"]["Serial"]["unique_id"]["number"] for page in sb.pages(source)]
    assert serials == list(range(1, 62))


def test_a_sandbox_may_be_closed_while_clients_hold_connections(sb, api):
    api("GET", "users/me")
    sb.close()
    with pytest.raises(httpx.TransportError):
        api("GET", "users/me")


# -- command line ------------------------------------------------------------------------------------


def start(*arguments: str) -> tuple[subprocess.Popen[str], str]:
    """A sandbox of its own; its process and URL."""
    root = Path(__file__).resolve().parents[2]
    process = subprocess.Popen(
        [sys.executable, "-m", "notion_sync.sandbox", "--port", "0", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=root,
        env={key: value for key, value in os.environ.items() if key != "DJANGO_SETTINGS_MODULE"},
    )
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line.startswith("Notion sandbox ready at http://127.0.0.1:")
    return process, line.split()[-1]


def ask(url: str, path: str, token: str = "anything") -> httpx.Response:
    headers = {"Authorization": f"Bearer {token}", "Notion-Version": "2026-03-11"}
    return httpx.get(f"{url}/v1/{path}", headers=headers, verify=False)


def stop(process: subprocess.Popen[str], how: int) -> tuple[int, str, str]:
    process.send_signal(how)
    out, err = process.communicate(timeout=10)
    return process.returncode, out, err


def test_the_program_prints_one_line_takes_any_token_and_ends_cleanly_on_sigterm(tmp_path):
    process, url = start("--data", str(tmp_path / "notion.db"))
    me = ask(url, "users/me").json()["id"]
    assert stop(process, signal.SIGTERM) == (0, "", "")
    process, url = start("--data", str(tmp_path / "notion.db"), "--token", "mine", "--rate-limit", "2")
    assert ask(url, "users/me").status_code == 401
    assert [ask(url, "users/me", "mine").status_code for _ in range(3)] == [200, 200, 429]
    assert httpx.get(f"{url}/__control__/state", verify=False).json()["bot_id"] == me
    assert stop(process, signal.SIGINT) == (0, "", "")


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    root = Path(__file__).resolve().parents[2]
    command = [sys.executable, "-m", "notion_sync.sandbox", *arguments]
    return subprocess.run(command, capture_output=True, text=True, cwd=root, check=False, timeout=30)


def test_a_second_sandbox_on_the_same_file_or_port_is_refused(tmp_path):
    data = str(tmp_path / "notion.db")
    with Sandbox(data=data) as first:
        port = first.url.rsplit(":", 1)[1]
        same_file, same_port = run("--port", "0", "--data", data), run("--port", port)
    assert (same_file.returncode, same_port.returncode) == (2, 2)
    assert "database is locked" in same_file.stderr
    assert "Address already in use" in same_port.stderr
    assert same_file.stdout == same_port.stdout == ""


def test_a_webhook_url_needs_its_token():
    assert run("--webhook-url", "http://127.0.0.1:9/").returncode == 2


def test_every_answered_write_survives_a_kill(tmp_path):
    process, url = start("--data", str(tmp_path / "notion.db"))
    with httpx.Client(
        base_url=f"{url}/v1/",
        headers={"Authorization": "Bearer x", "Notion-Version": "2026-03-11"},
        verify=False,
    ) as http:
        root = http.post("search", json={}).json()["results"][0]["id"]
        database = http.post("databases", json={"parent": {"page_id": root}, "title": text("D")}).json()
        source = database["data_sources"][0]["id"]
        for _ in range(20):
            http.post("pages", json={"parent": {"data_source_id": source}, "properties": {}})
    stop(process, signal.SIGKILL)
    with Sandbox(data=str(tmp_path / "notion.db")) as again:
        assert len(again.pages(source)) == 20
