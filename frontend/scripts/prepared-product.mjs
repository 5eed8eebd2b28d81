// Starts the product with a scripted provider, two workflows, and completed, failed and waiting runs.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { createInterface } from "node:readline";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { twoTasks } from "../e2e/documents.mjs";

const frontend = fileURLToPath(new URL("..", import.meta.url));
const backend = join(frontend, "../backend");
const KEY = "key-of-the-scripts";
const START_SECONDS = 60;
const FINISHED = ["completed", "failed", "stopped", "crashed"];

/** Starts the product, calls `work({ origin, key, pages })` and stops the product in any case. */
export async function withProduct(work) {
  const children = [];
  try {
    const provider = await startProvider(children);
    const origin = await startProduct(children);
    const call = (method, path, body) => request(origin, method, path, body);
    const content = await createContent(call, provider);
    const project = await createProject(origin, call);
    await work({ origin, key: KEY, pages: pagesOf({ ...content, ...project }) });
  } finally {
    await Promise.all(children.map(stop));
  }
}

/** Signs a browser context in to the product; its pages keep the session. */
export async function signIn(context, origin, key) {
  const response = await context.request.post(`${origin}/api/v1/session`, {
    headers: { Authorization: `Bearer ${key}` },
    data: {},
  });
  if (!response.ok()) throw new Error(`Signing in failed: ${response.status()}`);
  const { csrfToken } = await response.json();
  const value = JSON.stringify({ csrfToken, isRemembered: false });
  await context.addInitScript(`localStorage.setItem("crewai-runner:session", '${value}');`);
}

async function startProvider(children) {
  const child = spawn(
    join(backend, ".venv/bin/python"),
    ["-m", "tests.support.scripted_provider", "--delay-ms", "40"],
    { cwd: backend, stdio: ["ignore", "pipe", "inherit"] },
  );
  children.push(child);
  const [line] = await once(createInterface({ input: child.stdout }), "line");
  return JSON.parse(line).url;
}

async function startProduct(children) {
  const port = await freePort();
  const child = spawn("node", [join(frontend, "e2e/serve.mjs")], {
    env: { ...process.env, API_PORT: String(port), API_KEY: KEY },
    stdio: ["ignore", "ignore", "inherit"],
  });
  children.push(child);
  const origin = `http://127.0.0.1:${port}`;
  for (let attempt = 0; attempt < START_SECONDS * 5; attempt += 1) {
    if (child.exitCode !== null) throw new Error("The product did not start.");
    const ready = await fetch(`${origin}/health/ready`).catch(() => null);
    if (ready?.ok) return origin;
    await pause(200);
  }
  throw new Error(`The product was not ready within ${START_SECONDS} s.`);
}

async function stop(child) {
  if (child.exitCode !== null) return;
  child.kill("SIGTERM");
  await Promise.race([once(child, "exit"), pause(15_000)]);
  if (child.exitCode === null) child.kill("SIGKILL");
}

export async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  await once(server, "close");
  return port;
}

async function request(origin, method, path, body) {
  const response = await fetch(origin + path, {
    method,
    headers: { Authorization: `Bearer ${KEY}`, "Content-Type": "application/json" },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
  return text ? JSON.parse(text) : null;
}

async function createContent(call, provider) {
  const body = JSON.stringify(providerScript());
  const response = await fetch(`${provider}/_control/script`, { method: "POST", body });
  if (!response.ok) throw new Error(`The provider rejected its script: ${await response.text()}`);
  const { provider: acme } = await call("POST", "/api/v1/providers", {
    provider: {
      name: "Acme models",
      type: "openai_compatible",
      apiKey: "sk-scripted-0123456789ab",
      baseUrl: `${provider}/v1`,
    },
  });
  for (const model of modelsOf(acme.id)) await call("POST", "/api/v1/models", { model });
  const research = await createWorkflow(call, workflow("Market research"));
  const review = await createWorkflow(call, workflow("Reviewed brief", "human_input: true"));
  const run = (workflowId, topic, states) =>
    startRun(call, { workflowId, inputs: { topic } }, states);
  const first = await run(research, "bees", FINISHED);
  const second = await run(research, "wasps", FINISHED);
  const failed = await run(research, "FAIL", FINISHED);
  const waiting = await run(review, "honey", ["waiting", ...FINISHED]);
  return { provider: acme.id, research, first, second, failed, waiting };
}

const replyRule = (text, contains) => ({ reply: { kind: "Say", text }, contains });
const finalAnswer = (text) => `Thought: I now can give a great answer\nFinal Answer: ${text}`;

function providerScript() {
  return {
    models: ["acme-large", "acme-small", "acme-embed"],
    rules: [
      {
        reply: { kind: "Fail", status: 401, message: "Incorrect API key provided." },
        contains: "FAIL",
      },
      replyRule(
        finalAnswer(
          "## A note on bees\n\n- They dance.\n- They **vote** on a new home.\n\n| what | how much |\n| --- | --- |\n| honey | 20 kg |",
        ),
        "Write a note",
      ),
      replyRule(
        finalAnswer(
          "1. Bees dance to show the way.\n2. A hive holds 50,000 of them.\n3. They vote on a new home.",
        ),
        "three facts",
      ),
    ],
  };
}

function modelsOf(providerId) {
  const pricing = { inputPerMillion: "2.50", outputPerMillion: "10.00", currency: "USD" };
  return [
    {
      name: "acme-large",
      type: "llm",
      providerId,
      default: true,
      pricing,
      capabilities: { tools: true, vision: true, json: true, contextWindow: 200000 },
      settings: { temperature: 0.2 },
    },
    {
      name: "small",
      type: "llm",
      providerId,
      providerModel: "acme-small",
      default: false,
      pricing,
    },
    { name: "acme-embed", type: "embedder", providerId, default: true },
  ];
}

function workflow(name, lastTaskField) {
  return twoTasks("acme-large", name, { writerModel: "small", lastTaskField });
}

/** Uploads two versions of a project, waits for its build, and runs it. */
async function createProject(origin, call) {
  const text = "def run():\n    print('Three facts about bees.')\n";
  const { id } = await uploadProject(`${origin}/api/v1/projects`, text);
  await uploadProject(`${origin}/api/v1/projects/${id}/versions`, `${text}\n\nrun()\n`);
  for (let attempt = 0; attempt < 600; attempt += 1) {
    const { project } = await call("GET", `/api/v1/projects/${id}`);
    if (project.status === "failed") throw new Error(project.version.build.error);
    if (project.status === "ready") {
      return { project: id, projectRun: await startRun(call, { projectId: id }, FINISHED) };
    }
    await pause(200);
  }
  throw new Error("The project was not built.");
}

async function uploadProject(url, main) {
  const form = new FormData();
  const files = {
    "brief/pyproject.toml": '[project]\nname = "daily-brief"\nversion = "1.0"\n',
    "brief/main.py": `import os\n\nKEY = os.environ.get("NEWS_API_KEY")\n\n\n${main}`,
  };
  for (const [path, text] of Object.entries(files)) form.append("files", new Blob([text]), path);
  const headers = { Authorization: `Bearer ${KEY}` };
  const response = await fetch(url, { method: "POST", headers, body: form });
  if (!response.ok) throw new Error(`${url}: ${response.status} ${await response.text()}`);
  return (await response.json()).project;
}

async function createWorkflow(call, yaml) {
  return (await call("POST", "/api/v1/workflows", { workflow: { yaml } })).workflow.id;
}

async function startRun(call, source, states) {
  const { runId } = await call("POST", "/api/v1/runs", source);
  for (let attempt = 0; attempt < 600; attempt += 1) {
    const { run: current } = await call("GET", `/api/v1/runs/${runId}`);
    if (states.includes(current.status)) return runId;
    await pause(100);
  }
  throw new Error(`Run ${runId} did not reach status ${states.join(" or ")}.`);
}

/** Lists every page: its file name, its path and whether it is shown signed out. */
function pagesOf(content) {
  const { provider, research, first, second, failed, waiting, project, projectRun } = content;
  return [
    { name: "dashboard", path: "/" },
    { name: "workflows", path: "/workflows" },
    { name: "workflow-new", path: "/workflows/new" },
    { name: "workflow", path: `/workflows/${research}` },
    { name: "workflow-form", path: `/workflows/${research}?view=form` },
    { name: "launch", path: `/workflows/${research}/run` },
    { name: "projects", path: "/projects" },
    { name: "project-run", path: `/projects/${project}/run` },
    { name: "project", path: `/projects/${project}` },
    ...["build", "models", "secrets", "hosts", "files", "versions", "runs"].map((tab) => ({
      name: `project-${tab}`,
      path: `/projects/${project}?tab=${tab}`,
    })),
    { name: "run-log", path: `/runs/${projectRun}?view=log` },
    { name: "runs", path: "/runs" },
    { name: "run", path: `/runs/${first}` },
    { name: "run-output", path: `/runs/${first}?view=output` },
    { name: "run-graph", path: `/runs/${first}?view=graph` },
    { name: "run-network", path: `/runs/${first}?view=network` },
    { name: "run-failed", path: `/runs/${failed}` },
    { name: "run-waiting", path: `/runs/${waiting}` },
    { name: "compare", path: `/runs/compare?a=${first}&b=${second}` },
    { name: "models", path: "/models" },
    { name: "tools", path: "/tools" },
    { name: "connection-new", path: "/tools?add=search" },
    { name: "mcp-servers", path: "/tools/mcp" },
    { name: "provider-new", path: "/models?provider=new" },
    { name: "provider-edit", path: `/models?provider=${provider}` },
    { name: "model-new", path: `/models?provider=${provider}&model=new` },
    { name: "settings", path: "/settings" },
    { name: "sign-in", path: "/sign-in", signedOut: true },
    { name: "not-found", path: "/no-such-page" },
  ];
}

function pause(milliseconds) {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
