import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { useState } from "react";

import { ErrorPanel } from "@/components/error-panel";
import { Page } from "@/components/page";
import { Alert } from "@/components/ui/alert";
import { Button } from "@/components/ui/button";
import { SkeletonRows } from "@/components/ui/skeleton";
import { api, body } from "@/lib/api/client";
import { toast } from "@/lib/toast";

import { refreshServers } from "./server-requests";

interface Answer {
  state: string;
  code: string;
  iss: string | null;
  error: string | null;
}

/** Where an authorization server sends the browser back. */
export function McpCallbackPage() {
  const [answer] = useState(readAnswer);
  return (
    <Page title="Authorization">
      {answer.code && !answer.error ? (
        <Completion answer={answer} />
      ) : (
        <Alert
          tone="err"
          title="The service did not authorize this server"
          actions={<BackToServers />}
        >
          {answer.error === "access_denied"
            ? "You or the service refused it."
            : "The answer of the service has no code. Begin again."}
        </Alert>
      )}
    </Page>
  );
}

function Completion({ answer }: { answer: Answer }) {
  const navigate = useNavigate();
  const client = useQueryClient();
  // A query: the answer works once, and effects may run twice.
  const finish = useQuery({
    queryKey: ["mcp-callback", answer.state],
    queryFn: async () => {
      // It need not stay in the history.
      history.replaceState(history.state, "", location.pathname);
      const { state, code, iss } = answer;
      const { serverId } = body(
        await api.POST("/api/v1/mcp/authorizations/finish", { body: { state, code, iss } }),
      );
      await refreshServers(client);
      toast.success("Authorized. Connect to read the list of tools.");
      await navigate({ to: "/tools/mcp/$serverId", params: { serverId }, replace: true });
      return serverId;
    },
    retry: false,
    staleTime: Infinity,
  });
  return finish.isError ? (
    <>
      <ErrorPanel error={finish.error} />
      <BackToServers />
    </>
  ) : (
    <SkeletonRows rows={2} className="rounded-lg border bg-surface" />
  );
}

function BackToServers() {
  return (
    <Button asChild className="w-fit">
      <Link to="/tools/mcp">Back to the servers</Link>
    </Button>
  );
}

/** Reads what was added to the address; numbers in it must stay texts. */
function readAnswer(): Answer {
  const query = new URLSearchParams(location.search);
  return {
    state: query.get("state") ?? "",
    code: query.get("code") ?? "",
    iss: query.get("iss"),
    error: query.get("error"),
  };
}
