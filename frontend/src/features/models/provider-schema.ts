/** What the provider form refuses by itself; the server stays the judge. */
import * as z from "zod/mini";

import { needsKey, PROVIDER_KINDS } from "./provider-types";
import { keyOf, type ProviderValues } from "./provider-values";

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

/** `creating`: a new provider must have the key it needs; a stored one may be saved as it is. */
export function providerSchema(creating: boolean) {
  return shape.check((context) => {
    for (const [field, message] of issuesOf(context.value, creating)) {
      context.issues.push({ code: "custom", input: context.value[field], path: [field], message });
    }
  });
}

export function issuesOf(values: ProviderValues, creating: boolean): Issue[] {
  return [
    ...nameIssues(values),
    ...addressIssues(values),
    ...(values.keyAction === "replace" ? keyIssues(values, creating) : []),
    ...optionIssues(values),
  ];
}

function nameIssues({ name }: ProviderValues): Issue[] {
  return name.trim() ? [] : [["name", "Give it a name."]];
}

function addressIssues({ type, baseUrl }: ProviderValues): Issue[] {
  const url = baseUrl.trim();
  if (!url) {
    const { baseUrl: own, title, baseUrlExample } = PROVIDER_KINDS[type];
    return own ? [] : [["baseUrl", `${title} needs its address, such as ${baseUrlExample}.`]];
  }
  if (!/^https?:\/\//i.test(url)) return [["baseUrl", "Start with https:// or http://."]];
  if (!URL.canParse(url)) return [["baseUrl", "This is not an address that can be read."]];
  const { username, password } = new URL(url);
  return username || password
    ? [["baseUrl", "Leave user name and password out; keys have their own field."]]
    : [];
}

function keyIssues(values: ProviderValues, creating: boolean): Issue[] {
  const strange = KEY_FIELDS.filter((field) => !KEY_TEXT.test(values[field].trim()));
  if (strange.length > 0) {
    return strange.map((field) => [
      field,
      "A key has no spaces and no special letters; copy it again.",
    ]);
  }
  if (values.type === "bedrock") return bedrockKeyIssues(values, creating);
  const missing = creating && needsKey(values.type, values.baseUrl) && !keyOf(values);
  return missing
    ? [["apiKey", `${PROVIDER_KINDS[values.type].title} takes no call without a key.`]]
    : [];
}

function bedrockKeyIssues(values: ProviderValues, creating: boolean): Issue[] {
  if (!creating && !keyOf(values)) return [];
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
