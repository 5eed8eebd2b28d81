import { http, HttpResponse } from "msw";
import { describe, expect, it } from "vitest";

import type { RunConnection, RunConnectionPage, HostTraffic } from "@/lib/api/types";
import { renderWithRouter } from "@/testing/render-with-router";
import { server } from "@/testing/server";

import { sampleRun } from "../testing/run-fixtures";

import { connectionsToCsv, describeHost } from "./connection-labels";
import { NetworkTab } from "./network-tab";

const CONNECTION: RunConnection = {
  attempt: 1,
  number: 1,
  at: "2026-11-30T10:00:00Z",
  host: "api.example.com",
  port: 443,
  purpose: "model",
  name: "Acme",
  agent: "writer",
  taskKey: "draft",
  sentBytes: 1200,
  receivedBytes: 30_000,
  milliseconds: 850,
  result: "allowed",
  reason: null,
  requests: 1,
};
const REFUSED: HostTraffic = {
  host: "evil.example.com",
  port: 443,
  purpose: "tool",
  name: "http_get",
  result: "refused",
  requests: 2,
  sentBytes: 0,
  receivedBytes: 0,
  milliseconds: 3,
  reason: "To allow it, add it to `allowed_hosts` in the workflow.",
};

function renderTab(page: Partial<RunConnectionPage> = {}) {
  const answer: RunConnectionPage = {
    connections: [CONNECTION],
    hosts: [REFUSED, { ...CONNECTION, requests: 1 }],
    total: { requests: 3, refused: 2, sentBytes: 1200, receivedBytes: 30_000 },
    nextCursor: null,
    ...page,
  };
  server.use(http.get("*/api/v1/runs/:id/egress", () => HttpResponse.json(answer)));
  return renderWithRouter(<NetworkTab run={sampleRun({ status: "completed" })} />);
}

describe("NetworkTab", () => {
  it("shows refused hosts first, with what allows them", async () => {
    const { findByRole, getByText } = renderTab();
    const hosts = await findByRole("list", { name: "Hosts" });
    expect(hosts.firstElementChild).toHaveTextContent("evil.example.com:443");
    expect(hosts.firstElementChild).toHaveTextContent("add it to `allowed_hosts`");
    expect(getByText("2 requests were refused.")).toBeVisible();
    expect(hosts.lastElementChild).toHaveTextContent("1.2 kB sent · 30 kB received");
  });

  it("lists each request with its agent", async () => {
    const { findByRole } = renderTab();
    const row = await findByRole("row", { name: /api\.example\.com:443/ });
    expect(row).toHaveTextContent("Model Acme");
    expect(row).toHaveTextContent("writer");
  });

  it("says that a run has contacted no one", async () => {
    const total = { requests: 0, refused: 0, sentBytes: 0, receivedBytes: 0 };
    const { findByText } = renderTab({ connections: [], hosts: [], total });
    expect(await findByText("No connections")).toBeVisible();
  });
});

describe("connectionsToCsv", () => {
  it("quotes texts, and keeps a spreadsheet from calculating them", () => {
    const csv = connectionsToCsv([
      { ...CONNECTION, name: '=HYPERLINK("http://evil")', reason: "a, b" },
    ]);
    const [, row] = csv.split("\r\n");
    expect(row).toContain('"\'=HYPERLINK(""http://evil"")"');
    expect(row).toContain('"a, b"');
  });
});

describe("describeHost", () => {
  it("puts an IPv6 address into brackets", () => {
    expect(describeHost({ host: "2001:db8::1", port: 443 })).toBe("[2001:db8::1]:443");
    expect(describeHost({ host: "other hosts", port: 0 })).toBe("other hosts");
  });
});
