"""A request that succeeds for every changing operation of the OpenAPI document, with fresh objects."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import httpx
import pyotp
from sqlalchemy import update

from crewai_runner.core.ids import Prefix, new_id
from crewai_runner.core.principal import BUILTIN_WORKSPACE
from crewai_runner.db.session import unit_of_work
from crewai_runner.db.tables.knowledge import MemoryRow
from crewai_runner.db.tables.people import ExternalIdentityRow, MembershipRow
from crewai_runner.db.tables.projects import ProjectVersionRow
from crewai_runner.db.tables.workspaces import WorkspaceRow
from crewai_runner.features.identities.rules import make_identity_id
from tests.contract.example_bodies import OPENAPI_DOCUMENT, example_bodies
from tests.contract.seeded_code import SeededCode
from tests.contract.seeded_workspace import SeededWorkspace
from tests.features.audit.mcp_requests import McpRequests
from tests.support.harness import RunHarness, request_approval
from tests.support.projects import zip_project
from tests.support.server_process import TWO_TASKS
from tests.support.teams import PASSWORD, Team

ZIP: dict[str, Any] = {"content": zip_project(), "headers": {"Content-Type": "application/zip"}}
FORM: dict[str, Any] = {"files": {"zip_file": ("project.zip", zip_project(), "application/zip")}}
OTHER = new_id(Prefix.WORKSPACE)


@dataclass
class Prepared:
    """How to send one request: values of path parameters, and what differs from the example."""

    ids: dict[str, str] = field(default_factory=dict)
    more: dict[str, Any] = field(default_factory=dict)
    client: httpx.AsyncClient | None = None


Prepare = Callable[[], Awaitable[Prepared]]


class OperationRequests:
    """Creates what the requests need, as the server's administrator."""

    def __init__(self, team: Team, harness: RunHarness) -> None:
        self._team, self._harness = team, harness
        self._names = 0
        self._mcp = McpRequests(team, harness)
        self.special: dict[str, Prepare] = {
            "amp:resume_execution": self._amp_resume,
            "apis:create_api": self._new_api,
            "approvals:resolve_approval": self._approval,
            "chat:create_message": self._message,
            "chat:send_chat": self._chat,
            "deployments:create_deployment": self._form,
            "deployments:rebuild_deployment": self._built_project,
            "deployments:rebuild_deployment_by_name": self._built_project,
            "deployments:update_deployment": self._project_form,
            "executions:fork_run": self._fork,
            "executions:resume_run": self._stopped_run,
            "executions:start_run_with_files": self._run_form,
            "executions:stop_workflow": self._stop_workflow,
            "knowledge:add_knowledge": self._knowledge_form,
            "knowledge:delete_knowledge": self._knowledge_file,
            "knowledge:embed_knowledge": self._knowledge_file,
            "memories:delete_memory": self._memory,
            "me:change_password": self._signed_in,
            "me:confirm_second_factor": self._confirm_second_factor,
            "me:end_own_session": self._own_session,
            "me:enter_workspace": self._enter,
            "me:join_workspace": self._join,
            "me:remove_identity": self._identity,
            "me:remove_own_account": self._remove_own_account,
            "me:remove_second_factor": self._second_factor,
            "me:start_second_factor": self._signed_in,
            "keys:create_own_api_key": self._signed_in,
            "keys:revoke_own_api_key": self._own_key,
            "projects:add_project_version": self._project_zip,
            "projects:build_project_version": self._built_project,
            "projects:create_project": self._zip,
            "projects:delete_project_secret": self._secret,
            "runs:delete_run": self._stopped_run,
            "runs:delete_runs": self._delete_runs,
            "session:accept_invitation": self._accept_invitation,
            "session:end_session": self._signed_in,
            "session:reset_password": self._reset_password,
            "session:sign_in": self._sign_in,
            "sharing:create_public_link": self._shareable_run,
            "sharing:revoke_public_link": self._public_link,
            "people:create_person": self._new_person,
            "triggers:receive_delivery": self._hook,
            "triggers:replay_trigger_delivery": self._trigger_delivery,
            "people:invite_person": self._invite,
        }

    async def prepare(self, operation: str, method: str, path: str) -> Prepared:
        """Return how to send a request of an operation."""
        workflow = await self._workflow()
        provider = await self._provider()
        ids = {"workflow_id": workflow, "slug": workflow, "provider_id": provider, "number": "1"}
        ids |= {"run_id": "", "project_id": ""}
        for name, create in self._creators.items():
            if "{" + name + "}" in path or name == "run_id":
                ids[name] = await create()
        if operation in self._mcp.prepare:
            prepared = Prepared(*await self._mcp.prepare[operation]())
            return self._complete(prepared, ids, method, path)
        special = self.special.get(operation)
        prepared = Prepared() if special is None else await special()
        return self._complete(prepared, ids, method, path)

    def _complete(self, prepared: Prepared, ids: dict[str, str], method: str, path: str) -> Prepared:
        prepared.ids = ids | prepared.ids
        code = SeededCode(prepared.ids, prepared.ids, "")
        seeded = SeededWorkspace(prepared.ids, prepared.ids, code)
        example = example_bodies(seeded).get((method, path))
        if not {"json", "content", "files"} & prepared.more.keys() and example is not None:
            prepared.more["json"] = self._rename(example)
        return prepared

    @property
    def _creators(self) -> dict[str, Callable[[], Awaitable[str]]]:
        return {
            "model_id": self._model,
            "api_id": self._api,
            "trigger_id": self._trigger,
            "connection_id": self._connection,
            "run_id": self._run,
            "project_id": self._project,
            "uuid": self._project,
            "project_name": self._project_name,
            "person_id": self._person,
            "api_key_id": self._key,
            "invitation_id": self._invitation,
            "name": self._any_name,
            "workspace_id": self._workspace,
        }

    def _name(self, kind: str) -> str:
        self._names += 1
        return f"{kind} {self._names}"

    def _rename(self, example: Any) -> Any:
        """Give what is created another name than in the requests before."""
        for kind in ("provider", "model", "project", "connection", "trigger"):
            if kind in example and isinstance(example[kind], dict):
                # The options are those of several types of providers, which no provider may have together.
                values = {
                    name: value
                    for name, value in example[kind].items()
                    if name != "options" or kind == "connection"
                }
                return {kind: values | {"name": self._name(kind)}}
        if isinstance(example.get("workflow"), dict):
            text = example["workflow"]["yaml"].replace("name: ", f"name: {self._name('w')} ")
            return {"workflow": example["workflow"] | {"yaml": text}}
        return example | {"name": self._name("x")} if "name" in example else example

    async def _post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        response = await self._team.post(path, body)
        assert response.is_success, (path, response.text)
        answer: dict[str, Any] = response.json()
        return answer

    async def _any_name(self) -> str:
        return "KNOWN_KEY"

    async def _workflow(self) -> str:
        text = TWO_TASKS.replace("name: Two tasks", f"name: {self._name('Workflow')}")
        return str((await self._post("/workflows", {"workflow": {"yaml": text}}))["workflow"]["id"])

    async def _provider(self) -> str:
        body = {
            "type": "openai_compatible",
            "baseUrl": "http://127.0.0.1:9/v1",
            "apiKey": "sk-canary-83hf72kd",
        }
        created = await self._post("/providers", {"provider": body | {"name": self._name("Provider")}})
        return str(created["provider"]["id"])

    def _api_body(self) -> dict[str, Any]:
        self._names += 1
        return {
            "name": f"api-{self._names}",
            "document": json.dumps(OPENAPI_DOCUMENT),
            "operations": ["getItem"],
            "baseUrl": "http://127.0.0.1:9",
        }

    async def _new_api(self) -> Prepared:
        return Prepared(more={"json": self._api_body()})

    async def _api(self) -> str:
        return str((await self._post("/apis", self._api_body()))["api"]["id"])

    async def _knowledge_form(self) -> Prepared:
        return Prepared(more={"files": {"files": ("facts.md", b"secret-value", "text/markdown")}})

    async def _knowledge_file(self) -> Prepared:
        workflow_id = await self._workflow()
        files = {"files": ("facts.md", b"secret-value", "text/markdown")}
        added = await self._team.client.post(f"/workflows/{workflow_id}/knowledge", files=files)
        file_id = added.json()["files"][0]["id"]
        return Prepared({"workflow_id": workflow_id, "knowledge_file_id": file_id})

    async def _memory(self) -> Prepared:
        workflow_id = await self._workflow()
        async with unit_of_work(self._harness.container.sessions) as session:
            session.add(
                MemoryRow(
                    workflow_id=workflow_id,
                    id="a-memory",
                    workspace_id=BUILTIN_WORKSPACE,
                    content="secret-value",
                    scope="/crew",
                    embedder="e",
                )
            )
        return Prepared({"workflow_id": workflow_id, "memory_id": "a-memory"})

    async def _model(self) -> str:
        body = {"name": self._name("model"), "type": "llm", "providerId": await self._provider()}
        return str((await self._post("/models", {"model": body}))["model"]["id"])

    async def _connection(self) -> str:
        body = {"kind": "http", "baseUrl": "http://127.0.0.1:9/v1"}
        created = await self._post("/connections", {"connection": body | {"name": self._name("Host")}})
        return str(created["connection"]["id"])

    async def _run(self) -> str:
        return str((await self._post("/runs", {"workflowId": await self._workflow()}))["runId"])

    async def _stopped_run(self) -> Prepared:
        run_id = await self._run()
        await self._post(f"/runs/{run_id}/stop", {"mode": "now"})
        return Prepared({"run_id": run_id})

    async def _delete_runs(self) -> Prepared:
        await self._stopped_run()
        return Prepared(more={"params": {"status": "stopped"}})

    async def _stop_workflow(self) -> Prepared:
        return Prepared(more={"json": {"workflowId": await self._run(), "mode": "now"}})

    async def _run_form(self) -> Prepared:
        more = {
            "data": {"run": json.dumps({"workflowId": await self._workflow()})},
            "files": {"files": ("facts.md", b"secret-value", "text/markdown")},
        }
        return Prepared(more=more)

    async def _fork(self) -> Prepared:
        return Prepared(more={"json": {"fromTask": "research"}})

    async def _message(self) -> Prepared:
        return Prepared(more={"json": {"text": "Hello", "agent": "researcher"}})

    async def _chat(self) -> Prepared:
        run_id = (await self._stopped_run()).ids["run_id"]
        return Prepared(more={"json": {"workflowId": run_id, "message": "Hello"}})

    async def _waiting_run(self, workflow_id: str) -> tuple[str, str]:
        run_id = str((await self._post("/runs", {"workflowId": workflow_id}))["runId"])
        async with self._harness.transaction(run_id) as (run, lifecycle):
            await lifecycle.begin(run, "scripted 1", native=True)
        return await request_approval(self._harness, run_id=run_id)

    async def _approval(self) -> Prepared:
        _, approval_id = await self._waiting_run(await self._workflow())
        return Prepared({"approval_id": approval_id}, {"json": {"action": "approve"}})

    async def _amp_resume(self) -> Prepared:
        workflow_id = await self._workflow()
        run_id, _ = await self._waiting_run(workflow_id)
        body = {"execution_id": run_id, "task_id": "research", "human_feedback": "", "is_approve": True}
        return Prepared({"slug": workflow_id}, {"json": body})

    async def _upload(self) -> dict[str, Any]:
        response = await self._team.client.post("/projects", **ZIP)
        assert response.is_success, response.text
        uploaded: dict[str, Any] = response.json()["project"]
        return uploaded

    async def _project(self) -> str:
        return str((await self._upload())["id"])

    async def _project_name(self) -> str:
        return str((await self._upload())["name"])

    async def _zip(self) -> Prepared:
        return Prepared(more=dict(ZIP))

    async def _project_zip(self) -> Prepared:
        more = ZIP | {"content": zip_project({"main.py": f"print({self._name('x')!r})\n"})}
        return Prepared({"project_id": await self._project()}, more)

    async def _form(self) -> Prepared:
        return Prepared(more=dict(FORM))

    async def _project_form(self) -> Prepared:
        return Prepared({"uuid": await self._project()}, dict(FORM))

    async def _built_project(self) -> Prepared:
        project = await self._upload()
        async with unit_of_work(self._harness.container.sessions) as session:
            await session.execute(update(ProjectVersionRow).values(build_state="failed"))
        name = {"project_name": project["name"]}
        return Prepared({"project_id": project["id"], "uuid": project["id"]} | name)

    async def _secret(self) -> Prepared:
        project_id = await self._project()
        path = f"/projects/{project_id}/secrets/KNOWN_KEY"
        (await self._team.client.put(path, json={"value": "canary-of-a-secret"})).raise_for_status()
        return Prepared({"project_id": project_id})

    def _email(self) -> str:
        return self._name("canary").replace(" ", ".") + "@example.org"

    async def _person(self) -> str:
        return await self._team.create_person(self._email(), "editor")

    async def _new_person(self) -> Prepared:
        body = {"name": "Canary Name", "email": self._email(), "password": PASSWORD, "role": "viewer"}
        return Prepared(more={"json": body})

    async def _invite(self) -> Prepared:
        return Prepared(more={"json": {"email": self._email(), "role": "viewer"}})

    async def _invitation(self) -> str:
        created = await self._post("/invitations", {"email": self._email(), "role": "viewer"})
        return str(created["invitation"]["id"])

    async def _key(self) -> str:
        created = await self._post("/api-keys", {"name": self._name("key"), "role": "viewer"})
        return str(created["apiKey"]["id"])

    async def _browser(self, email: str | None = None) -> tuple[httpx.AsyncClient, str]:
        """The browser of a new person who is signed in, and the person's id."""
        person_id, email = "", email or self._email()
        person_id = await self._team.create_person(email, "owner")
        browser = self._team.browser()
        answer = await self._team.sign_in(browser, email)
        assert answer.is_success, answer.text
        return browser, person_id

    async def _signed_in(self) -> Prepared:
        return Prepared(client=(await self._browser())[0])

    async def _own_key(self) -> Prepared:
        browser, _ = await self._browser()
        created = await browser.post("/me/api-keys", json={"name": "mine", "role": "viewer"})
        return Prepared({"api_key_id": created.json()["apiKey"]["id"]}, client=browser)

    async def _workspace(self) -> str:
        return BUILTIN_WORKSPACE

    async def _identity(self) -> Prepared:
        browser, person_id = await self._browser()
        issuer, subject = "https://issuer.example.org", person_id
        async with unit_of_work(self._harness.container.sessions) as session:
            session.add(ExternalIdentityRow(issuer=issuer, subject=subject, person_id=person_id))
        return Prepared({"identity_id": make_identity_id(issuer, subject)}, client=browser)

    async def _remove_own_account(self) -> Prepared:
        # A viewer: the last owner of a workspace cannot leave.
        email = self._email()
        await self._team.create_person(email, "viewer")
        browser = self._team.browser()
        await self._team.sign_in(browser, email)
        return Prepared(more={"json": {"password": PASSWORD}}, client=browser)

    async def _trigger(self) -> str:
        return str((await self._new_trigger())["trigger"]["id"])

    async def _new_trigger(self) -> dict[str, Any]:
        body = {"name": self._name("trigger"), "workflowId": await self._workflow(), "signature": "bearer"}
        created: dict[str, Any] = await self._post("/triggers", body)
        return created

    async def _hook(self) -> Prepared:
        created = await self._new_trigger()
        token = created["trigger"]["path"].rpartition("/")[2]
        headers = {"Authorization": f"Bearer {created['secret']}", "Content-Type": "application/json"}
        return Prepared({"token": token}, {"content": b"{}", "headers": headers})

    async def _trigger_delivery(self) -> Prepared:
        hook = await self._hook()
        path = f"http://test/hooks/{hook.ids['token']}"
        answer = await self._team.client.post(path, **hook.more)
        assert answer.status_code == 202, answer.text
        triggers = (await self._team.client.get("/triggers")).json()["triggers"]
        trigger = next(one for one in triggers if one["path"].endswith(hook.ids["token"]))
        log = (await self._team.client.get(f"/triggers/{trigger['id']}/deliveries")).json()["deliveries"]
        return Prepared({"trigger_id": trigger["id"], "trigger_delivery_id": log[0]["id"]})

    async def _shareable_run(self) -> Prepared:
        (await self._team.client.patch("/workspace", json={"allowsPublicLinks": True})).raise_for_status()
        return Prepared({"run_id": await self._run()}, {"json": {}})

    async def _public_link(self) -> Prepared:
        run = await self._shareable_run()
        path = f"/runs/{run.ids['run_id']}/public-links"
        created = await self._post(path, {})
        return Prepared({"public_link_id": created["publicLink"]["id"]} | run.ids)

    async def _own_session(self) -> Prepared:
        email = self._email()
        browser, _ = await self._browser(email)
        await self._team.sign_in(self._team.browser(), email)
        sessions = (await browser.get("/me/sessions")).json()["sessions"]
        other = next(one["id"] for one in sessions if not one["isCurrent"])
        return Prepared({"session_id": other}, client=browser)

    async def _confirm_second_factor(self) -> Prepared:
        browser, _ = await self._browser()
        started = await browser.post("/me/second-factor", json={"password": PASSWORD})
        code = pyotp.TOTP(started.json()["secret"]).now()
        return Prepared(more={"json": {"code": code}}, client=browser)

    async def _second_factor(self) -> Prepared:
        prepared = await self._confirm_second_factor()
        assert prepared.client is not None
        confirmed = await prepared.client.post("/me/second-factor/confirm", **prepared.more)
        assert confirmed.is_success, confirmed.text
        return Prepared(client=prepared.client)

    async def _add_membership(self, person_id: str) -> None:
        async with unit_of_work(self._harness.container.sessions) as session:
            await session.merge(WorkspaceRow(id=OTHER, name="Another one"))
            await session.flush()
            row = MembershipRow(workspace_id=OTHER, person_id=person_id, role="owner", created_by="test")
            session.add(row)

    async def _enter(self) -> Prepared:
        browser, person_id = await self._browser()
        await self._add_membership(person_id)
        return Prepared(more={"json": {"workspaceId": OTHER}}, client=browser)

    async def _join(self) -> Prepared:
        email = self._email()
        person_id = await self._team.create_person(email, "viewer")
        await self._add_membership(person_id)
        await self._team.delete(f"/people/{person_id}")
        browser = self._team.browser()
        await self._team.sign_in(browser, email)
        return Prepared(more={"json": {"token": await self._token(email)}}, client=browser)

    async def _token(self, email: str) -> str:
        created = await self._post("/invitations", {"email": email, "role": "viewer"})
        return str(created["link"]["path"].partition("#")[2])

    async def _accept_invitation(self) -> Prepared:
        body = {"token": await self._token(self._email()), "name": "Canary Name", "password": PASSWORD}
        return Prepared(more={"json": body}, client=self._team.browser())

    async def _reset_password(self) -> Prepared:
        person_id = await self._person()
        created = await self._post(f"/people/{person_id}/password-reset", {})
        token = created["path"].partition("#")[2]
        return Prepared(more={"json": {"token": token, "password": PASSWORD}}, client=self._team.browser())

    async def _sign_in(self) -> Prepared:
        email = self._email()
        await self._team.create_person(email, "viewer")
        body = {"email": email, "password": PASSWORD}
        return Prepared(more={"json": body}, client=self._team.browser())
