/** Validation of the provider form; the server validates again. */
import * as z from "zod/mini";

import { needsKey, PROVIDER_KINDS } from "./provider-types";
import { combinedKey, type ProviderValues } from "./provider-values";

// Compiled schemas need `eval`, which the content security policy forbids.
z.config({ jitless: true });

type Issue = [field: keyof ProviderValues, message: string];

const KEY_TEXT = /^[\x21-\x7e]*$/;
const KEY_FIELDS = ["apiKey", "accessKeyId", "secretAccessKey", "sessionToken"] as const;

const shape = z.object({
  type: z.custom<ProviderValues["type"]>(),
  name: z.string().check(z.maxLength(200, "At most 200 characters.")),
  baseUrl: z.string(),
  keyAction: z.enum(["keep", "replace", "remove"]),
  apiKey: z.string(),
  accessKeyId: z.string(),
  secretAccessKey: z.string(),
  sessionToken: z.string(),
  region: z.string(),
  apiVersion: z.string(),
  models: z.string(),
});

/** `creating`: a new provider needs its API key; a stored one can be saved without. */
export function providerSchema(creating: boolean) {
  return shape.check((context) => {
    for (const [field, message] of providerIssues(context.value, creating)) {
      context.issues.push({ code: "custom", input: context.value[field], path: [field], message });
    }
  });
}

export function providerIssues(values: ProviderValues, creating: boolean): Issue[] {
  return [
    ...nameIssues(values),
    ...urlIssues(values),
    ...(values.keyAction === "replace" ? keyIssues(values, creating) : []),
    ...optionIssues(values),
  ];
}

function nameIssues({ name }: ProviderValues): Issue[] {
  return name.trim() ? [] : [["name", "Enter a name."]];
}

function urlIssues({ type, baseUrl }: ProviderValues): Issue[] {
  const url = baseUrl.trim();
  if (!url) {
    const { baseUrl: defaultUrl, baseUrlExample } = PROVIDER_KINDS[type];
    return defaultUrl ? [] : [["baseUrl", `Enter a base URL, such as ${baseUrlExample}.`]];
  }
  if (!/^https?:\/\//i.test(url)) return [["baseUrl", "Start with https:// or http://."]];
  if (!URL.canParse(url)) return [["baseUrl", "Invalid URL."]];
  const { username, password } = new URL(url);
  return username || password
    ? [["baseUrl", "Remove the user name and password. Use the API key field."]]
    : [];
}

function keyIssues(values: ProviderValues, creating: boolean): Issue[] {
  const malformed = KEY_FIELDS.filter((field) => !KEY_TEXT.test(values[field].trim()));
  if (malformed.length > 0) {
    return malformed.map((field) => [
      field,
      "A key has no spaces or special characters. Copy it again.",
    ]);
  }
  if (values.type === "bedrock") return bedrockKeyIssues(values, creating);
  const missing = creating && needsKey(values.type, values.baseUrl) && !combinedKey(values);
  return missing ? [["apiKey", `${PROVIDER_KINDS[values.type].title} requires an API key.`]] : [];
}

function bedrockKeyIssues(values: ProviderValues, creating: boolean): Issue[] {
  if (!creating && !combinedKey(values)) return [];
  const issues: Issue[] = [];
  if (!values.accessKeyId.trim()) issues.push(["accessKeyId", "Enter the access key ID."]);
  if (!values.secretAccessKey.trim()) {
    issues.push(["secretAccessKey", "Enter the secret access key."]);
  }
  return issues;
}

function optionIssues({ region, apiVersion }: ProviderValues): Issue[] {
  const issues: Issue[] = [];
  if (!/^[a-z0-9-]{0,40}$/.test(region.trim())) {
    issues.push(["region", "A region looks like eu-central-1."]);
  }
  if (!/^[A-Za-z0-9._-]{0,40}$/.test(apiVersion.trim())) {
    issues.push(["apiVersion", "A version looks like 2024-10-21."]);
  }
  return issues;
}
