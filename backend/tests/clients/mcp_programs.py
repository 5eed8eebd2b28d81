"""Programs that use stock MCP clients: `case url key`, and the mode of `mcp` 2.3."""

from enum import StrEnum


class CASES(StrEnum):
    CALL = "call"
    APPROVE = "approve"
    HANDLE = "handle"
    CANCEL = "cancel"


_PYTHON_CASES = """
async def call(session):
    tools = await session.list_tools()
    print("TOOLS", *[tool.name for tool in tools.tools])

    async def on_progress(progress, total, message):
        print("PROGRESS", int(progress), int(total))

    result = await session.call_tool("tea-report", {"topic": "tea"}, progress_callback=on_progress)
    print("RESULT", is_error(result), result.content[0].text)

async def wait(session, run_id, *states):
    while True:
        found = structured(await session.call_tool("get_run", {"run_id": run_id}))
        if found["state"] in states:
            print("STATE", found["state"], found["wait_reason"])
            return found
        await asyncio.sleep(0.2)

async def approve(session):
    asked = structured(await session.call_tool("reviewed-report", {"topic": "tea"}))
    asked = await wait(session, asked["run_id"], "waiting")
    arguments = {"approval_id": asked["approval"]["approval_id"], "action": "approve"}
    answered = structured(await session.call_tool("answer_approval", arguments))
    print("ANSWERED", answered["state"])
    await wait(session, asked["run_id"], "completed")

async def handle(session):
    begun = structured(await session.call_tool("tea-report", {"topic": "held", "run.wait": False}))
    print("HANDLE", begun["run_id"].startswith("run_") and "get_run" in begun["next_step"])
    await wait(session, begun["run_id"], "running")
    stopped = structured(await session.call_tool("stop_run", {"run_id": begun["run_id"]}))
    print("STOPPED", stopped["state"])

async def cancel(session):
    task = asyncio.create_task(session.call_tool("tea-report", {"topic": "held"}))
    while not structured(await session.call_tool("list_runs", {"status": "running"}))["runs"]:
        await asyncio.sleep(0.2)
    await asyncio.sleep(0.5)
    task.cancel()
    try:
        await task
    except asyncio.CancelledError:
        pass
    await asyncio.sleep(1)
"""
PYTHON_1_CLIENT = (
    """
import asyncio, sys
import httpx
from mcp import ClientSession
from mcp.client.streamable_http import streamable_http_client

def structured(result):
    return result.structuredContent

def is_error(result):
    return result.isError
"""
    + _PYTHON_CASES
    + """
async def main(case, url, key):
    headers = {"Authorization": f"Bearer {key}"}
    async with httpx.AsyncClient(headers=headers, timeout=120, trust_env=False) as client:
        async with streamable_http_client(url, http_client=client) as (read, write, _):
            async with ClientSession(read, write) as session:
                await session.initialize()
                await globals()[case](session)

asyncio.run(main(*sys.argv[1:]))
"""
)
PYTHON_2_CLIENT = (
    """
import asyncio, sys
import httpx2
from mcp.client import Client
from mcp.client.streamable_http import streamable_http_client

def structured(result):
    return result.structured_content

def is_error(result):
    return result.is_error
"""
    + _PYTHON_CASES
    + """
async def main(case, url, key, mode):
    headers = {"Authorization": f"Bearer {key}"}
    async with httpx2.AsyncClient(headers=headers, timeout=120, trust_env=False) as client:
        async with Client(streamable_http_client(url, http_client=client), mode=mode) as session:
            await globals()[case](session)

asyncio.run(main(*sys.argv[1:]))
"""
)
NODE_CLIENT = """
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";

const [name, url, key] = process.argv.slice(2);
const requestInit = { headers: { Authorization: `Bearer ${key}` } };
const client = new Client({ name: "test", version: "1" });
await client.connect(new StreamableHTTPClientTransport(new URL(url), { requestInit }));
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const callTool = async (tool, args) =>
  (await client.callTool({ name: tool, arguments: args })).structuredContent;

async function wait(runId, ...states) {
  for (;;) {
    const found = await callTool("get_run", { run_id: runId });
    if (states.includes(found.state)) {
      console.log("STATE", found.state, found.wait_reason);
      return found;
    }
    await sleep(200);
  }
}

const cases = {
  async call() {
    const { tools } = await client.listTools();
    console.log("TOOLS", ...tools.map((tool) => tool.name));
    const onprogress = ({ progress, total }) => console.log("PROGRESS", progress, total);
    const request = { name: "tea-report", arguments: { topic: "tea" } };
    const result = await client.callTool(request, undefined, { onprogress });
    console.log("RESULT", result.isError ? "True" : "False", result.content[0].text);
  },
  async approve() {
    let asked = await callTool("reviewed-report", { topic: "tea" });
    asked = await wait(asked.run_id, "waiting");
    const args = { approval_id: asked.approval.approval_id, action: "approve" };
    console.log("ANSWERED", (await callTool("answer_approval", args)).state);
    await wait(asked.run_id, "completed");
  },
  async handle() {
    const begun = await callTool("tea-report", { topic: "held", "run.wait": false });
    const isHandle = begun.run_id.startsWith("run_") && begun.next_step.includes("get_run");
    console.log("HANDLE", isHandle ? "True" : "False");
    await wait(begun.run_id, "running");
    console.log("STOPPED", (await callTool("stop_run", { run_id: begun.run_id })).state);
  },
  async cancel() {
    const controller = new AbortController();
    const request = { name: "tea-report", arguments: { topic: "held" } };
    const call = client.callTool(request, undefined, { signal: controller.signal });
    while (!(await callTool("list_runs", { status: "running" })).runs.length) await sleep(200);
    await sleep(500);
    controller.abort();
    await call.catch(() => {});
    await sleep(1000);
  },
};
await cases[name]();
await client.close();
"""
