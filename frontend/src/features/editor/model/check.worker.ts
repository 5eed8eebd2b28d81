/** Checks long documents beside the page, so that typing stays smooth. */
import { check, type Checked } from "./check";
import { schemaCheck, type SchemaCheck } from "./schema-check";

export interface CheckOrder {
  id: number;
  text: string;
  /** Sent with the first order, and again when it has changed. */
  schema?: Record<string, unknown>;
}

export interface CheckAnswer {
  id: number;
  checked: Checked;
}

let bySchema: SchemaCheck | null = null;

self.addEventListener("message", ({ data: { id, text, schema } }: MessageEvent<CheckOrder>) => {
  if (schema) bySchema = schemaCheck(schema);
  const answer: CheckAnswer = { id, checked: check(text, bySchema) };
  self.postMessage(answer, {});
});
