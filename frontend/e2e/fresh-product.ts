/** A separate product process with an empty data folder. */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";

import { API_KEY } from "../playwright.config";

const serve = fileURLToPath(new URL("serve.mjs", import.meta.url));
type Settings = Record<string, string> | Promise<Record<string, string>>;
const START_TIMEOUT_MS = 120_000;

export class FreshProduct {
  readonly url: string;
  private readonly process: ChildProcess;

  private constructor(process: ChildProcess, url: string) {
    this.process = process;
    this.url = url;
  }

  /**
   * Starts the product and waits until it is ready; `settings` are environment variables, or depend on its URL. There is
   * no local model unless they ask for it: each would load its own.
   */
  static async start(settings: Settings | ((url: string) => Settings) = {}): Promise<FreshProduct> {
    const port = String(await freePort());
    const url = `http://127.0.0.1:${port}`;
    const given = typeof settings === "function" ? await settings(url) : await settings;
    const product = spawn("node", [serve], {
      env: { ...process.env, API_KEY, LOCAL_MODEL: "off", ...given, API_PORT: port },
      stdio: ["ignore", "ignore", "inherit"],
    });
    const fresh = new FreshProduct(product, url);
    await waitUntilReady(url, product).catch(async (error: unknown) => {
      await fresh.stop();
      throw error;
    });
    return fresh;
  }

  async stop(): Promise<void> {
    if (this.process.exitCode !== null) return;
    this.process.kill("SIGTERM");
    await once(this.process, "exit");
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

async function waitUntilReady(url: string, product: ChildProcess): Promise<void> {
  for (const end = Date.now() + START_TIMEOUT_MS; Date.now() < end;) {
    if (product.exitCode !== null) throw new Error("The product exited during startup.");
    const response = await fetch(`${url}/health/ready`).catch(() => null);
    if (response?.ok) return;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  throw new Error(`The product was not ready within ${START_TIMEOUT_MS / 1000} s.`);
}
