/** The demo: a crew that runs on the built-in local model. */
import { api, body } from "./api/client";
import type { About, Model, Template } from "./api/types";

/** Whether the demo can run on this server, and the server's message about the local model. */
export interface DemoAvailability {
  available: boolean;
  message: string;
}

export function demoAvailability(about: About, models: readonly Model[]): DemoAvailability {
  const { state, message } = about.localModel;
  if (state === "ready" || state === "starting") return { available: true, message };
  // "off" also means "starts on first use"; only the message tells that from "switched off".
  const startsOnUse = state === "off" && !message.startsWith("Switched off");
  const available = startsOnUse && models.some((model) => model.providerType === "local");
  return { available, message };
}

/** Saves the demo workflow unless it exists, starts it, and returns the run's id. */
export async function startDemo(templates: readonly Template[]): Promise<string> {
  const template = templates.find((one) => one.runsOnLocalModel);
  if (!template) throw new Error("This server has no demo workflow.");
  const workflowId =
    (await findWorkflowId(template.title)) ?? (await createWorkflow(template.yaml));
  return body(await api.POST("/api/v1/runs", { body: { workflowId, inputs: {} } })).runId;
}

async function findWorkflowId(name: string): Promise<string | undefined> {
  const query = { text: name };
  const { workflows } = body(await api.GET("/api/v1/workflows", { params: { query } }));
  return workflows.find((workflow) => workflow.name === name)?.id;
}

async function createWorkflow(yaml: string): Promise<string> {
  return body(await api.POST("/api/v1/workflows", { body: { workflow: { yaml } } })).workflow.id;
}
