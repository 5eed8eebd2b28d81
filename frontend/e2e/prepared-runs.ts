/** A product of its own in which a run stands in every state. */
import { Api } from "./api";
import { twoTasks } from "./documents";
import { FreshProduct } from "./fresh-product";
import { hold, Provider } from "./provider";

const NOTE = `## A note

- Bees **dance**.

| what | how much |
| --- | --- |
| honey | 20 kg |
`;

export type Made = Record<
  | "completed"
  | "second"
  | "failed"
  | "stopped"
  | "approval"
  | "budget"
  | "running"
  | "queued"
  | "workflow",
  string
>;

export class Prepared {
  readonly url: string;
  readonly api: Api;
  readonly provider: Provider;
  private readonly product: FreshProduct;
  private making: Promise<Made> | undefined;

  private constructor(product: FreshProduct, provider: Provider) {
    this.product = product;
    this.url = product.url;
    this.api = new Api(product.url);
    this.provider = provider;
  }

  /** Empty until its runs are asked for. One run works at a time, so that another can be queued. */
  static async start(): Promise<Prepared> {
    const [product, provider] = await Promise.all([
      FreshProduct.start({ LOCAL_MODEL: "off", WORKER_CONCURRENCY: "1" }),
      Provider.start(),
    ]);
    return new Prepared(product, provider);
  }

  runs(): Promise<Made> {
    this.making ??= this.make();
    return this.making;
  }

  async stop(): Promise<void> {
    this.provider.stop();
    await this.product.stop();
  }

  private async make(): Promise<Made> {
    const { api, provider } = this;
    await provider.script([
      { contains: "about FAIL", reply: { kind: "Fail", status: 401, message: "Wrong key" } },
      { contains: "about STOP", reply: hold("never", "Facts.") },
      { contains: "note on HOLD", reply: hold("never", "A note.") },
      { contains: "Write a note", reply: NOTE },
      "Three facts.",
    ]);
    const model = await api.model(provider.baseUrl);
    const workflow = await api.workflow(twoTasks(model, "Market research"));
    const asks = `${twoTasks(model, "Reviewed brief")}    human_input: true\n`;
    const thrifty = `${twoTasks(model, "Thrifty brief")}budget:\n  max_llm_calls: 1\n`;
    const completed = await this.run(workflow, "bees", "completed");
    const second = await this.run(workflow, "wasps", "completed");
    const failed = await this.run(workflow, "FAIL", "failed");
    const stopped = await this.run(workflow, "STOP", "running");
    await api.call("POST", `/api/v1/runs/${stopped}/stop`, { mode: "now" });
    await api.until(stopped, "stopped");
    const approval = await this.run(await api.workflow(asks), "bees", "waiting");
    const budget = await this.run(await api.workflow(thrifty), "bees", "waiting");
    const calls = (await provider.state()).count;
    const running = await this.run(workflow, "HOLD", "running");
    await provider.calls(calls + 2);
    const queued = await this.run(workflow, "tea", "queued");
    return { completed, second, failed, stopped, approval, budget, running, queued, workflow };
  }

  private async run(workflow: string, topic: string, state: string): Promise<string> {
    const id = await this.api.run(workflow, { topic });
    await this.api.until(id, state);
    return id;
  }
}
