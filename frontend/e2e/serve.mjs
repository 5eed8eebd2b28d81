// Starts the product like `make run`, with a temporary data folder that is deleted on exit.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const backend = fileURLToPath(new URL("../../backend", import.meta.url));
const data = mkdtempSync(join(tmpdir(), "crewai-runner-e2e-"));
const product = spawn(join(backend, ".venv/bin/crewai-runner"), ["serve"], {
  cwd: data,
  env: {
    PATH: process.env.PATH,
    HOME: data,
    API_HOST: "127.0.0.1",
    DATA_DIR: join(data, "data"),
    LOG_LEVEL: "WARNING",
    ...pick(
      "API_PORT",
      "API_KEY",
      "FRONTEND_DIR",
      "LOCAL_MODEL",
      "WORKER_CONCURRENCY",
      "AUTH_FAILURES_PER_MINUTE",
      "LD_LIBRARY_PATH",
      "OIDC_ISSUERS",
      "PROJECTS",
      "PUBLIC_URL",
    ),
  },
  stdio: ["ignore", "inherit", "inherit"],
});

for (const signal of ["SIGTERM", "SIGINT"]) process.on(signal, () => product.kill("SIGTERM"));
product.on("exit", (code) => {
  rmSync(data, { recursive: true, force: true });
  process.exit(code ?? 1);
});

function pick(...names) {
  return Object.fromEntries(
    names.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]])),
  );
}
