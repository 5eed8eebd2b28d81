import { Page } from "@/components/page";

import { ApiKeysCard } from "./api-keys-card";

/** The API keys of the workspace, for programs. */
export function ApiKeysPage() {
  return (
    <Page
      title="API keys"
      description="Keys for programs that use this workspace. The server's own key is not among them."
    >
      <ApiKeysCard own={false} />
    </Page>
  );
}
