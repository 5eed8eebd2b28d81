/** What an issuer added to the address to which it sent the browser back. */
export interface IssuerAnswer {
  code: string;
  state: string;
  iss: string | null;
  /** A code of OAuth, such as `access_denied`; null for a sign-in. */
  error: string | null;
}

/** Returns the answer in the address. */
export function readIssuerAnswer(): IssuerAnswer {
  const query = new URLSearchParams(location.search);
  const code = query.get("code");
  return {
    code: code ?? "",
    state: query.get("state") ?? "",
    iss: query.get("iss"),
    error: query.get("error") ?? (code ? null : "no_answer"),
  };
}

/** Describes why an issuer signed nobody in. Its own words are not shown: anyone can write them into a link. */
export function describeRefusal(error: string, issuer: string): string {
  switch (error) {
    case "access_denied":
      return `You cancelled the sign-in, or ${issuer} does not let you use this application. An administrator there can assign it to you.`;
    case "no_answer":
      return "This page was opened without an answer. Start again.";
    case "login_required":
    case "interaction_required":
    case "consent_required":
      return `${issuer} needs your consent or a new sign-in. Start again.`;
    case "temporarily_unavailable":
    case "server_error":
      return `${issuer} has a problem. Try again later.`;
    default: {
      const code = /^[a-z_]{1,40}$/.test(error) ? ` (${error})` : "";
      return `${issuer} does not accept the request of this server${code}. An administrator finds the cause with "crewai-runner doctor" and the documentation of single sign-on.`;
    }
  }
}
