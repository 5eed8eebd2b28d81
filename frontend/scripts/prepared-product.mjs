// Starts the product with content in it: a scripted provider, two workflows, and runs that ended well, badly and waiting.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { createInterface } from "node:readline";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const frontend = fileURLToPath(new URL("..", import.meta.url));
const backend = join(frontend, "../backend");
const KEY = "key-of-the-scripts";
const START_SECONDS = 60;
const ENDED = ["completed", "failed", "stopped", "crashed"];

/** Runs `work({ origin, key, pages })` on a product that is gone afterwards, whatever happens. */
export async function withProduct(work) {
  const children = [];
  try {
    const provider = await startProvider(children);
    const origin = await startProduct(children);
    const call = (method, path, body) => request(origin, method, path, body);
    await work({ origin, key: KEY, pages: pagesOf(await prepare(call, provider)) });
  } finally {
    await Promise.all(children.map(stop));
  }
}

/** Puts the key where the product keeps it, before any page is loaded. */
export function signInScript(key) {
  return `sessionStorage.setItem("crewai-runner:api-key", ${JSON.stringify(key)});`;
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
  for (let tries = 0; tries < START_SECONDS * 5; tries += 1) {
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

async function prepare(call, provider) {
  const body = JSON.stringify(script());
  const taken = await fetch(`${provider}/_control/script`, { method: "POST", body });
  if (!taken.ok) throw new Error(`The provider does not take its script: ${await taken.text()}`);
  const { provider: acme } = await call("POST", "/api/v1/providers", {
    provider: {
      name: "Acme models",
      type: "openai_compatible",
      apiKey: "sk-scripted-0123456789ab",
      baseUrl: `${provider}/v1`,
    },
  });
  for (const model of modelsAt(acme.id)) await call("POST", "/api/v1/models", { model });
  const research = await save(call, workflow("Market research"));
  const review = await save(call, workflow("Reviewed brief", "human_input: true"));
  const first = await run(call, research, { topic: "bees" }, ENDED);
  const second = await run(call, research, { topic: "wasps" }, ENDED);
  const failed = await run(call, research, { topic: "FAIL" }, ENDED);
  const waiting = await run(call, review, { topic: "honey" }, ["waiting", ...ENDED]);
  return { provider: acme.id, research, first, second, failed, waiting };
}

const say = (text, contains) => ({ reply: { kind: "Say", text }, contains });
const answer = (text) => `Thought: I now can give a great answer\nFinal Answer: ${text}`;

function script() {
  return {
    models: ["acme-large", "acme-small", "acme-embed"],
    rules: [
      {
        reply: { kind: "Fail", status: 401, message: "Incorrect API key provided." },
        contains: "FAIL",
      },
      say(
        answer(
          "## A note on bees\n\n- They dance.\n- They **vote** on a new home.\n\n| what | how much |\n| --- | --- |\n| honey | 20 kg |",
        ),
        "Write a note",
      ),
      say(
        answer(
          "1. Bees dance to show the way.\n2. A hive holds 50,000 of them.\n3. They vote on a new home.",
        ),
        "three facts",
      ),
    ],
  };
}

function modelsAt(providerId) {
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
    { name: "small", type: "llm", providerId, endpoint: "acme-small", default: false, pricing },
    { name: "acme-embed", type: "embedder", providerId, default: true },
  ];
}

function workflow(name, more = "") {
  return `name: ${name}
inputs:
  topic:
    type: string
    default: bees
agents:
  researcher:
    role: Researcher
    goal: Find facts
    backstory: Curious.
    llm: acme-large
  writer:
    role: Writer
    goal: Write well
    backstory: Brief.
    llm: small
tasks:
  research:
    description: Find three facts about {topic}.
    expected_output: Three facts
    agent: researcher
  draft:
    description: Write a note on {topic}.
    expected_output: A note
    agent: writer
    context: [research]
    ${more}
`;
}

async function save(call, yaml) {
  return (await call("POST", "/api/v1/workflows", { workflow: { yaml } })).workflow.id;
}

async function run(call, workflowId, inputs, states) {
  const { runId } = await call("POST", "/api/v1/runs", { workflowId, inputs });
  for (let tries = 0; tries < 600; tries += 1) {
    const { run: now } = await call("GET", `/api/v1/runs/${runId}`);
    if (states.includes(now.status)) return runId;
    await pause(100);
  }
  throw new Error(`${runId} never came to ${states.join(" or ")}.`);
}

/** Every page of the product: a name for its file, its address, whether one is signed in. */
function pagesOf({ provider, research, first, second, failed, waiting }) {
  return [
    { name: "dashboard", path: "/" },
    { name: "workflows", path: "/workflows" },
    { name: "workflow-new", path: "/workflows/new" },
    { name: "workflow", path: `/workflows/${research}` },
    { name: "workflow-form", path: `/workflows/${research}?view=form` },
    { name: "launch", path: `/workflows/${research}/run` },
    { name: "runs", path: "/runs" },
    { name: "run", path: `/runs/${first}` },
    { name: "run-output", path: `/runs/${first}?view=output` },
    { name: "run-graph", path: `/runs/${first}?view=graph` },
    { name: "run-failed", path: `/runs/${failed}` },
    { name: "run-waiting", path: `/runs/${waiting}` },
    { name: "compare", path: `/runs/compare?a=${first}&b=${second}` },
    { name: "models", path: "/models" },
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
