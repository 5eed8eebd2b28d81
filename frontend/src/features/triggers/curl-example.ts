import type { Trigger } from "@/lib/api/types";

export const SIGNATURES: Record<Trigger["signature"], string> = {
  bearer: "Bearer token",
  "standard-webhooks": "Standard Webhooks",
  github: "GitHub",
  stripe: "Stripe",
  slack: "Slack",
};

/** The secret is a placeholder in the example until it is known. */
export function curlExample(trigger: Trigger, origin: string, secret = "YOUR_SECRET"): string {
  const { setup, headers } = signingLines(trigger.signature);
  const sent = [...headers, `"Content-Type: application/json"`].map((line) => `  -H ${line} \\`);
  return [
    `secret=${quote(secret)}`,
    `body='{"example": true}'`,
    ...setup,
    `curl -X POST ${quote(origin + trigger.path)} \\`,
    ...sent,
    `  --data-raw "$body"`,
  ].join("\n");
}

function signingLines(signature: Trigger["signature"]): { setup: string[]; headers: string[] } {
  switch (signature) {
    case "bearer":
      return { setup: [], headers: [`"Authorization: Bearer $secret"`] };
    case "github":
      return { setup: [digest("$body")], headers: [`"X-Hub-Signature-256: sha256=$sig"`] };
    case "stripe":
      return {
        setup: ["t=$(date +%s)", digest("$t.$body")],
        headers: [`"Stripe-Signature: t=$t,v1=$sig"`],
      };
    case "slack":
      return {
        setup: ["t=$(date +%s)", digest("v0:$t:$body")],
        headers: [`"X-Slack-Request-Timestamp: $t"`, `"X-Slack-Signature: v0=$sig"`],
      };
    case "standard-webhooks":
      return {
        setup: [
          "t=$(date +%s); id=msg_$t",
          `key=$(printf '%s' "\${secret#whsec_}" | base64 -d | od -An -v -tx1 | tr -d ' \\n')`,
          `sig=$(printf '%s' "$id.$t.$body" | openssl dgst -sha256 -mac HMAC -macopt hexkey:$key -binary | base64)`,
        ],
        headers: [`"webhook-id: $id"`, `"webhook-timestamp: $t"`, `"webhook-signature: v1,$sig"`],
      };
  }
}

function digest(content: string): string {
  return `sig=$(printf '%s' "${content}" | openssl dgst -sha256 -hmac "$secret" | sed 's/^.* //')`;
}

function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
